-- The Lua part of nginx.conf in this folder.

local cekura = require "cekura"
local cjson = require "cjson.safe"

local improve = {}

-- Each worker creates a client on first use. init_by_lua would be too early: it runs before the workers are forked.
local client

local function the_client()
  client = client or cekura.assert(cekura.new())
  return client
end

local STATUS = { invalid = 400, not_found = 404, gone = 410, rate_limited = 429, timeout = 504, closed = 503 }

local function say(value)
  ngx.header.content_type = "application/json"
  ngx.say(cjson.encode(value))
end

local function refuse(status, message)
  ngx.status = status
  say { error = message }
end

local function fail(err)
  ngx.log(ngx.WARN, tostring(err))
  refuse(STATUS[err.kind] or 502, err.message)
end

local function start_job()
  ngx.req.read_body()
  local given = cjson.decode(ngx.req.get_body_data() or "")
  if type(given) ~= "table" then
    return nil, refuse(400, "the body must be a JSON object")
  end
  -- A missing or mistyped parameter raises, as a mistake of the program. Here it is a mistake of the HTTP client.
  local ok, job, err = pcall(function()
    return the_client().calls:improve_prompt {
      agent_id = given.agent_id, call_logs = given.call_logs, prompt = given.prompt,
    }
  end)
  if not ok then
    return nil, refuse(400, job)
  elseif not job then
    return nil, fail(err)
  end
  return job
end

local function say_outcome(job, timeout)
  local result, err = job:wait { timeout = timeout }
  if result then
    say { state = job.state, improved_prompt = result.improved_prompt, summary = result.summary_of_changes }
  elseif err.kind == "timeout" or err.kind == "closed" then -- the service still works on it
    ngx.status = 202
    say { state = job.state, token = job:token() }
  else
    fail(err)
  end
end

function improve.improve()
  local job = start_job()
  if job then
    say_outcome(job)
  end
end

function improve.start()
  local job = start_job()
  if job then
    ngx.status = 202
    say { token = job:token() }
  end
end

-- Answers within 30 seconds: with the outcome, or with the token for the next attempt.
function improve.outcome()
  local job, err = the_client():resume(ngx.req.get_uri_args().token or "")
  if not job then
    return fail(err)
  end
  say_outcome(job, 30)
end

-- A webhook of the service. It ends the waits of this worker for the record that it is about.
local receive

function improve.webhook()
  ngx.req.read_body()
  receive = receive or the_client():webhook { secret = os.getenv "CEKURA_WEBHOOK_SECRET" }
  local event, err = receive(ngx.req.get_headers(), ngx.req.get_body_data() or "")
  if not event then
    return refuse(err.kind == "auth" and 401 or 400, err.message)
  elseif not event.duplicate and event.call_log then
    ngx.log(ngx.NOTICE, event.type, ": call log ", event.call_log.id, " is ", event.call_log.status)
  end
  say { type = event.type, duplicate = event.duplicate }
end

function improve.stats()
  say(the_client():stats())
end

-- Each worker has counters of its own, and a scrape reaches any of them: all workers publish theirs, by their ids.
local published = ngx.shared.cekura_stats

local function publish(ended)
  if client and not ended then
    published:set(ngx.worker.id(), cjson.encode(client:stats()))
  end
end

function improve.publish()
  assert(ngx.timer.every(5, publish))
end

-- For Prometheus: the counters of all workers.
function improve.metrics()
  publish()
  local workers = {}
  for id = 0, ngx.worker.count() - 1 do
    workers["worker " .. id] = cjson.decode(published:get(id) or "")
  end
  ngx.header.content_type = "text/plain; version=0.0.4"
  ngx.print(cekura.prometheus(workers))
end

return improve
