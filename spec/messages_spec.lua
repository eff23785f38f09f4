-- What holds for all messages: a forgotten colon, strange arguments, much of them; and how objects print.

local cekura = require "cekura"
local cjson = require "cjson"
local core = require "cekura.core"
local errors = require "cekura.errors"
local report = require "cekura.watch.report"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local resources = require "cekura.client.resources"
local sorted_keys = require "spec.support.sorted_keys"

local HERE = debug.getinfo(1, "S").short_src
local NOWHERE = "http://127.0.0.1:1"

local RECORD = [[{"id": 1, "status": "success", "transcript_object": [{"role": "Main Agent", "content": "Hello.",
  "start_time": 7}, {"content": "Yes?"}], "evaluation": {"metrics": [{"id": 5, "name": "Tone", "type": "binary",
  "score": 5}, {"id": 6, "name": "Kind", "type": "enum", "enum": "calm"}, {}]}}]]

local client, call, job, response

setup(function()
  client = cekura.assert(cekura.new { api_key = "sk-1", base_url = NOWHERE, config_file = false, retries = 0,
    timeout = 0.5 })
  call, job = cekura.assert(cekura.call_log(RECORD)), cekura.assert(client:job("calls.improve_prompt", 5))
  response = request.read(client, "GET", "/x/", { status = 200, _head = "", body = "{}",
    tries = 1, sent = true })
end)

teardown(function()
  cekura.sleep(0) -- the tasks have their turn
  client:close()
end)

-- The names of a class's methods; it also has its own name.
local function names_of(class)
  local names = {}
  for name in pairs(class) do
    names[#names + 1] = type(name) == "string" and name or nil
  end
  table.sort(names)
  return names
end

-- The methods of all public objects: name of the object to { object, names }.
local function all_methods()
  local all = {
    client = { client, sorted_keys(core.client_methods) }, job = { job, sorted_keys(core.job_methods) },
    call = { call, names_of(record.class "call_log") },
    task = { cekura.spawn(function() end), { "cancel", "join" } },
    watch = { cekura.watch { client = client, agents = {}, on_error = type }, { "status", "stop", "wait" } },
    response = { response, { "json" } }, iterator = { client.calls:each(), { "next" } },
  }
  for resource in pairs(resources.names()) do
    all["client." .. resource] = { client[resource], sorted_keys(resources.methods(resource)) }
  end
  return all
end

local STRANGE = { number = 5, text = "x", yes = true, fn = print, table = {}, file = io.stdout,
  thread = coroutine.create(function() end), null = cekura.null }

describe("a method that is called with a dot", function()
  it("raises at that line, and says what to write, whatever it is called with", function()
    local count = 0
    for what, row in pairs(all_methods()) do
      for _, name in ipairs(row[2]) do
        local method = row[1][name]
        for _, given in pairs(method and STRANGE or {}) do -- nil: it is private
          local ok, message = pcall(function() local _ = method(given) end)
          local line = debug.getinfo(1, "l").currentline - 1
          assert.is_false(ok, what .. "." .. name .. " " .. type(given))
          assert.equal(("%s:%d: cekura: "):format(HERE, line), message:match "^.-: cekura: ", message)
          assert.truthy(message:find("call it with a colon: [%w_.]+:" .. name .. "%(…%)$"), message)
        end
        assert.is_false((pcall(method)), what .. "." .. name)
        count = count + (method and 1 or 0)
      end
    end
    assert.is_true(count > 60)
  end)

  it("refuses an object of another type, and another client's resource", function()
    local other = cekura.assert(cekura.new { api_key = "sk-1", base_url = NOWHERE, config_file = false })
    for _, case in ipairs { { job.wait, call }, { call.get, job }, { client.stats, job }, { client.calls.get, client },
      { client.calls.get, other.calls }, { client.calls.get, client.runs } } do
      local ok, message = pcall(case[1], case[2], 5)
      assert.is_false(ok)
      assert.truthy(message:find("call it with a colon", 1, true), message)
    end
    other:close()
  end)

  it("works if its first argument is the object", function()
    assert.equal("success", call.get(call, "status"))
    assert.equal(0, client.stats(client).in_flight)
    assert.equal("cekura2.", job.token(job):sub(1, 8))
  end)
end)

describe("a function of the module that is called with a colon", function()
  it("raises at that line, and says what to write", function()
    for name, fn in pairs(cekura) do
      if type(fn) == "function" then
        local ok, message = pcall(function() local _ = fn(cekura, {}) end)
        local line = debug.getinfo(1, "l").currentline - 1
        assert.is_false(ok, name)
        assert.equal(("%s:%d: cekura: cekura:%s: call it with a dot: cekura.%s(…)"):format(HERE, line, name, name),
          message)
      end
    end
  end)
end)

describe("a name that is not there", function()
  it("raises if it is nearly another, and else is nil", function()
    local watch = cekura.watch { client = client, agents = {}, on_error = type }
    for _, case in ipairs { { client, "call", "calls" }, { client, "clsoe", "close" }, { job, "wiat", "wait" },
      { client, "requests", "request" }, { job, "stauts", "status" }, { job, "results", "result" },
      { cekura, "alll", "all" }, { watch, "stopp", "stop" }, { client.calls, "lsit", "list" },
      { client.calls, "fetch", "each" } } do
      local ok, message = pcall(function() local _ = case[1][case[2]] end)
      assert.is_false(ok, case[2])
      assert.truthy(message:find(("%s %%(did you mean %s%%?%%)$"):format(case[2], case[3])), message)
      assert.truthy(message:find(HERE, 1, true), message)
    end
    for _, object in ipairs { client, job, cekura, watch } do
      for _, name in ipairs { "nothing", "widgets", "_client", "__index", "x", "", 5, true } do
        assert.is_nil(object[name])
      end
    end
    assert.is_nil(client.calls._client)
    assert.is_nil(client.calls[1])
    assert.is_nil(call.stauts) -- a record has any fields
    watch:stop()
  end)

  it("in a job is nil as long as the job has nothing for it", function()
    for _, name in ipairs { "status", "progress", "result", "error" } do
      assert.is_nil(job[name])
    end
  end)
end)

-- ---- strange arguments ----

local LONG = ("x"):rep(1e5)

local ODD = { LONG, "/" .. LONG, -1, 0 / 0, 1 / 0, 1.5, 2 ^ 60, true, {}, { LONG }, { [LONG] = LONG }, { [{}] = {} },
  { {}, print }, { [print] = 1 }, { timeout = LONG }, { timeout = {} }, print, io.stdout, "\255\254", "a\nb", "",
  setmetatable({}, { __tostring = function() return LONG end }), cekura.null }

describe("no message", function()
  -- At most 200 bytes of each of the few values that one is about, beside its own words.
  local LONGEST = 900

  local function check_message(what, value, longest)
    local text = tostring(value)
    assert.is_true(#text <= (longest or LONGEST), what .. ": " .. #text)
    assert.is_nil(text:find "0x%x%x", what .. ": " .. text)
    assert.is_nil(text:find "[%z\1-\31\127]", what .. ": " .. text)
    assert.is_nil(text:find "lua/cekura/", what .. ": " .. text)
  end

  -- Calls a function with one, two and three odd arguments.
  local function try(what, fn, ...)
    for place, odd in ipairs(ODD) do
      local arguments = { ... }
      for count = 1, 3 do
        arguments[select("#", ...) + count] = count == 2 and 5 or odd
        local ok, value, err = pcall(fn, (table.unpack or unpack)(arguments)) -- luacheck: ignore 113 143
        if not ok then
          check_message(("%s %d %d"):format(what, place, count), value)
        elseif value == nil and err ~= nil then
          check_message(("%s %d %d"):format(what, place, count), err)
        end
      end
    end
  end

  it("of the module's functions has an address, several lines, a line of the module, or much of what was given",
    function()
      for name, fn in pairs(cekura) do
        if type(fn) == "function" and not ("run spawn sleep step assert watch"):find(name, 1, true) then
          try(name, fn)
        end
      end
    end)

  it("of the objects' methods has one either", function()
    for what, row in pairs(all_methods()) do
      for _, name in ipairs(row[2]) do
        if row[1][name] and not ("close wait join step pollfd"):find(name, 1, true) then
          try(what .. ":" .. name, row[1][name], row[1])
        end
      end
    end
  end)

  it("of a watch's declaration has one either", function()
    local function declare(given)
      local problems = {} -- what a handler raises is only logged
      given.on_error = function(err)
        problems[#problems + 1] = err
      end
      given.client = given.client or client
      local watch = cekura.watch(given)
      watch:stop()
      for _, err in ipairs(problems) do
        check_message("watch", err)
      end
    end
    for _, odd in ipairs(ODD) do
      declare { agents = odd, every = odd, limits = { jobs = odd } }
      declare { agents = { { agent_id = odd, filter = odd, prompt = odd }, odd }, store = odd }
      declare { agents = {}, client = odd }
      if type(odd) ~= "number" or odd == odd then
        declare { agents = {}, [odd] = odd }
      end
    end
  end)

  it("is longer than 1000 bytes, however it was made", function()
    check_message("error", errors.new("config", ("é"):rep(1e5)), 1100)
    check_message("misuse", select(2, pcall(errors.misuse, ("é"):rep(1e5))), 1100)
    check_message("misuse", select(2, pcall(errors.misuse, "%s: %q %s", LONG, LONG, {})))
  end)
end)

-- ---- concatenation ----

describe("an error", function()
  local err = errors.new("config", "no key")

  it("can be concatenated with texts, numbers and errors", function()
    assert.equal("failed: cekura: config: no key", "failed: " .. err)
    assert.equal("cekura: config: no key (5)", err .. " (" .. 5 .. ")")
    assert.equal("5cekura: config: no key", 5 .. err)
    assert.equal("cekura: config: no keycekura: config: no key", err .. err)
  end)

  it("cannot with anything else, as a text cannot", function()
    for _, other in pairs { {}, true, print, job } do
      local ok, message = pcall(function() return err .. other end)
      assert.is_false(ok)
      assert.truthy(message:find("attempt to concatenate a " .. type(other) .. " value", 1, true), message)
      assert.is_false((pcall(function() return other .. err end)))
    end
  end)

  it("about a missing key has a line for each way to give one, and is one line as text", function()
    local getenv = os.getenv
    os.getenv = function() return nil end -- luacheck: ignore 122
    local _, missing = cekura.new { config_file = false }
    os.getenv = getenv -- luacheck: ignore 122
    local lines = {}
    for line in (missing.message .. "\n"):gmatch "([^\n]*)\n" do
      lines[#lines + 1] = line
    end
    assert.equal(5, #lines)
    for place, part in ipairs { "no API key", "cekura.new { api_key", "CEKURA_API_KEY", "config.toml", "auth login" } do
      assert.truthy(lines[place]:find(part, 1, true), lines[place])
    end
    assert.is_nil(tostring(missing):find("\n", 1, true))
    local logged = {}
    local problems = report.new(function(line)
      logged[#logged + 1] = line
    end, "conf.lua:1")
    problems:problem(missing, "client")
    assert.is_nil(logged[1]:find("\n", 1, true))
  end)
end)

-- ---- as text ----

describe("a table of the module", function()
  it("says what it is, and is a plain table otherwise", function()
    local unused = cekura.assert(cekura.new { api_key = "sk-1", base_url = NOWHERE, config_file = false })
    local cancelled = cekura.assert(client:job("calls.improve_prompt", 5))
    cancelled:cancel()
    local outcome = cekura.all({ cancelled })[1]
    for expected, value in pairs {
      ["cekura.turn (Main Agent at 7 s)"] = call:turns()(),
      ["cekura.metric (Tone: passed)"] = call:metrics()(),
      ["cekura.stats (0 requests, 0 in flight, 0 jobs)"] = unused:stats(),
      ["cekura.outcome (cekura.job (calls.improve_prompt 5: cancelled): cekura: cancelled: "
        .. "calls.improve_prompt 5: cancelled here; the service goes on)"] = outcome,
    } do
      assert.equal(expected, tostring(value))
      assert.same({ "__name", "__tostring" }, sorted_keys(getmetatable(value)))
      local copy = {}
      for name, member in pairs(value) do
        copy[name] = member
      end
      assert.same(copy, value)
      assert.equal(#sorted_keys(copy), #sorted_keys(value))
    end
    unused:close()
  end)

  it("is encoded as it was", function()
    local metric = call:metrics()()
    metric.extra = nil
    local sent = require "cekura.http.encode"(metric, "metric")
    assert.same(metric, cjson.decode(sent))
    assert.same(metric, cjson.decode(cjson.encode(metric)))
  end)

  it("prints without what it is made of, whatever it has become", function()
    local turn = call:turns()()
    turn.role, turn.start_time = {}, {}
    assert.is_nil(tostring(turn):find("0x", 1, true))
    local stats = client:stats()
    stats.requests = nil
    assert.equal("cekura.stats", tostring(stats))
  end)
end)
