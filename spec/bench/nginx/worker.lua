--- The Lua of the worker for soak.lua and spec/bench/cases/nginx.lua.

local cekura = require "cekura"
local cjson = require "cjson"
local core = require "cekura.core"
local cosocket = require "spec.bench.nginx.cosocket"

local worker = {}

local PATH = "/observability/v1/call-logs/improve_prompt_progress/?progress_id=x"

local client
local waiting = {}

local function the_client()
  client = client or cekura.assert(cekura.new { api_key = "sim-key", base_url = worker.base_url, config_file = false })
  return client
end

local function jobs(count)
  local list = {}
  for index = 1, count do
    list[index] = cekura.assert(the_client():job("calls.improve_prompt", "bench-" .. index))
  end
  return list
end

local function median(times)
  table.sort(times)
  return times[math.ceil(#times / 2)]
end

local function measure(times, count, fn, ...)
  for _ = 1, count do
    local began = core.now()
    fn(...)
    times[#times + 1] = (core.now() - began) * 1e6
  end
end

function worker.compare()
  local job = jobs(1)[1]
  local function poll()
    assert(job:poll())
  end
  local by_cosocket = cosocket(worker.base_url .. PATH, 1)
  local polls, cosockets = {}, {}
  for _ = 1, ngx.var.arg_rounds do
    measure(polls, ngx.var.arg_count, poll)
    if not ngx.var.arg_poll_only then
      measure(cosockets, ngx.var.arg_count, by_cosocket)
    end
  end
  ngx.say(cjson.encode { count = #polls, poll = median(polls), cosocket = median(cosockets) })
end

-- Begins to wait for so many jobs in the background, at once or spread over the interval, or ends these waits.
function worker.wait()
  for _, task in ipairs(waiting) do
    task:cancel()
  end
  waiting = {}
  if not ngx.var.arg_stop then
    local interval, timeout = tonumber(ngx.var.arg_interval), tonumber(ngx.var.arg_timeout)
    local parts = ngx.var.arg_spread and 50 or 1
    local list = jobs(ngx.var.arg_jobs)
    if ngx.var.arg_known then -- each job has been polled before the measurement
      cekura.all(list, { interval = 0.01, timeout = 2 })
    end
    ngx.timer.at(0, function()
      for part = 1, parts do
        waiting[part] = cekura.spawn(function()
          cekura.sleep((part - 1) / parts * interval)
          cekura.all({ unpack(list, #list / parts * (part - 1) + 1, #list / parts * part) },
            { interval = interval, timeout = timeout })
        end)
      end
    end)
  end
  ngx.say "{}"
end

-- A typical server: starts a job, and answers when it is done.
function worker.improve()
  local job = assert(the_client().calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "Be brief." })
  local result, err = job:wait { interval = 0.2 }
  ngx.status = result and 200 or err.kind == "closed" and 503 or 500
  ngx.say(result and result.improved_prompt or err.message)
end

function worker.stats()
  ngx.say(cjson.encode(the_client():stats()))
end

-- Replaces the client, so its counters begin at 0.
function worker.fresh()
  if client then
    client:close()
    client = nil
  end
  ngx.say "{}"
end

return worker
