-- The API key and other secrets must not appear in anything that a program prints.

local cekura = require "cekura"
local core = require "cekura.core"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

-- Reversed, so that no variable of this file contains the secret itself.
local KEY, HEADER, PASSWORD, WEBHOOK = ("9876543210+\"terces\"-yrev/ks"):reverse(), ("redaeh-yrev"):reverse(),
  ("drowssap-yrev"):reverse(), ("koohbew-yrev"):reverse()
local MARK = ("-yrev"):reverse() -- part of each secret

local own_table = debug.getuservalue or debug.getfenv

-- Everything that is reachable from a value, as one text: through pairs, tostring, metatables, the tables of userdata,
-- and, unless they are left out, the upvalues of this module's functions.
local function dump(root, without_functions)
  local seen, queue, texts = { [_G] = true }, {}, {}
  local function add(value)
    local kind = type(value)
    if kind == "string" then
      texts[#texts + 1] = value
    elseif (kind == "table" or kind == "userdata" or kind == "function" and not without_functions) and not seen[value]
    then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  add(root)
  local place = 1
  while queue[place] do
    local value = queue[place]
    place = place + 1
    texts[#texts + 1] = tostring(value)
    if type(value) == "function" then
      local is_own = debug.getinfo(value, "S").source:find("cekura/", 1, true)
      local index = 1
      while is_own and debug.getupvalue(value, index) do
        local name, upvalue = debug.getupvalue(value, index)
        add(name ~= "_ENV" and upvalue or nil)
        index = index + 1
      end
    else
      add(debug.getmetatable(value))
      if type(value) == "userdata" then
        add(own_table(value))
      else
        for name, inner in next, value do
          add(name)
          add(inner)
        end
      end
    end
  end
  return table.concat(texts, "\n")
end

local function assert_absent(value)
  local text = dump(value)
  local at = text:find(MARK, 1, true)
  assert(not at, at and text:sub(math.max(1, at - 200), at + 100))
end

-- A program that prints every event that it gets.
local printed

local function note(event)
  printed[#printed + 1] = dump(event, true)
end

describe("a secret", function()
  local server = simulator.during(setup, teardown)
  local client

  local OPTIONS = { api_key = KEY, headers = { Authorization = "Bearer " .. HEADER }, retries = 0, on_event = note }

  local function new_client(more)
    local options = {}
    for name, value in pairs(OPTIONS) do
      options[name] = value
    end
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return server:client(options)
  end

  before_each(function()
    server:reset()
    printed = {}
    client = new_client()
  end)

  after_each(function()
    client:close()
    for _, text in ipairs(printed) do
      assert_absent(text)
    end
  end)

  local START = "/observability/v1/call-logs/improve_prompt_bg/"
  local POLL = "/observability/v1/call-logs/improve_prompt_progress/"

  local function percent(text)
    return (text:gsub("%W", function(char) return ("%%%02X"):format(char:byte()) end))
  end

  local function as_escapes(text)
    return (text:gsub("%W", function(char) return ("\\u%04x"):format(char:byte()) end))
  end

  -- An answer that repeats the request's secrets in every notation.
  local function echo(more)
    local body = { detail = ("key %s, %s %s"):format(KEY, KEY, HEADER), error = "bad " .. KEY .. HEADER, status = KEY,
      url = "/" .. percent(KEY), twice = ('{"key": "%s"}'):format((KEY:gsub('["/]', "\\%0"))) }
    for name, value in pairs(more or {}) do
      body[name] = value
    end
    return body
  end

  local ECHOED_HEADERS = { ["X-Key"] = KEY, ["X-Auth"] = "Bearer " .. HEADER,
    Location = "http://" .. percent(KEY) .. "/" }

  local function script(reply)
    reply.headers = reply.headers or ECHOED_HEADERS
    for _, path in ipairs { "/x/", START, POLL } do
      server:script(path, { reply })
    end
  end

  local function ask()
    return select(2, client:request("GET", "/x/"))
  end

  local function start()
    return select(2, client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
  end

  local function wait(seconds)
    local job = cekura.assert(client:job("calls.improve_prompt", "id"))
    local _, err = job:wait { timeout = seconds or 60, interval = 0.02 }
    assert_absent(job.error)
    assert_absent(tostring(job))
    assert_absent(job:token())
    return err
  end

  -- How to provoke each kind of error.
  local ERRORS = {
    auth = { { status = 401, body = echo() }, ask },
    invalid = { { status = 400, body = { [KEY] = { KEY, HEADER }, prompt = { "is " .. KEY } } }, start },
    invalid_twice = { { status = 400, body = { prompt = { echo().twice } } }, start },
    not_found = { { status = 404, body = echo() }, ask },
    gone = { { status = 410, body = echo() }, start },
    rate_limited = { { status = 429, body = echo() }, ask },
    server = { { status = 500, body = "<html>" .. KEY }, ask },
    unknown_outcome = { { status = 502, body = "plain " .. KEY }, start },
    protocol = { { status = 200, body = "no JSON: " .. KEY }, wait },
    protocol_status = { { status = 200, body = { status = "completed", x = KEY } }, wait },
    protocol_redirect = { { status = 302, body = KEY }, ask },
    protocol_cut = { { status = 200, body = echo(), cut = 60 }, ask },
    job_failed = { { body = { status = "failed", error = KEY .. " " .. HEADER } }, wait },
    job_failed_word = { { body = { status = "failed", error_message = echo().twice } }, wait },
    job_failed_errors = { { body = { status = "failed", errors = { echo() }, output = { x = KEY } } }, wait },
    job_failed_escaped = { { body = ('{"status":"failed","x":"%s"}'):format(as_escapes(KEY)) }, wait },
    job_cancelled = { { body = { status = "cancelled", error = "by " .. KEY } }, wait },
    needs_input = { { body = { status = "needs_input", question = KEY } }, wait },
    timeout = { { status = 503, body = echo() }, function() return wait(0.3) end },
    network = { { drop = true }, ask },
  }

  for name, row in pairs(ERRORS) do
    it("is not in an error of kind " .. name, function()
      script(row[1])
      local err = row[2]()
      assert.equal(name:match "^(%l+)", err.kind:match "^(%l+)")
      assert.truthy(#err.message < 800)
      assert_absent(err)
      assert_absent(tostring(err))
      assert_absent(client)
      assert_absent(client:stats())
    end)
  end

  it("is not in the message of a refusal that repeats it with escapes", function()
    local escaped = KEY:gsub("%-", [[\u002d]])
    for _, body in ipairs { '{"detail":"bad %s"}', '{"api_key":["bad %s"]}', '{"%s":["bad"]}' } do
      server:script("/x/", { { status = 400, body = (body:gsub("%%s", escaped)) } })
      local _, err = client:request("GET", "/x/")
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("[key]", 1, true))
      assert_absent(err)
    end
  end)

  it("is not in an error, wherever the answer that repeats it is truncated", function()
    local body = ('{"detail": "%s"}'):format(KEY)
    for cut = 12, #body - 1 do
      server:script("/x/", { { status = 200, body = body, cut = cut } })
      local err = ask()
      assert.equal("protocol", err.kind)
      local text = dump(err)
      local shown = text:match 'sk/[^%s"]*' or ""
      assert.truthy(#shown < 8, shown)
    end
  end)

  it("is not in the error of an answer that is too large", function()
    client:close()
    client = new_client { max_response = 100 }
    for _, body in ipairs { KEY .. (" "):rep(200), (" "):rep(100 - #KEY + 3) .. KEY } do
      script { body = body }
      local err = ask()
      assert.equal("protocol", err.kind)
      assert_absent(err)
    end
  end)

  it("is not in an error if it comes in the status line", function()
    script { raw = ("HTTP/1.1 401 %s\r\nContent-Length: 0\r\nWWW-Authenticate: %s\r\n\r\n"):format(KEY, KEY) }
    local err = ask()
    assert.equal("auth", err.kind)
    assert_absent(err)
    assert_absent(err.response.headers)
  end)

  it("in a query is neither in errors nor in events", function()
    script { status = 401, body = echo() }
    local _, err = client:request("GET", "/x/", { query = { api_key = KEY } })
    assert.equal("auth", err.kind)
    assert_absent(err)
    client:close()
    _, err = client:request("GET", "/x/", { query = { api_key = KEY } })
    assert.equal("closed", err.kind)
    assert_absent(err)
  end)

  it("as an id makes neither a job nor a token", function()
    for _, id in ipairs { KEY, "x" .. KEY } do
      script { body = { progress_id = id } }
      local job, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
      assert.is_nil(job)
      assert.equal("protocol", err.kind)
      assert_absent(err)
      job, err = client:job("calls.improve_prompt", id)
      assert.is_nil(job)
      assert.equal("config", err.kind)
      assert_absent(err)
    end
  end)

  it("in a job's further data makes no token", function()
    local answer = "/test_framework/v1/scenarios/scenario-agent/"
    server:script(answer, { { body = { progress_id = "p1", session_id = KEY } } })
    local job = cekura.assert(client.scenarios:agent { user_message = "x" })
    local told, err = job:token()
    assert.is_nil(told)
    assert.equal("config", err.kind)
    assert_absent(tostring(err))
  end)

  it("is found in a token whatever its characters are", function()
    local key = "k.e/y~2E %&=.."
    local other = server:client { api_key = key }
    local answer = { progress_id = "p1", session_id = key }
    server:script("/test_framework/v1/scenarios/scenario-agent/", { { body = answer } })
    local job = cekura.assert(other.scenarios:agent { user_message = "x" })
    local text, err = job:token()
    assert.is_nil(text)
    assert.equal("config", err.kind)
    other:close()
  end)

  -- What a program asks for as data is what came, byte for byte.
  it("is in the body of a good answer, and in a job's answer, if the service puts it there", function()
    local body = ('{"status":"processing","x":"%s"}'):format(HEADER)
    script { body = body }
    assert.equal(body, cekura.assert(client:request("GET", "/x/")).body)
    local job = cekura.assert(cekura.assert(client:job("calls.improve_prompt", "id")):poll())
    assert.equal(body, job:json())
  end)

  it("is not reachable from a client, a job, a record, a task, a page or a response", function()
    local call = cekura.assert(client:request("GET", "/echo/"))
    assert.truthy(call.body:find(HEADER, 1, true)) -- it was sent
    client:close()
    client = server:client { headers = OPTIONS.headers, on_event = note }
    local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
    assert_absent { client, job, client.calls, core.fields(client), core.fields(job) }
    assert_absent(client.calls:list())
    assert_absent(client.calls:get(5181749))
    assert_absent(client.calls:each())
    assert_absent(job:token())
    cekura.run(function()
      local task = cekura.spawn(function() return cekura.assert(job:wait { interval = 0.01 }) end)
      assert_absent(task)
      assert_absent(task:join())
    end)
    assert_absent(client:webhook { secret = WEBHOOK })
    local _, err = client:webhook { secret = WEBHOOK }({ ["X-CEKURA-SECRET"] = "no" }, "{}")
    assert_absent(err)
    assert_absent { core.secret(KEY), core.secret "a" }
  end)

  it("is not in an error that is made after the client was closed", function()
    script { status = 401, body = echo() }
    cekura.run(function()
      for _ = 1, 3 do
        cekura.spawn(function()
          local err = ask()
          client:close()
          assert.truthy(err.kind == "auth" or err.kind == "closed")
          assert_absent(err)
        end)
      end
    end)
    client = new_client()
    script { body = "no JSON: " .. KEY }
    local answer = cekura.assert(client:request("GET", "/x/"))
    client:close()
    local _, err = answer:json()
    assert.equal("protocol", err.kind)
    assert_absent(tostring(err))
    assert_absent(err.response.body)
  end)

  it("is not in an error of the configuration", function()
    for _, given in ipairs {
      { api_key = KEY .. "\r\nX: 1" }, { api_key = KEY .. "\0" },
      { base_url = "http://user:" .. PASSWORD .. "@127.0.0.1/" },
      { proxy = "http://user:" .. PASSWORD .. "@h\n" }, { proxy = "http://user:" .. PASSWORD .. " x@proxy:1" },
      { proxy = "ftp://user:" .. PASSWORD .. "@proxy:1" }, { proxy = "user:" .. PASSWORD .. "@pro xy:1" },
      { proxy = "http://user:" .. PASSWORD .. "@proxy:port" }, { proxy = "http://user:" .. PASSWORD .. "@proxy:1" },
      { user_agent = KEY .. "\n" },
    } do
      given.config_file = false
      given.api_key = given.api_key or KEY
      given.base_url = given.base_url or "http://127.0.0.1:1"
      local made, err = cekura.new(given)
      assert.is_nil(made)
      assert.equal("config", err.kind)
      assert_absent(err)
    end
    for _, headers in ipairs { { ["X-Key: " .. KEY] = "" }, { ["X-Key"] = KEY .. "\n" }, { ["X-CEKURA-API-KEY"] = KEY },
      { ["X-Key"] = { KEY } } } do
      local ok, message = pcall(cekura.new, { api_key = KEY, config_file = false, headers = headers })
      assert.is_false(ok)
      assert_absent(message)
    end
  end)

  it("of a proxy is not in an error", function()
    client:close()
    local port = process.free_port()
    client = new_client { proxy = ("http://user:%s@127.0.0.1:%d"):format(PASSWORD, port) }
    local err = ask()
    assert.equal("network", err.kind)
    assert_absent(err)
    assert_absent(client)
  end)

  it("of a proxy from the environment is not in an error, whether the proxy is usable or not", function()
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    for proxy, kind in pairs {
      ["http://user:hunter2 x@127.0.0.1:1"] = "config", ["nonsense://user:hunter2@127.0.0.1:1"] = "config",
      ["user:hunter2 x@127.0.0.1:1"] = "config", ["http://user:hunter2@127.0.0.1:port"] = "config",
      ["http://user:hunter2@127.0.0.1:1"] = "network",
    } do
      local output = shell(([[https_proxy='%s' %s -e 'local c = require "cekura"
        local client, err = c.new { api_key = "k", base_url = "https://127.0.0.1:1", config_file = false, retries = 0 }
        if client then err = select(2, client:request("GET", "/")) end
        print(err.kind, err)' 2>&1]]):format(proxy, lua))
      assert.truthy(output:find("^" .. kind .. "\t"), output)
      assert.is_nil(output:find("hunter2", 1, true), output)
    end
  end)

  it("is not sent over plain http to a proxy of the environment", function()
    -- The environment of this process cannot be changed, so another process sends the requests.
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    for _, name in ipairs { "http_proxy", "all_proxy", "ALL_PROXY" } do
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        local output = shell(([[%s=http://127.0.0.1:1 %s -e 'local c = require "cekura"
          local client = c.assert(c.new { api_key = "sim-key", base_url = "%s", config_file = false })
          print(c.assert(client:request("GET", "/echo/")).status)' 2>&1]]):format(name, lua,
          (server.url:gsub("127.0.0.1", host))))
        assert.equal("200\n", output)
      end
    end
  end)

  it("is neither in the store of a watch nor in its reports", function()
    server:admin("POST", "key/", { key = KEY })
    local kept, over = {}, false
    local watch = cekura.watch {
      client = client, every = 0.05,
      store = {
        get = function(_, name) return kept[name] end,
        set = function(_, name, text)
          kept[name] = text
          note(text)
        end,
      },
      agents = { {
        agent_id = 2142, since = os.time() - 20 * 86400, filter = { { "call_id", "eq", "sess-1" } }, prompt = "x",
        improve = true, on_improved = function() over = true end,
      } },
      on_error = note,
    }
    assert_absent(watch)
    cekura.run(function()
      patience.eventually(function() return over end)
      watch:stop()
      watch:wait()
    end)
    local _, text = next(kept)
    assert.truthy(text:find("cekura.watch 1", 1, true))
    assert_absent(watch:status())
  end)

  describe("and a proxy", function()
    local proxy, url

    before_each(function()
      proxy = process.start(("%s %s/spec/support/listener.lua"):format(os.getenv "CEKURA_LUA" or "lua5.4",
        shell "pwd":match "[^\n]+"), function(self)
        return self:output():find "port %d+"
      end)
      url = ("http://user:%s@127.0.0.1:%s"):format(PASSWORD, proxy:output():match "port (%d+)")
      client:close()
    end)

    after_each(function()
      proxy:stop()
    end)

    it("is sent to it only inside a tunnel, and the proxy learns only the host", function()
      client = new_client { base_url = "https://127.0.0.1:1", proxy = url }
      local err = ask()
      assert.equal("auth", err.kind)
      assert.equal(407, err.status)
      assert.is_false(err.sent)
      assert_absent(err)
      assert.truthy(proxy:output():find("CONNECT 127.0.0.1:1 HTTP/1.1", 1, true))
      assert.is_nil(proxy:output():find("API-KEY", 1, true))
      assert.is_nil(proxy:output():find("Bearer", 1, true))
    end)

    it("is sent to it in the clear with allow_http", function()
      client = new_client { base_url = "http://service.example", proxy = url, allow_http = true }
      local err = ask()
      assert.equal(407, err.status)
      assert_absent(err)
      assert.truthy(proxy:output():find("GET http://service.example/x/ HTTP/1.1", 1, true))
      assert.truthy(proxy:output():find(KEY, 1, true))
    end)
  end)

  it("that is short or common is found as well", function()
    for _, key in ipairs { "k", "aa", "1", ("x"):rep(200) } do
      local short = new_client { api_key = key }
      script { status = 401, body = "(" .. key .. ")" }
      local _, err = short:request("GET", "/x/")
      assert.equal("([key])", err.response.body)
      if #key < 8 then -- a shorter key may occur in any id
        assert.truthy(cekura.assert(short:job("calls.improve_prompt", "a1kkaa")):token())
      end
      short:close()
    end
  end)

  it("is not sent after a redirect", function()
    server:script("/x/", { { status = 307, headers = { Location = server.url .. "/elsewhere/" } } })
    client:request("GET", "/x/")
    client:request("POST", "/x/")
    assert.equal(2, #server:requests())
    for _, seen in ipairs(server:requests()) do
      assert.equal("/x/", seen.path)
    end
  end)

  it("is never passed to libcurl's log, and no check of certificates is switched off", function()
    for _, option in ipairs { "VERBOSE", "DEBUGFUNCTION", "NETRC", "UNRESTRICTED_AUTH", "COOKIE" } do
      assert.equal("", (shell("grep -rn CURLOPT_" .. option .. " src")))
    end
    local checks = shell "grep -rnE 'SSL_VERIFY(PEER|HOST|STATUS)' src"
    assert.truthy(checks:find "VERIFYPEER, 1L%)" and checks:find "VERIFYHOST, 2L%)")
    assert.equal(2, select(2, checks:gsub("\n", "\n")))
  end)
end)
