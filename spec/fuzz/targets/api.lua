--- The public API, called at random: each byte selects the next call or an argument. Calls are right and wrong, objects
-- are exchanged and closed, callbacks and metamethods raise, a server (spec/fuzz/server.lua) answers at random. Each
-- call returns a value, returns nil and an error of a documented kind, raises what the program's own function raised,
-- or raises a message at the caller's line. There is never an error inside the library, and never the key.

local cekura = require "cekura"
local cjson = require "cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local methods_of_calls = require "cekura.api.calls"
local operations = require "cekura.api.operations"
local record = require "cekura.records.record"
local shared_memory = require("spec.support.watching").shared
local socket = require "socket"
local sorted_keys = require "spec.support.sorted_keys"

local KEY = "sk-5eCr3t-8f14e45f"
local KINDS = "config network tls timeout auth invalid not_found gone raised rate_limited server protocol job_failed "
  .. "job_cancelled needs_input unknown_outcome cancelled closed"

-- The limit of calls in a run, and the seconds that a call may wait.
local MOST_CALLS, PATIENCE = 40, 0.006

-- ---- the server ----

-- In the background, since closing a pipe waits for its program, and this one ends only with the lifeline.
local pipe = assert(io.popen((os.getenv "CEKURA_LUA" or "lua5.4") .. " spec/fuzz/server.lua &", "r"))
local port = assert(tonumber(pipe:read "*l"))
local url = "http://127.0.0.1:" .. port

-- ---- choices by the input ----

local input = { bytes = "", at = 0, lifeline = assert(socket.connect("127.0.0.1", port)) }

local function pick(limit)
  input.at = input.at + 1
  return (input.bytes:byte(input.at) or 0) % limit + 1
end

local function one_of(list)
  return list[pick(#list)]
end

-- ---- values ----

local objects -- the results of calls so far, and foreign objects

local BOOM = "boom: the program's own"

local function boom()
  error(BOOM, 0)
end

local NUMBERS = { 0, 1, 2, -1, 0.5, 0.001, 7, 101, 2 ^ 31, 2 ^ 53, 2 ^ 63, -2 ^ 63, 1e308, math.huge, -math.huge,
  0 / 0 }

local TEXTS = { "", "x", "all", "7", "id", "a/b", "GET", "POST", "/x/", "..", "\0", "\255", ("long"):rep(300),
  "calls.improve_prompt", "calls.evaluation", "2026-05-01T10:00:00Z", "00:07", "{}", '{"id":7}', "[1",
  "http://x.example/", "/dev/null", "Makefile", "%s%n", "v1", "own", "auto", "adaptive" }

local NAMES = { "id", "timeout", "interval", "on_progress", "agent_id", "agent", "assistant_id", "project_id",
  "call_logs", "prompt", "run_ids", "extra", "first", "fields", "filters", "page", "call_id", "query", "body",
  "headers", "api_key", "base_url", "retries", "max_in_flight", "loop", "on_event", "secret", "transcript_json",
  "voice_recording", "data", "redact_fields", "metric_ids", "metrics", "metric_id", "seconds", "poll", "start",
  "params", "one_of", "output", "limits", "per_hour", "agents", "calls", "since", "lookback",
  "filter", "improve", "on_evaluated", "on_failed" }

local value

-- Tables with unusual metatables or members.
local ODD_TABLES = {
  function() return setmetatable({}, { __index = boom }) end,
  function() return setmetatable({}, { __pairs = boom, __len = boom, __tostring = boom, __eq = boom }) end,
  function() return setmetatable({}, { __call = boom, __index = function(_, name) return name end }) end,
  function() return setmetatable({ 1, 2 }, { __len = function() return -1 end, __metatable = "locked" }) end,
  function() return setmetatable({}, core.array_mt) end,
  function()
    local loop = {}
    loop.loop, loop[1] = loop, loop
    return loop
  end,
}

local function random_table(depth)
  local made = {}
  for index = 1, pick(4) - 1 do
    made[pick(2) == 1 and index or one_of(NAMES)] = value(depth + 1)
  end
  return made
end

local MAKERS = {
  function() return nil end,
  function() return pick(2) == 1 end,
  function() return one_of(NUMBERS) end,
  function() return one_of(TEXTS) end,
  function() return one_of(NAMES) end,
  function() return one_of(objects) end,
  function() return one_of(objects) end,
  function() return one_of { boom, function() end, cjson.null, io.stdout } end,
  function() return one_of(ODD_TABLES)() end,
  random_table,
}

function value(depth)
  return MAKERS[depth > 3 and pick(5) or pick(#MAKERS)](depth)
end

local function values()
  local list = { count = pick(4) - 1 }
  for index = 1, list.count do
    list[index] = value(1)
  end
  return list
end

local unpack = table.unpack or unpack

-- ---- promises ----

local function shown(text)
  return ("%q"):format(tostring(text):sub(1, 300))
end

local function check_text(text, what)
  if text:find(KEY, 1, true) then
    error("broken: the key is in " .. what .. ": " .. shown(text), 0)
  end
end

local function check_error(err, what)
  local text = tostring(err)
  check_text(text, what)
  if text:find "%c" or not (" " .. KINDS .. " "):find(" " .. tostring(err.kind) .. " ", 1, true) then
    error("broken: an error of a kind that is documented, on one line, by " .. what .. ": " .. shown(text), 0)
  end
end

-- Asserts that a call may raise this: an error of the module, one of the program's own functions, or one that names an
-- argument.
local function check_raised(raised, what)
  if errors.is(raised) then
    return check_error(raised, what)
  end
  local text = type(raised) == "string" and raised or "no text: " .. type(raised)
  check_text(text, what)
  -- An error inside the library begins with its file. misuse() names a line of it only in the message of a call from C.
  local inside = text:find "^lua/cekura/" or text:find "^%.?/?lua/cekura/"
  local own = text:find "^spec/fuzz/targets/api.lua:%d+: attempt to" -- on a foreign object
  if text ~= BOOM and not own and (inside or not (text:find("cekura: ", 1, true) or text:find("bad argument", 1, true)
      or text:find("cekura%.%w+ expected") or text:find("read only", 1, true) or text:find(BOOM, 1, true))) then
    error("broken: raised by " .. what .. ": " .. shown(text), 0)
  end
end

local function keep(object)
  local kind = core.type(object)
  if kind or type(object) == "table" and (errors.is(object) or object.join or object.status or object.results) then
    objects[objects.first + pick(24)] = object
  end
end

local function check_results(what, fine, first, second, ...)
  if not fine then
    return check_raised(first, what)
  elseif first == nil and errors.is(second) then
    check_error(second, what)
  end
  for _, each in ipairs { first or false, second or false, ... } do
    if type(each) == "string" then
      check_text(each, what)
    end
    keep(each)
  end
end

-- ---- calls ----

-- An object of that type, or sometimes of any type.
local function object(kind)
  if pick(12) > 1 then
    for place = #objects, 1, -1 do
      if core.type(objects[place]) == kind then
        return objects[place]
      end
    end
  end
  return one_of(objects)
end

local function new_client()
  local on_event
  local turn = pick(6)
  if turn == 1 then
    on_event = function() if pick(8) == 1 then boom() end end
  elseif turn == 2 then
    on_event = function(event)
      check_text(tostring(event.path) .. tostring(event.message), "an event")
      if pick(20) == 1 then
        object "client":close()
      end
    end
  end
  return cekura.new { api_key = KEY, base_url = url, config_file = false,
    timeout = PATIENCE, connect_timeout = PATIENCE, retries = pick(3) - 1, max_in_flight = pick(4),
    max_response = pick(6) == 1 and 100 or nil, on_event = on_event,
    headers = { ["X-Seed"] = tostring(pick(256) * 256 + pick(256)) }, project_id = pick(2) == 1 and 310 or nil }
end

local function wait_options()
  return { timeout = PATIENCE * pick(3) / 3, interval = ({ 0.001, "adaptive" })[pick(3)],
    on_progress = pick(4) == 1 and boom or nil }
end

local function any_job()
  return object "client":job(one_of { "calls.improve_prompt", "calls.evaluation", "results.run", "scenarios.agent" }, 7)
end

-- ---- watches ----

local watches -- of this run
local broken_watch -- the finding of an on_error handler

local function on_error(err, where)
  local fine, broken = pcall(check_error, err, "on_error")
  if not fine or type(where) ~= "string" then
    broken_watch = broken or "broken: a problem has a path"
  end
end

-- A watch with these keys, and others that keep it local: a client of the server, no file. Watches take time, so a run
-- has at most two.
local function watch(given)
  if #watches == 2 then
    return watches[1]
  end
  given.client, given.on_error = object "client", on_error
  given.store = pick(2) == 1 and shared_memory(pick(2) == 1) or nil
  watches[#watches + 1] = cekura.watch(given)
  return watches[#watches]
end

local function handler()
  return one_of { boom, function() cekura.sleep(0.001) end, function() end, false } or nil
end

local function stop_watches()
  for _, each in ipairs(watches) do
    each:stop()
    each:wait()
    if each:status().state ~= "stopped" then
      error("broken: a watch that was stopped is over", 0)
    end
  end
end

-- Calls that are right if their objects are.
local RIGHT = {
  function() return new_client() end,
  any_job,
  function()
    return object "client".calls:improve_prompt { agent_id = 1, call_logs = one_of { { 1, 2 }, "all", { first = 3 } },
      prompt = "p", extra = pick(2) == 1 and { more = value(3) } or nil }
  end,
  function() return object "client":start(one_of(sorted_keys(kinds)), random_table(1)) end,
  function() return object "client".calls:get(7) end,
  function() return object "client".calls:list({ agent_id = 1 }, { timeout = PATIENCE }) end,
  function()
    local calls = object "client".calls:each { agent_id = 1 }
    for _ = 1, 4 do
      if not calls() then
        break
      end
    end
  end,
  function()
    return object "client".calls:send { call_id = "x", agent = 1, redact_fields = { "age" },
      voice_recording = one_of { { data = "x" }, "Makefile", "/nowhere", "http://x.example/" } }
  end,
  function() return object "client".calls:evaluate_metrics { call_logs = { 1 }, metrics = { 2 }, agent_id = 3 } end,
  function() return object "client":request(one_of { "GET", "POST", "HEAD" }, "/x/", { body = value(3) }) end,
  function() return object "job":wait(wait_options()) end,
  function() return object "job":wait(wait_options()) end,
  function() return object "job":poll() end,
  function()
    local updates = object "job":updates(wait_options())
    for _ = 1, 4 do
      if not updates() then
        break
      end
    end
  end,
  function() return object "job":cancel() end,
  function() return object "job":answer "yes" end,
  function() return object "client":resume(object "job":token()) end,
  function() return cekura.all({ any_job(), any_job() }, wait_options()) end,
  function()
    local each = cekura.each({ any_job(), any_job() }, wait_options())
    for _ = 1, 3 do
      each()
    end
  end,
  function() return object "call_log":evaluation() end,
  function() return cekura.call_log(one_of { '{"id":7,"status":"success"}', "{}", '{"evaluation":[{}]}' }) end,
  function()
    local call = object "call_log"
    for _, read in ipairs { call.turns, call.metrics } do
      for _ in read(call) do end -- luacheck: ignore
    end
    return call:totable()
  end,
  function() return object "client":webhook { secret = "x" }({ ["x-cekura-secret"] = "x" }, one_of(TEXTS)) end,
  function()
    watch { every = one_of { 0.002, 0.01 }, lease = one_of { 0.01, 1 }, limits = { jobs = pick(2) },
      agents = { { agent_id = 1, since = 0, improve = one_of { true, handler() or true }, prompt = one_of { "p", boom },
        filter = pick(4) == 1 and { "success", "eq", true } or nil, timeout = one_of { PATIENCE, 1 },
        on_evaluated = handler(), on_improved = handler(), on_failed = handler() } },
      calls = { { id = 7, improve = true, prompt = "p", on_evaluated = handler(), on_failed = handler() } } }
    return cekura.sleep(PATIENCE * pick(4) / 2) -- long enough for several scans and a start
  end,
  function() return watch(random_table(1)) end,
  function()
    local each = watches[pick(math.max(#watches, 1))]
    return each and each[one_of { "stop", "status", "wait" }](each)
  end,
  function() return cekura.spawn(one_of { boom, new_client, any_job }):join() end,
  function() return cekura.sleep(0.001) end,
  function() return object "client":close() end,
  function()
    local client = object "client"
    return client:step(), client:timeout(), client:stats(), client:pollfd(), client:events()
  end,
  function() collectgarbage() end,
}

-- Functions with their names in a finding.
local function functions_of()
  local list = {}
  for kind, methods in pairs { client = core.client_methods, job = core.job_methods,
    call_log = record.class "call_log" } do
    for name, method in pairs(methods) do
      if type(method) == "function" then -- a class also has its name
        list[#list + 1] = { kind .. ":" .. name, method, kind }
      end
    end
  end
  local client = cekura.assert(new_client())
  local of_calls = {}
  for name in pairs(methods_of_calls) do
    of_calls[name] = true
  end
  for kind in pairs(kinds) do
    if kind:find "^calls%." then
      of_calls[kind:match "%.(.*)$"] = true
    end
  end
  for _, name in ipairs(sorted_keys(of_calls)) do
    list[#list + 1] = { "calls:" .. name, function(self, ...)
      return self.calls[name](self.calls, ...)
    end, "client" }
  end
  for _, operation in ipairs(operations) do
    if operation.resource ~= "calls" then
      list[#list + 1] = { operation.resource .. ":" .. operation.name, function(self, ...)
        return self[operation.resource][operation.name](self[operation.resource], ...)
      end, "client" }
    end
  end
  for _, name in ipairs { "new", "call_log", "record", "list", "kinds", "operations", "all", "each", "spawn", "sleep",
    "kind" } do
    list[#list + 1] = { "cekura." .. name, cekura[name] }
  end
  for kind, made in pairs { client = client, job = client:job("results.run", 7), call_log = cekura.call_log "{}" } do
    local names = {}
    for name, metamethod in pairs(debug.getmetatable(made)) do
      names[type(metamethod) == "function" and name ~= "__gc" and name or nil or "__index"] = true
    end
    for _, name in ipairs(sorted_keys(names)) do
      list[#list + 1] = { kind .. "." .. name, debug.getmetatable(made)[name], kind }
    end
  end
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  client:close()
  return list
end

local ANY = functions_of()

-- A call with any arguments. It may wait forever, so its task is cancelled. Arguments that would send requests
-- elsewhere are replaced.
local function call_any()
  local chosen, given = one_of(ANY), values()
  local name, fn, kind = chosen[1], chosen[2], chosen[3]
  if kind then
    table.insert(given, 1, object(kind))
    given.count = given.count + 1
  end
  if name == "cekura.new" and type(given[1]) == "table" and getmetatable(given[1]) == nil then
    given[1].base_url, given[1].config_file, given[1].api_key = url, false, KEY
  elseif name == "cekura.kind" then
    given[1] = one_of { "fuzz.a", "fuzz.b", 5, "calls.get" }
  end
  return name, fn, given
end

-- On PUC Lua 5.1 a task cannot wait inside pcall().
local attempt = require "cekura.loop.yieldable" and pcall or function(fn, ...)
  return true, fn(...)
end

local function do_one()
  if pick(3) > 1 then
    local place = pick(#RIGHT)
    return check_results("right call " .. place, attempt(RIGHT[place]))
  end
  local name, fn, given = call_any()
  check_results(name, attempt(fn, unpack(given, 1, given.count)))
end

-- ---- a run ----

-- The finding in what a task has raised, or nil.
local function verdict(raised)
  if type(raised) == "string" and raised:find "^broken: " then
    return raised
  end
  local fine, broken = raised == nil, nil
  if not fine then
    fine, broken = pcall(check_raised, raised, "a task")
  end
  return not fine and broken or nil
end

local function run()
  local broken
  local tasks = {}
  for _ = 1, MOST_CALLS do
    if input.at >= #input.bytes then
      break
    end
    local task = cekura.spawn(do_one)
    tasks[#tasks + 1] = task
    local patience = cekura.spawn(function()
      cekura.sleep(PATIENCE * 2)
      task:cancel()
    end)
    if pick(4) > 1 then
      broken = broken or verdict(select(2, task:join()))
      patience:cancel()
    end
    patience:join()
  end
  for _, task in ipairs(tasks) do
    task:cancel()
    broken = broken or verdict(select(2, task:join()))
  end
  stop_watches()
  return broken or broken_watch
end

return function(bytes)
  input.bytes, input.at = bytes, 0
  watches, broken_watch = {}, nil
  objects = { io.stdout, cjson.null, coroutine.create(function() end), boom, newproxy and newproxy(true) or io.stderr }
  objects.first = #objects
  for place = 1, 24 do
    objects[objects.first + place] = false
  end
  objects[objects.first + 1] = cekura.assert(new_client())
  objects[objects.first + 2] = cekura.call_log '{"id":7,"call_id":"s-7","status":"evaluating"}'
  local fine, broken = pcall(cekura.run, run)
  if not fine then -- on 5.1, the error of a task that was not joined
    broken = verdict(broken)
  end
  for place = objects.first + 1, #objects do
    if core.type(objects[place]) == "client" then
      objects[place]:close()
    end
  end
  if broken then
    error(broken, 0)
  end
end
