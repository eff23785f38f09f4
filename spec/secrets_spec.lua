local cekura = require "cekura"
local simulator = require "spec.support.simulator"

local KEY = "sk-very-secret-0123456789"

-- Everything that can be reached from a value, as one text.
local function dump(value, seen)
  seen = seen or {}
  if type(value) ~= "table" then
    return tostring(value)
  elseif seen[value] then
    return ""
  end
  seen[value] = true
  local parts = { tostring(value) }
  for name, inner in pairs(value) do
    parts[#parts + 1] = dump(name, seen) .. "=" .. dump(inner, seen)
  end
  return table.concat(parts, "\n")
end

describe("the API key", function()
  local server = simulator.during(setup, teardown)
  local client, events

  before_each(function()
    server:reset()
    events = {}
    client = server:client { api_key = KEY, on_event = function(event)
      events[#events + 1] = event
    end }
  end)

  after_each(function()
    client:close()
  end)

  local function assert_absent(value)
    assert.is_nil(dump(value):find(KEY, 1, true))
  end

  for _, status in ipairs { 200, 302, 400, 401, 404, 500, 503 } do
    it(("is in nothing that a program sees, also when a %d repeats it"):format(status), function()
      local echo = { detail = "key " .. KEY .. " " .. KEY, status = "completed", error = "bad " .. KEY }
      local headers = { ["X-Key"] = KEY, Location = "http://" .. KEY .. "/" }
      local script = { { status = status, body = echo, headers = headers } }
      client:close()
      client = server:client { api_key = KEY, retries = 0, on_event = function(event)
        events[#events + 1] = event
      end }
      server:script("/x/", script)
      server:script("/observability/v1/call-logs/improve_prompt_progress/", script)
      server:script("/observability/v1/call-logs/improve_prompt_bg/", script)
      local _, err = client:request("GET", "/x/")
      assert_absent(err)
      local job
      job, err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
      err = err or select(2, job:wait())
      assert.truthy(err)
      assert_absent(err)
      job = cekura.assert(client:job("calls.improve_prompt", "id"))
      _, err = job:wait { timeout = 0.1, interval = 0.02 }
      assert.truthy(err)
      assert_absent(err)
      assert_absent(job.error)
      assert_absent(events)
      assert_absent(client)
      assert_absent(job)
      assert_absent(job:token())
      assert_absent(client:stats())
    end)
  end

  it("is in no message of a refusal that repeats it with escapes", function()
    local escaped = KEY:gsub("%-", [[\u002d]])
    for _, body in ipairs { '{"detail":"bad %s"}', '{"api_key":["bad %s"]}', '{"%s":["bad"]}' } do
      server:script("/x/", { { status = 400, body = (body:gsub("%%s", escaped)) } })
      local _, err = client:request("GET", "/x/")
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("[key]", 1, true))
      assert_absent(err)
    end
  end)

  it("is in no error of a body that is cut, too large or not JSON", function()
    client:close()
    client = server:client { api_key = KEY, retries = 0, max_response = 100 }
    for _, reply in ipairs {
      { body = KEY .. (" "):rep(50), cut = 30 }, { body = KEY .. (" "):rep(200) }, { body = KEY },
    } do
      server:script("/x/", { reply })
      local response, err = client:request("GET", "/x/")
      if response then
        _, err = response:json()
      end
      assert.equal("protocol", err.kind)
      assert_absent(err)
    end
  end)

  it("is in no error that is made after the client was closed", function()
    server:script("/x/", { { status = 401, body = { detail = "bad " .. KEY } } })
    cekura.run(function()
      for _ = 1, 3 do
        cekura.spawn(function()
          local _, err = client:request("GET", "/x/")
          client:close()
          assert_absent(err)
        end)
      end
    end)
  end)

  it("is in no error of the configuration", function()
    for _, bad in ipairs { KEY .. "\r\nX: 1", KEY .. "\0", KEY .. "\n" } do
      local made, err = cekura.new { api_key = bad, config_file = false }
      assert.is_nil(made)
      assert.equal("config", err.kind)
      assert_absent(err)
    end
    local url = "http://user:" .. KEY .. "@127.0.0.1/"
    local made, err = cekura.new { api_key = KEY, base_url = url, config_file = false }
    assert.is_nil(made)
    assert_absent(err)
  end)

  it("does not follow a redirect", function()
    server:script("/x/", { { status = 307, headers = { Location = server.url .. "/elsewhere/" } } })
    client:request("GET", "/x/")
    client:request("POST", "/x/")
    for _, seen in ipairs(server:requests()) do
      assert.equal("/x/", seen.path)
    end
  end)

  it("does not go to a proxy of the environment in the clear", function()
    -- The environment is read when a request is made, so another process makes it.
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    local code = ("local c = require 'cekura'; local client = c.assert(c.new { api_key = 'sim-key', base_url = '%s', "
      .. "config_file = false }); print(c.assert(client:request('GET', '/echo/')).status)"):format(server.url)
    local pipe = io.popen(("http_proxy=http://127.0.0.1:1 %s -e \"%s\" 2>&1"):format(lua, code))
    local output = pipe:read "*a"
    pipe:close()
    assert.equal("200\n", output)
  end)
end)
