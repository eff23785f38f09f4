--- What the functions and metamethods of the core do with wrong objects: a file of io, a light userdata, an object of
-- another type or of a second copy of the core, one with a borrowed metatable, one that is closed. Each program runs in
-- a separate process, because such objects used to crash it.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- `objects` has one object of each type by its name. `strangers` has values that may not be taken for them.
-- `refuses(wanted, fn, …)` is true if `fn` raises an error that names the type.
local PRELUDE = [[
  local cekura, core = require "cekura", require "cekura.core"
  local function new_client(own)
    return assert((own or core).new_client { headers = {}, secrets = {}, max_in_flight = 2, max_direct = 1,
      max_response = 1000, retries = 0, connect_timeout = 1, user_agent = "x", loopback = true })
  end
  local function new_objects(own)
    local client, path = new_client(own), os.tmpname()
    local locked = own.lock_file(path)
    os.remove(path)
    os.remove(path .. ".lock") -- closing the file does not remove it
    local spool = assert(own.open_spool(path, 4096))
    os.execute("rm -r " .. path)
    return { client = client,
      job = own.new_job(client, 0,
        { method = "GET", url = "http://127.0.0.1:1/", url_rest = "/", timeout = 1, interval = 1 }, "1"),
      record = own.new_record('{"id":1,"text":"two"}', nil, own.record_class "record"),
      guard = own.guard(function() end), secret = own.secret "5eCr3t", bridge = own.bridge(client),
      file = own.open_file "Makefile", locked_file = locked, file_work = own.read_locked_file(locked),
      spool = spool }
  end
  local objects = new_objects(core)
  local function borrowed(value, object)
    return debug.setmetatable(value, debug.getmetatable(object))
  end
  local function refuses(wanted, fn, ...)
    local fine, message = pcall(fn, ...)
    return not fine and message:find("cekura." .. wanted .. " expected", 1, true) ~= nil
  end
  local failures = 0
  local function holds(truth, ...)
    if not truth then
      failures = failures + 1
      print(...)
    end
  end
  local strangers = { stdout = io.stdout, null = require("cekura").null, table = {}, text = "x", number = 5, fn = print,
    thread = coroutine.create(function() end), yes = true, userdata = newproxy and newproxy(true) }
  for name, object in pairs(objects) do
    strangers[name] = object
  end
]]

local function check(code)
  local output, status = file.temporary(PRELUDE .. code .. "\nprint(failures .. ' failures')", function(path)
    return shell(("timeout 60 %s %s 2>&1"):format(lua, path))
  end)
  assert.equal("0 failures\n", output)
  assert.equal(0, status)
end

-- The functions of the core by the type of their first argument.
local TAKES = [[
  local takes = {
    client = { "close", "is_closed", "is_busy", "due", "alarm", "step", "wait_for_polls", "next_completion",
      "next_event", "stats", "durations", "learn", "holds", "hold", "held", "redact", "has_secret", "redact_path",
      "submit", "outcome", "cancel", "release", "relist", "new_job", "bridge", "fields", "set_speed", "quickened" },
    job = { "update", "last_error", "force_update", "expedite", "forget_error", "postpone",
      "count_poll", "answer", "set_answer", "set_poll_url", "next_poll", "ended", "learn_end", "disregard",
      "update_member", "decode_update", "started", "started_here_at" },
    record = { "get", "slice", "record_fields", "owner" },
    guard = { "spend" },
    file = { "read_file", "file_size", "close_file" },
    locked_file = { "read_locked_file", "replace_locked_file", "is_file_held", "release_file", "set_file_aside" },
    file_work = { "is_file_work_done", "file_result" },
    spool = { "copy_spool", "append_to_spool", "rewind_spool", "next_of_spool", "read_of_spool", "mark_in_spool",
      "tidy_spool", "count_spool", "close_spool" },
    bridge = { "bridge_path", "bridge_accept", "bridge_arm", "bridge_close" },
  }
]]

describe("the core's functions refuse", function()
  it("an object of another type as their first argument", function()
    check(TAKES .. [[
      for wanted, names in pairs(takes) do
        for _, name in ipairs(names) do
          for what, stranger in pairs(strangers) do
            if what ~= wanted and not (name == "fields" and what == "job") then
              holds(refuses(wanted, core[name], stranger, "GET", "x", nil, nil, 1, 1, 1, 1), name, what)
            end
          end
          holds(refuses(wanted, core[name]), name, "nothing")
        end
      end
    ]])
  end)

  it("the same for every function: TAKES is complete", function()
    check(TAKES .. [[
      local known = {}
      for _, names in pairs(takes) do
        for _, name in ipairs(names) do known[name] = true end
      end
      -- Functions that take no object or any value, a client and a job, or a list of clients.
      for _, name in ipairs { "new_client", "new_record", "new_records", "record_class", "decode", "guard", "type",
        "is_client", "is_job", "now", "date", "random_hex", "pid", "serial", "notice", "count",
        "parse_url", "parse_proxy", "is_utf8", "encode_path", "secret", "equal_secrets", "read_private",
        "has_extra_space", "uninterrupted", "watch", "unwatch", "accept_update", "reject_update",
        "settle_anchor", "wait", "step_all", "open_file", "new_encoder", "atomic", "try",
        "lock_file", "open_spool", "absolute_path", "terminal", "fit", "open_streams", "catch_signals",
        "caught_signal" } do
        known[name] = true
      end
      for name, value in pairs(core) do
        holds(type(value) ~= "function" or known[name], name)
      end
    ]])
  end)

  it("another object in place of the client or of the job, if they take both", function()
    check [[
      for _, name in ipairs { "watch", "unwatch", "accept_update", "reject_update", "settle_anchor" } do
        for what, stranger in pairs(strangers) do
          holds(what == "client" or refuses("client", core[name], stranger, objects.job), name, what)
          holds(what == "job" or refuses("job", core[name], objects.client, stranger), name, what)
        end
      end
    ]]
  end)

  it("a job of another client", function()
    check [[
      local another = new_client()
      for _, name in ipairs { "watch", "unwatch", "accept_update", "reject_update", "settle_anchor" } do
        local fine, message = pcall(core[name], another, objects.job)
        holds(not fine and message:find("another client", 1, true), name, message)
      end
    ]]
  end)

  it("a request that is not in flight, or is another client's", function()
    check [[
      local another = new_client()
      local request = { method = "GET", url = "http://127.0.0.1:1/", timeout = 1 }
      for _, wrong in ipairs { {}, { 1 }, { -1 }, { 1e9 }, { "x" }, request, { request[1] } } do
        for _, name in ipairs { "outcome", "cancel", "release", "relist" } do
          holds(not core[name](objects.client, wrong), name)
        end
      end
      holds(core.submit(another, request) == request, "submit")
      for _, name in ipairs { "outcome", "cancel", "release", "relist" } do
        holds(not core[name](objects.client, request), name, "another client's")
        holds(not core[name](another, { request[1] }), name, "another table")
        for what, stranger in pairs(strangers) do
          local takes = what == "table" or name == "relist"
          holds(takes or not pcall(core[name], another, stranger), name, what)
        end
      end
      holds(core.cancel(another, request), "cancel")
      holds(core.outcome(another, request).kind == "cancelled", "outcome")
      core.release(another, request)
      holds(core.outcome(another, request) == nil, "released")
    ]]
  end)

  it("another object in a list of clients, or in a list of secrets", function()
    check [[
      for what, stranger in pairs(strangers) do
        holds(what == "client" or refuses("client", core.wait, { stranger }, 0), "wait", what)
        holds(what == "client" or refuses("client", core.step_all, { stranger }, 0), "step_all", what)
        if what ~= "secret" and what ~= "text" and what ~= "number" then
          holds(not pcall(core.secret, stranger), "secret", what)
          holds(not pcall(core.equal_secrets, stranger, "x"), "equal_secrets", what)
        end
      end
    ]]
  end)

  it("options of a wrong type", function()
    check [[
      local function options(changes)
        local all = { headers = {}, secrets = {}, max_in_flight = 2, max_direct = 1, max_response = 1000, retries = 0,
          connect_timeout = 1, user_agent = "x" }
        for name, value in pairs(changes) do all[name] = value end
        return all
      end
      for _, wrong in ipairs { options { headers = { 5 } }, options { headers = { {} } }, options { secrets = { 5 } },
        options { user_agent = 5 }, options { ca_file = {} }, options { proxy = true }, options { headers = 5 },
        options { max_in_flight = 0 / 0 }, options { max_in_flight = -1 }, options { max_response = 1 / 0 },
        options { retries = "x" } } do
        holds(not pcall(core.new_client, wrong), "options")
      end
      local url = "http://127.0.0.1:1/"
      for _, wrong in ipairs { { url = url, timeout = 1 }, { method = "GET", timeout = 1 },
        { method = "GET", url = url },
        { method = "GET", url = 5, timeout = 1 }, { method = "GET", url = url, timeout = -1 },
        { method = "GET", url = url, timeout = 0 / 0 }, { method = "GET", url = url, timeout = 1, body = {} },
        { method = "GET", url = url, timeout = 1, headers = { 5 } },
        { method = "GET", url = url, timeout = 1, headers = "x" },
        { method = "GET", url = url, timeout = 1, endpoint_url = false } } do
        holds(not pcall(core.submit, objects.client, wrong), "a request")
        wrong.interval = 1
        holds(not pcall(core.new_job, objects.client, 0, wrong, "1"), "a job")
      end
      local polls = { method = "GET", url = url, timeout = 1, interval = 1 }
      holds(pcall(core.new_job, objects.client, 0, polls, "1"), "a job, rightly")
      holds(not pcall(core.new_job, objects.client, 0, polls), "no id")
      holds(not pcall(core.new_job, objects.client, 0, polls, {}), "an id that is a table")
      polls.url_rest = 5
      holds(not pcall(core.new_job, objects.client, 0, polls, "1"), "url_rest")
      holds(not pcall(core.submit, objects.client, "GET"), "no table")
      holds(not pcall(core.new_job, objects.client, {}), "a date that is a table")
    ]]
  end)
end)

describe("the metamethods of the core's objects refuse", function()
  it("an object of another type", function()
    check [[
      for wanted, object in pairs(objects) do
        for name, fn in pairs(debug.getmetatable(object)) do
          for what, stranger in pairs(type(fn) == "function" and strangers or {}) do
            if what ~= wanted then
              for _, key in ipairs { "id", "text", "_methods", "polls" } do
                holds(refuses(wanted, fn, stranger, key, 1), wanted, name, what, key)
              end
            end
          end
          holds(type(fn) ~= "function" or refuses(wanted, fn), wanted, name, "nothing")
        end
      end
    ]]
  end)

  it("an object with a borrowed metatable", function()
    check [[
      for wanted, object in pairs(objects) do
        local mt = debug.getmetatable(object)
        for name, fn in pairs(mt) do
          if type(fn) == "function" and name ~= "__gc" and name ~= "__close" then
            local pipe = io.tmpfile()
            local own = debug.getmetatable(pipe)
            holds(refuses(wanted, fn, borrowed(pipe, object), "id"), wanted, name, "a file")
            debug.setmetatable(pipe, own)
            local null = strangers.null
            debug.setmetatable(null, mt) -- the metatable of all light userdata
            holds(refuses(wanted, fn, null, "id"), wanted, name, "a light userdata")
            debug.setmetatable(null, nil)
          end
        end
      end
    ]]
  end)

  it("no object that lost its metatable or its methods, and do not crash", function()
    check [[
      local client, mt = objects.client, debug.getmetatable(objects.client)
      debug.setmetatable(client, nil)
      holds(type(mt.__index(client, "pollfd")) == "function", "pollfd")
      debug.setmetatable(client, mt)
      for _, object in pairs { objects.client, objects.job, objects.record } do
        local own = debug.getmetatable(object)
        local methods = own._methods
        for _, wrong in ipairs { 5, "x", false } do
          own._methods = wrong
          for name, fn in pairs(own) do
            if type(fn) == "function" and name ~= "__gc" then pcall(fn, object, "id", 1) end
          end
        end
        own._methods = methods
      end
    ]]
  end)
end)

describe("the core's objects", function()
  it("may be finalized twice, and used afterwards", function()
    check(TAKES .. [[
      for wanted, object in pairs(objects) do
        local gc = debug.getmetatable(object).__gc
        if gc then
          gc(object)
          gc(object)
        end
        for name, fn in pairs(debug.getmetatable(object)) do
          if type(fn) == "function" then pcall(fn, object, "id", 1) end
        end
        for _, name in ipairs(takes[wanted] or {}) do
          pcall(core[name], object, "GET", "http://127.0.0.1:1/", nil, nil, 1, 1, 1, 1)
          pcall(core[name], object,
            { elapsed = 0, method = "GET", url = "http://127.0.0.1:1/", timeout = 1, interval = 1 })
        end
      end
      for _, name in ipairs { "watch", "unwatch", "accept_update", "reject_update", "settle_anchor" } do
        pcall(core[name], objects.client, objects.job)
      end
      collectgarbage()
    ]])
  end)

  it("of one copy of the core are refused by a second copy", function()
    check(TAKES .. [[
      local path = os.tmpname()
      local from = package.searchpath and package.searchpath("cekura.core", package.cpath)
        or package.cpath:match "[^;]*":gsub("?", "cekura/core")
      local so, copy = assert(io.open(from, "rb")), assert(io.open(path, "wb"))
      copy:write(so:read "*a")
      so:close()
      copy:close()
      local second = assert(package.loadlib(path, "luaopen_cekura_core"))()
      os.remove(path)
      holds(second ~= core, "a second core")
      for name, object in pairs(new_objects(second)) do
        holds(core.type(object) == nil and second.type(objects[name]) == nil, "type", name)
        for _, fn in ipairs(takes[name] or {}) do
          holds(refuses(name, core[fn], object, "GET", "x", nil, nil, 1, 1, 1, 1), fn)
          holds(refuses(name, second[fn], objects[name], "GET", "x", nil, nil, 1, 1, 1, 1), fn)
        end
        for fn, value in pairs(debug.getmetatable(objects[name])) do
          holds(type(value) ~= "function" or refuses(name, value, object, "id", 1), name, fn)
        end
      end
    ]])
  end)

  it("raise or return valid values after their user value was replaced", function()
    check [[
      local set = debug.setuservalue or debug.setfenv
      for _, wrong in ipairs { {}, { "" }, { 5 }, { "{}" }, { ('x'):rep(21) }, { {} }, { { {} } } } do
        for name, object in pairs { client = new_client(),
          record = core.new_record('{"id":1,"text":"two"}', nil, core.record_class "record"),
          job = core.new_job(objects.client, 0), guard = core.guard(print) } do
          local fine = pcall(set, object, wrong)
          for metamethod, fn in pairs(fine and debug.getmetatable(object) or {}) do
            if type(fn) == "function" and metamethod ~= "__gc" then pcall(fn, object, "id") end
          end
          for method, fn in pairs(core[name .. "_methods"] or {}) do
            if method == "get" or method == "json" or method == "totable" or method == "fields" then
              pcall(fn, object, "text")
            end
          end
        end
      end
      for _, wrong in ipairs { {}, { "" }, { 5 }, { "{}" }, { ('x'):rep(21) }, { {} } } do
        local call = core.new_record('{"id":1,"text":"two"}', nil, core.record_class "record")
        local get, totable = call.get, call.totable
        pcall(set, call, wrong)
        for _, read in ipairs { get, totable, core.slice, core.record_fields } do
          local fine, found = pcall(read, call, "text")
          local as_long = wrong[1] == ('x'):rep(21)
          holds(not fine or as_long and found == nil, "another text", wrong[1], found)
        end
      end
      if debug.setuservalue then
        local call = core.new_record('{"id":1}', nil, core.record_class "record")
        local get = call.get
        pcall(debug.setuservalue, call, nil)
        holds(not pcall(get, call, "id"), "no table")
      end
    ]]
  end)
end)

describe("methods", function()
  it("raise at the caller's line and name the method for a wrong object", function()
    check [[
      local class = require("cekura.records.record").class "record"
      for what, methods in pairs { client = core.client_methods, job = core.job_methods, record = class } do
        for name, method in pairs(methods) do
          for stranger, value in pairs(type(method) == "function" and strangers or {}) do -- a class has its name, too
            if stranger ~= what then
              local fine, message = pcall(function() local _ = method(value, "x") end)
              local named = not fine and (message:find(what .. ":" .. name .. ": ", 1, true)
                or message:find("cekura." .. what .. " expected", 1, true))
              holds(named and message:find "^[^:]*lua_%w+:%d+: ", what, name, stranger, message)
            end
          end
        end
      end
    ]]
  end)
end)
