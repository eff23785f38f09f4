--- The public names of the running module: what its objects have, when much has happened to them. They are found in the
-- objects themselves, whatever the annotations say.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local fleet = require "cekura.fleet"
local hosted = require "cekura.loop.hosted"
local kinds = require "cekura.api.kinds"
local names = require "tools.meta.names"
local record = require "cekura.records.record"
local shell = require "spec.support.shell"
local testing = require "cekura.testing"
local threads = require "cekura.loop.threads"
local upvalue = require "tools.meta.upvalue"

local public_names = {}

-- What was seen: by class, by name, a list of values.
local Seen = {}
Seen.__index = Seen

function Seen:name(class, name, value)
  if type(name) == "string" and not name:find "^_" then
    self[class] = self[class] or {}
    local values = self[class][name] or {}
    self[class][name] = values
    values[#values + 1] = value
  end
end

function Seen:table(class, object)
  for name, value in pairs(object) do
    self:name(class, name, value)
  end
end

-- A table with a metatable, whose methods are in a table, or in one that a function finds them in.
function Seen:object(class, object)
  local index = getmetatable(object).__index
  self:table(class, object)
  self:table(class, type(index) == "function" and upvalue(index, "methods") or index or {})
end

-- A record: the methods of its class, and its fields.
function Seen:record(class, object)
  self:table(class, record.class(core.type(object)))
  self:table(class, object:fields())
end

function Seen:job(job)
  self:object("cekura.Job", core.fields(job))
  for _, name in ipairs { "polls", "elapsed" } do
    assert(job[name], name) -- which C has
    self:name("cekura.Job", name, job[name])
  end
end

function Seen:error(err)
  self:object("cekura.Error", err)
  if err.cause then
    self:error(err.cause)
  end
end

-- ---- what happens ----

local steps = {}

local QUICK = 0.01

local IMPROVE = { agent_id = 2142, call_logs = { 5181749 }, prompt = "Be nice." }

-- A client whose jobs live as `life` says, and whose events are seen.
local function living(seen, server, life, options)
  options = options or {}
  options.headers = { ["X-Simulate"] = life }
  options.on_event = function(event)
    seen:table("cekura.ClientEvent", event)
  end
  return server:renew_client(options)
end

function steps.module(seen)
  seen:table("cekura", cekura)
  seen:table("cekura.fleet", fleet)
  seen:table("cekura.Fleet", upvalue(fleet.new, "Fleet").__index)
  seen:table("cekura.loop.hosted", hosted)
  seen:table("cekura.loop.threads", threads)
  local function nothing() end
  seen:object("cekura.Loop", threads.new("a host", { log = nothing }))
  seen:object("cekura.Loop", require "cekura.loop"())
end

function steps.redis(seen)
  local redis = require "cekura.fleet.redis"
  seen:table("cekura.Connections", redis)
  seen:table("cekura.Redis", upvalue(redis.new, "METATABLE").__index) -- a connection needs a library
end

function steps.testing(seen)
  seen:table("cekura.testing", testing)
  local service = assert(testing.start())
  seen:table("cekura.testing.Service", upvalue(upvalue(testing.start, "Service").__index, "methods"))
  for _, name in ipairs { "url", "key", "speed" } do
    seen:name("cekura.testing.Service", name, service[name])
  end
  local client = assert(service:client { retries = 0 })
  service:script("/x/", function() error "for its text" end)
  client:request("POST", "/x/", { body = {} })
  seen:table("cekura.testing.Request", service:requests()[1])
  client:close()
  service:stop()
  file.temporary('{"cekura_recording":1}\n', function(path)
    local replay = assert(testing.replay(path))
    client = assert(replay:client())
    client:request("GET", "/x/")
    seen:table("cekura.testing.Request", replay:unrecorded()[1])
    client:close()
    replay:stop()
  end)
end

function steps.client(seen, server)
  local client = living(seen, server, "polls=1")
  seen:table("cekura.Client", core.client_methods)
  seen:table("cekura.Client", core.fields(client))
  seen:table("cekura.Stats", client:stats())
  local reply = cekura.assert(client:request("GET", "/echo/"))
  assert(reply.headers)
  seen:object("cekura.Response", reply)
end

-- The methods of resources have no list: they are found by name.
function steps.resources(seen, server)
  local client = living(seen, server, "polls=1")
  local methods = upvalue(require "cekura.client.resources".add, "METHODS")
  for kind, declaration in pairs(kinds) do
    local resource, name = kind:match "^(.-)%.(.*)$"
    if declaration.start or declaration.direct then
      seen:name(names.class_of_resource(resource), name, client[resource][name])
    end
  end
  for resource, functions in pairs(methods) do
    for name in pairs(functions) do
      seen:name(names.class_of_resource(resource), name, client[resource][name])
    end
  end
end

function steps.jobs(seen, server)
  seen:table("cekura.Job", core.job_methods)
  for _, life in ipairs { "completed", "no_issues", "failed", "cancelled", "needs_input", "call_log", "endless" } do
    local client = living(seen, server, "polls=1; life=" .. life)
    local job = cekura.assert(client.calls:improve_prompt(IMPROVE))
    seen:job(job)
    local result, err = job:wait { interval = QUICK, timeout = life == "endless" and 0.1 or 60 }
    seen:job(job)
    seen:table("cekura.Calls.ImprovePromptResult", result or {})
    seen:table("cekura.JobOutcome", cekura.all({ job }, { interval = QUICK, timeout = 0.1 })[1])
    if err then
      seen:error(err)
    end
  end
  local client = living(seen, server, "polls=1")
  local job = cekura.assert(client:start("scenarios.generate", { agent_id = 1, num_scenarios = 1 }))
  cekura.assert(job:wait { interval = QUICK, timeout = 60 })
  seen:job(job)
end

function steps.errors(seen, server)
  local client = living(seen, server, "polls=1", { retries = 1 })
  local path = "/observability/v2/call-logs/5181749/"
  server:script(path, { { status = 400, body = { name = { "Too long." } } }, { status = 503 }, { pass = true },
    { status = 429, headers = { ["Retry-After"] = "600" } } })
  seen:error(select(2, client.calls:get(5181749)))
  cekura.assert(client.calls:get(5181749))
  seen:error(select(2, client.calls:get(5181749)))
  server:script("/observability/v1/call-logs/improve_prompt_bg/", { { cut = 1, body = "{}" } })
  seen:error(select(2, client.calls:improve_prompt(IMPROVE)))
  seen:error(select(2, client.agents:upload_knowledge_base(1, { files = { "/nowhere" } })))
end

function steps.watch(seen, server)
  local raised = false
  local function on_error(err)
    raised = raised or err.kind == "raised"
    seen:error(err)
  end
  local watch = cekura.watch { client = living(seen, server, "polls=1"), every = QUICK, on_error = on_error,
    agents = { { agent_id = 2142, since = 1, on_evaluated = function() error "x" end } } }
  seen:object("cekura.Watch", watch)
  repeat
    cekura.sleep(QUICK)
  until raised
  seen:table("cekura.watch.Status", watch:status())
  seen:table("cekura.watch.EntryStatus", select(2, next(watch:status().entries)))
  server:script("/observability/v2/call-logs/", { { status = 401 } })
  repeat
    cekura.sleep(QUICK)
  until select(2, next(watch:status().entries)).trouble
  seen:table("cekura.watch.EntryStatus", select(2, next(watch:status().entries)))
  watch:stop()
  watch:wait()
  server:reset()
end

function steps.warning(seen, server)
  file.temporary('api_key = "k"\n', function(path)
    shell("chmod 644 " .. path)
    cekura.assert(cekura.new { config_file = path, base_url = server.url, on_event = function(event)
      seen:table("cekura.ClientEvent", event)
    end }):close()
  end)
end

function steps.call_logs(seen, server)
  local client = living(seen, server, "polls=1")
  for _, id in ipairs { 5181749, 5181752 } do
    local call = cekura.assert(client.calls:get(id))
    seen:record("cekura.CallLog", call)
    for turn in call:turns() do
      seen:table("cekura.Turn", turn)
    end
    for metric in call:metrics() do
      seen:table("cekura.Metric", metric)
    end
  end
  local query = { agent_id = 2142, include_count = true, page_size = 1 }
  seen:table("cekura.Calls.Page", cekura.assert(client.calls:list(query)))
  query.page = 2
  for _, class in ipairs { "cekura.Page", "cekura.Calls.Page" } do
    seen:table(class, cekura.assert(client.calls:list(query)))
  end
  local iterator = client.calls:each { agent_id = 2142 }
  cekura.assert(iterator:next())
  seen:object("cekura.Each", iterator)
  server:script("/observability/v2/call-logs/", { { status = 401 } })
  iterator = client.calls:each { agent_id = 2142 }
  iterator:next()
  seen:object("cekura.Each", iterator)
  server:reset()
end

function steps.diff(seen)
  for _, piece in ipairs(cekura.diff("Be brief.", "Be kind.")) do
    seen:table("cekura.DiffPiece", piece)
  end
end

function steps.records(seen, server)
  local client = living(seen, server, "polls=1")
  seen:record("cekura.Record", cekura.assert(client.agents:get(2142)))
  server:script("/test_framework/v2/results/7/", { { body = '{"id":7,"runs":[{"id":8,"status":"completed"}]}' } })
  local result = cekura.assert(client.results:get(7))
  seen:record("cekura.Result", result)
  for run in result:runs() do
    for _, class in ipairs { "cekura.Run", "cekura.Call" } do
      seen:record(class, run)
    end
  end
  for class, list in pairs { ["cekura.KindEntry"] = cekura.kinds(), ["cekura.OperationEntry"] = cekura.operations() } do
    for _, entry in ipairs(list) do
      seen:table(class, entry)
      seen:table("cekura.Parameter", entry.params[1] or {})
    end
  end
end

function steps.improvement(seen, server)
  for _, life in ipairs { "completed", "no_issues" } do
    local client = living(seen, server, "polls=1; life=" .. life)
    seen:table("cekura.Improvement", cekura.assert(client.calls:self_improve { agent_id = 2142, call_id = "sess-1",
      prompt = "Be nice.", interval = QUICK }))
  end
end

function steps.webhook(seen, server)
  local read = living(seen, server, "polls=1"):webhook { secret = "s" }
  local headers = { ["X-CEKURA-SECRET"] = "s", ["X-CEKURA-IDEMPOTENCY-KEY"] = "k" }
  for _, kind in ipairs { "call_log.completed", "result.completed" } do
    seen:table("cekura.Event", cekura.assert(read(headers, ('{"event_type":"%s","data":{"id":1}}'):format(kind))))
  end
end

function steps.outbox(seen, server)
  local dir = shell "mktemp -d":match "%S+"
  local box = cekura.assert(cekura.outbox { path = dir, client = living(seen, server, "polls=1") })
  seen:object("cekura.Outbox", box)
  cekura.assert(box:put { call_id = "c", agent = 1 })
  seen:table("cekura.OutboxStatus", cekura.assert(box:status()))
  box:close()
  shell("rm -rf " .. dir)
end

function steps.tasks(seen)
  local task = cekura.spawn(function() end)
  getmetatable(task).__index.join(task)
  for name, value in pairs(getmetatable(task).__index) do
    if type(value) == "function" then -- the others are first values of private fields
      seen:name("cekura.Task", name, value)
    end
  end
end

--- Has much happen, and returns what was seen.
---@param server table a simulator
---@return table<string, table<string, any[]>> seen values by class and by name
function public_names.walk(server)
  local seen = setmetatable({}, Seen)
  for _, step in pairs(steps) do
    server:reset()
    step(seen, server)
  end
  return seen
end

return public_names
