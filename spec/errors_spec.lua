-- Errors in both forms: a value, and an error raised at the caller's line.

local cekura = require "cekura"
local errors = require "cekura.errors"
local file = require "spec.support.file"
local request = require "cekura.http.request"

local HERE = debug.getinfo(1, "S").short_src

describe("an error", function()
  it("is a table with its kind, its message and further fields", function()
    local err = errors.new("server", "GET /x: HTTP 500", { status = 500, attempts = 3 })
    assert.equal("table", type(err))
    assert.equal("server", err.kind)
    assert.equal("GET /x: HTTP 500", err.message)
    assert.equal(500, err.status)
    assert.equal(3, err.attempts)
    assert.is_nil(err.retry_after)
    assert.is_true(errors.is(err))
  end)

  it("is one clear line as a string", function()
    assert.equal("cekura: config: no API key", tostring(errors.new("config", "no API key")))
  end)

  it("is one line as a string, whatever its message contains", function()
    for _, text in ipairs { "a\nb", "a\r\nb\n", "\0", "a\tb\27[31m" } do
      assert.is_nil(tostring(errors.new("config", text)):find("%c"))
    end
  end)

  it("is one line as a string, whatever path the program gives", function()
    for _, options in ipairs { { config_file = "/no\nsuch" }, { config_file = false, ca_file = "/no\nsuch" } } do
      options.api_key = "sk-1"
      local client, err = cekura.new(options)
      assert.is_nil(client)
      assert.is_nil(tostring(err):find("\n", 1, true))
    end
  end)

  it("is distinct from other values", function()
    for _, value in ipairs { {}, "cekura: config: x", 5, true, setmetatable({ kind = "config", message = "x" }, {}) } do
      assert.is_false(errors.is(value))
    end
    assert.is_false(errors.is(nil))
  end)
end)

describe("an excerpt", function()
  it("of a short text is the whole text", function()
    assert.equal("", errors.excerpt "")
    assert.equal("short", errors.excerpt "short")
    assert.equal(("x"):rep(200), errors.excerpt(("x"):rep(200)))
  end)

  it("of a long text is its first 200 bytes", function()
    assert.equal(("x"):rep(200), errors.excerpt(("x"):rep(201)))
    assert.equal(("x"):rep(199) .. "y", errors.excerpt(("x"):rep(199) .. "y" .. ("z"):rep(10000)))
  end)

  it("never ends inside a character", function()
    for _, char in ipairs { "é", "日", "😀" } do
      for before = 0, 8 do
        local text = ("x"):rep(before) .. char:rep(200)
        local excerpt = errors.excerpt(text)
        local whole = math.floor((200 - before) / #char)
        assert.equal(("x"):rep(before) .. char:rep(whole), excerpt)
      end
    end
  end)

  it("may have another limit", function()
    assert.equal("ab", errors.excerpt("abc", 2))
    assert.equal("a", errors.excerpt("aé", 2))
    assert.equal("aé", errors.excerpt("aé", 3))
    assert.equal("", errors.excerpt("日本", 2))
  end)

  it("is one line", function()
    assert.equal("a b c", errors.excerpt "a\r\nb\0\0\27c")
    assert.is_nil(errors.excerpt(("line\n"):rep(100)):find("%c"))
  end)

  it("of invalid UTF-8 still shows its first bytes", function()
    assert.is_true(#errors.excerpt(("\128"):rep(300)) >= 197)
    assert.is_true(#errors.excerpt(("\160\176"):rep(300)) >= 197)
  end)
end)

describe("cekura.assert", function()
  it("returns its arguments", function()
    assert.same({ 1, 2, 3 }, { cekura.assert(1, 2, 3) })
    assert.equal("x", (cekura.assert("x")))
  end)

  it("raises an error value as a string, at the caller's line", function()
    local function call() return cekura.assert(nil, errors.new("config", "no API key")), 1 end
    local ok, message = pcall(call)
    assert.is_false(ok)
    assert.equal(("%s:%d: cekura: config: no API key"):format(HERE, debug.getinfo(call, "S").linedefined), message)
  end)

  it("raises any other value as a string, and a default message without one", function()
    assert.truthy((select(2, pcall(cekura.assert, false, "it broke"))):find("it broke$"))
    assert.truthy((select(2, pcall(cekura.assert, nil, 5))):find("5$"))
    assert.truthy((select(2, pcall(cekura.assert, nil))):find("assertion failed!", 1, true))
  end)
end)

describe("misuse raises at the caller's line and names the argument:", function()
  local client, job

  setup(function()
    client = cekura.assert(cekura.new { api_key = "sk-1", base_url = "http://127.0.0.1:1", config_file = false })
    job = cekura.assert(client:job("calls.improve_prompt", 5))
  end)

  teardown(function()
    client:close()
  end)

  -- Each function is on one line, which is the line of its call.
  -- luacheck: push ignore 211
  local calls = {
    { "options", function() local _ = cekura.new(5) end },
    { "timeout", function() local _ = cekura.new { timeout = "x" } end },
    { "there is no option", function() local _ = cekura.new { timout = 5 } end },
    { "headers", function() local _ = cekura.new { headers = { ["a b"] = "c" } } end },
    { "headers: X-A", function() local _ = cekura.new { headers = { ["X-A"] = {} } } end },
    { "loop", function() local _ = cekura.new { loop = 5 } end },
    { "loop", function() local _ = cekura.new { loop = {} } end },
    { "method", function() local _ = client:request(5, "/") end },
    { "method", function() local _ = client:request("GET /", "/") end },
    { "path", function() local _ = client:request("GET", "no slash") end },
    { "path", function() local _ = client:request("GET") end },
    { "query", function() local _ = client:request("GET", "/", { query = "a=b" }) end },
    { "query.a", function() local _ = client:request("GET", "/", { query = { a = print } }) end },
    { "query.a[1]", function() local _ = client:request("GET", "/", { query = { a = { print } } }) end },
    { "body", function() local _ = client:request("POST", "/", { body = 5 }) end },
    { "body.a.b", function() local _ = client:request("POST", "/", { body = { a = { b = print } } }) end },
    { "headers", function() local _ = client:request("GET", "/", { headers = { a = "\n" } }) end },
    { "headers", function() local _ = client:request("GET", "/", { headers = 5 }) end },
    { "timeout", function() local _ = client:request("GET", "/", { timeout = -1 }) end },
    { "options", function() local _ = client:request("GET", "/", 5) end },
    { "there is no option", function() local _ = client:request("GET", "/", { form = {} }) end },
    { "kind", function() local _ = client:start("no.such", {}) end },
    { "kind", function() local _ = client:start(nil, {}) end },
    { "params", function() local _ = client:start "calls.improve_prompt" end },
    { "prompt", function() local _ = client:start("calls.improve_prompt", { call_logs = { 1 } }) end },
    { "call_logs", function() local _ = client.calls:improve_prompt { prompt = "p" } end },
    { "call_logs[2]", function() local _ = client.calls:improve_prompt { prompt = "p", call_logs = { 1, {} } } end },
    { "prompt", function() local _ = client.calls:improve_prompt { prompt = "\255", call_logs = { 1 } } end },
    { "call_logs", function() local _ = client.calls:improve_prompt_issues {} end },
    { "run_ids", function() local _ = client.runs:improve_prompt { prompt = "p" } end },
    { "agent_id", function() local _ = client:job("calls.improve_prompt", 5, { agent_id = {} }) end },
    { "id", function() local _ = client:job("calls.improve_prompt", "") end },
    { "id", function() local _ = client:job("calls.improve_prompt", 1.5) end },
    { "kind", function() local _ = client:job("no.such", 5) end },
    { "token", function() local _ = client:resume(5) end },
    { "timeout", function() local _ = job:wait { timeout = "x" } end },
    { "interval", function() local _ = job:wait { interval = 0 } end },
    { "on_progress", function() local _ = job:wait { on_progress = "print" } end },
    { "options", function() local _ = job:wait(5) end },
    { "timeout", function() local _ = job:updates { timeout = "x" } end },
    { "jobs", function() local _ = cekura.all(job) end },
    { "jobs[2]", function() local _ = cekura.all { job, client } end },
    { "timeout", function() local _ = cekura.all({ job }, { timeout = "x" }) end },
    { "jobs[1]", function() local _ = cekura.each { 5 } end },
    { "fn", function() local _ = cekura.run() end },
    { "fn", function() local _ = cekura.run "x" end },
    { "fn", function() local _ = cekura.spawn() end },
    { "fn", function() local _ = cekura.spawn(5) end },
    { "seconds", function() local _ = cekura.sleep() end },
    { "seconds", function() local _ = cekura.sleep "x" end },
    { "seconds", function() local _ = cekura.sleep(-1) end },
    { "seconds", function() local _ = cekura.sleep(0 / 0) end },
  }
  -- luacheck: pop

  for index, case in ipairs(calls) do
    local argument, call = case[1], case[2]
    it(("%d, %s"):format(index, argument), function()
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.is_string(message)
      local where = ("%s:%d: cekura: "):format(HERE, debug.getinfo(call, "S").linedefined)
      assert.equal(where, message:sub(1, #where))
      assert(message:sub(#where + 1):find(argument, 1, true), message)
    end)
  end

  -- Checks that the message has the line of `fn`, which is on one line.
  local function assert_line_of(fn, message)
    assert.is_string(message)
    local where = ("%s:%d: cekura: timeout: "):format(HERE, debug.getinfo(fn, "S").linedefined)
    assert.equal(where, message:sub(1, #where))
  end

  it("in a tail call, at the line of the caller that is left on the stack", function()
    local function tail() return cekura.new { timeout = "x" } end
    local function call() local made = tail() return made end
    local _, message = pcall(call)
    assert_line_of(call, message)
    local function tail_of_tail() return tail() end
    local function call_it() local made = tail_of_tail() return made end
    _, message = pcall(call_it)
    assert_line_of(call_it, message)
  end)

  it("under pcall, at the line of pcall's caller", function()
    local message
    local function call() message = select(2, pcall(cekura.new, { timeout = "x" })) end
    call()
    assert_line_of(call, message)
  end)

  it("in a coroutine, a task, a callback and a metamethod, at the line inside it", function()
    local function call() local _ = cekura.new { timeout = "x" } end
    assert_line_of(call, (select(2, coroutine.resume(coroutine.create(call)))))
    assert_line_of(call, (select(2, pcall(cekura.run, call))))
    assert_line_of(call, (select(2, pcall(string.gsub, "x", "x", call))))
    local object = setmetatable({}, { __index = call })
    assert_line_of(call, (select(2, pcall(function()
      return object.anything
    end))))
  end)

  it("without a Lua caller, at no line of this module", function()
    local _, message = coroutine.resume(coroutine.create(cekura.new), { timeout = "x" })
    assert.is_nil(message:find("lua/cekura/", 1, true))
    assert.truthy(message:find("cekura: timeout: ", 1, true))
  end)

  it("in one line", function()
    for _, call in ipairs {
      function() return cekura.new { ["a\nb"] = 1 }, 1 end,
      function() return cekura.new { headers = { ["a\nb"] = "x" } }, 1 end,
      function() return client:start "a\nb", 1 end,
      function() return client:request("a\nb", "/"), 1 end,
      function() return client:request("GET", "a\nb"), 1 end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.is_nil(message:find("\n", 1, true))
    end
  end)

  it("before anything is sent", function()
    assert.equal(0, client:stats().requests)
  end)
end)

describe("libcurl's codes", function()
  -- The kinds by code, from the engine's table.
  local function of_the_source()
    local client = cekura.assert(cekura.new { api_key = "sk-1", base_url = "http://127.0.0.1:1", config_file = false })
    local kinds = {}
    for code, outcome in file.read "src/engine/codes.c":gmatch "{(C%u+_[%u%d_]+), OUTCOME_([%u_]+)}" do
      if outcome ~= "RESPONSE" then
        local _, err = request.read(client, "GET", "/x/", { kind = outcome:lower(), status = 0, _head = "",
          body = "", message = "words", tries = 1, sent = false })
        kinds[code:gsub("^CODE_", "CURLE_")] = err.kind
      end
    end
    client:close()
    return kinds
  end

  it("have the kinds that docs/errors.md says", function()
    local documented, count = {}, 0
    for code, kind in file.read "docs/errors.md":gmatch "\n| `(CURLE_[%u%d_]+)` | `([%l_]+)` |" do
      documented[code], count = kind, count + 1
    end
    assert.same(of_the_source(), documented)
    assert.is_true(count > 40)
  end)
end)
