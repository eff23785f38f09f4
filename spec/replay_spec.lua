-- cekura.testing.record and cekura.testing.replay: a service is recorded, and replayed.

local cekura = require "cekura"
local command = require "spec.support.command"
local file = require "spec.support.file"
local json_text = require "cekura.testing.json_text"
local shell = require "spec.support.shell"
local testing = require "cekura.testing"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local KEY = "ck_live_6fb1c09a"

local path = os.tmpname()
local services = {}

local function started(service, err)
  services[#services + 1] = cekura.assert(service, err)
  return service
end

-- The service that is recorded.
local function real()
  return started(testing.start { key = KEY })
end

local function record(service, options)
  local all = { base_url = service.url, api_key = KEY, config_file = false, speed = 1000 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return started(testing.record(path, all))
end

local function replay(options)
  options = options or {}
  options.speed = 1000
  return started(testing.replay(path, options))
end

-- What a request has come to, as text.
local function outcome(client, method, target, options)
  local reply, err = client:request(method, target, options)
  local answer = reply or err.response
  if not answer then
    return err.kind
  end
  local tree = json_text.read(answer.body)
  return answer.status .. " " .. (answer.headers.link or "") .. " " .. (tree and json_text.write(tree) or answer.body)
end

local function outcomes(service, program)
  local client = service:client { retries = 0, timeout = 10 }
  local list = program(client, service)
  client:close()
  return list
end

-- The outcomes of a program while its service is recorded, and those with the recording.
local function both(service, program, options)
  local recorder = record(service, options)
  local recorded = outcomes(recorder, program)
  recorder:stop()
  service:stop()
  local player = replay()
  local replayed = outcomes(player, program)
  return recorded, replayed, player
end

-- A program that makes these requests in turn.
local function requests(list)
  return function(client)
    local found = {}
    for index, one in ipairs(list) do
      found[index] = outcome(client, one[1], one[2], one[3])
    end
    return found
  end
end

after_each(function()
  for _, service in ipairs(services) do
    service:stop()
  end
  services = {}
end)

teardown(function()
  os.remove(path)
end)

describe("a program is answered alike by a service and by its recording:", function()
  it("a job", function()
    local function program(client)
      local job = cekura.assert(client.calls:improve_prompt { agent_id = 2142, call_logs = { 101 }, prompt = "Hi." })
      local result = cekura.assert(job:wait { interval = 0.02 })
      return { job.id, result.improved_prompt, client.calls:get(5181749).metadata.external_id,
        outcome(client, "GET", "/observability/v2/call-logs/9/") }
    end
    local recorded, replayed, player = both(real(), program)
    assert.equal(4, #recorded)
    assert.same(recorded, replayed)
    assert.same({}, player:unrecorded())
  end)

  for _, case in ipairs {
    { "refused for a time", { status = 429, headers = { ["Retry-After"] = "7" }, body = { detail = "Slow down." } } },
    { "failed", { status = 500, body = "<html>Oops</html>", headers = { ["Content-Type"] = "text/html" } } },
    { "nothing", { status = 204 } },
    { "an empty body", { body = "" } },
    { "a redirect", { status = 302, headers = { Location = "/elsewhere/" } } },
    { "big numbers", { body = '{"a": 9007199254740993, "b": 1.10, "c": 1e400, "d": 123456789012345678901234567890}' } },
    { "a name twice, and escapes", { body = [[{"a": 1, "a": "\u00e9\/\ud83d\ude00"}]] } },
    { "a broken JSON", { body = '{"a": ', headers = { ["Content-Type"] = "application/json" } } },
    { "a header twice", {
      raw = "HTTP/1.1 200 OK\r\nLink: </a>; rel=a\r\nLink: </b>; rel=b\r\nContent-Length: 2\r\n\r\n{}",
    } },
    { "compressed", { headers = { ["Content-Encoding"] = "gzip" }, body = shell "printf '{\"z\":1}' | gzip -cn" } },
    { "in chunks", { body = { a = 1 }, chunked = true } },
    { "no type", { raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" } },
  } do
    it(case[1], function()
      local service = real()
      service:script("/odd/", { case[2] })
      local list = { { "GET", "/odd/" }, { "POST", "/odd/", { body = { a = 1 } } } }
      local recorded, replayed = both(service, requests(list))
      assert.same(recorded, replayed)
      assert.equal(3, #file.read(path):gsub("[^\n]", ""))
    end)
  end

  it("headers that a client acts by", function()
    local service = real()
    local headers = { ["Retry-After"] = 7, ETag = '"x"', ["X-Acme"] = "private" }
    service:script("/odd/", { { status = 429, headers = headers } })
    local function program(client)
      local _, err = client:request("GET", "/odd/")
      return { err.retry_after, err.response.headers.etag, err.response.headers["x-acme"] or "none" }
    end
    local recorded, replayed = both(service, program)
    assert.same({ 7, '"x"', "private" }, recorded)
    assert.same({ 7, '"x"', "none" }, replayed)
  end)

  it("replies in their order, the last again and again", function()
    local service = real()
    service:script("/poll/", { { body = { n = 1 } }, { body = { n = 2 } }, { body = { n = 3 } } })
    local list = { { "GET", "/poll/" }, { "GET", "/poll/" }, { "GET", "/poll/" } }
    local recorded, _, player = both(service, requests(list))
    assert.same({ '200  {"n":1}', '200  {"n":2}', '200  {"n":3}' }, recorded)
    assert.same({ '200  {"n":3}', '200  {"n":3}', '200  {"n":3}' }, outcomes(player, requests(list)))
    player:reset()
    assert.same(recorded, outcomes(player, requests(list)))
  end)

  it("a binary body as its length", function()
    local service = real()
    service:script("/audio/", { { body = "RIFF\0\255\254", headers = { ["Content-Type"] = "audio/wav" } } })
    local recorded, replayed = both(service, requests { { "GET", "/audio/" } })
    assert.same({ "200  RIFF\0\255\254" }, recorded)
    assert.same({ "200  \0\0\0\0\0\0\0" }, replayed)
  end)

  it("a binary body, if it is to be kept", function()
    local service = real()
    service:script("/audio/", { { body = "RIFF\0\255\254", headers = { ["Content-Type"] = "audio/wav" } } })
    local recorded, replayed = both(service, requests { { "GET", "/audio/" } }, { keep_binary = true })
    assert.same(recorded, replayed)
  end)

  it("further headers that are to be kept", function()
    local service = real()
    service:script("/odd/", { { headers = { ["X-Total"] = 7 }, body = {} } })
    local function program(client)
      return { client:request("GET", "/odd/").headers["x-total"] }
    end
    local recorded, replayed = both(service, program, { keep_headers = { "X-Total" } })
    assert.same({ "7" }, recorded)
    assert.same(recorded, replayed)
  end)

  it("links to the service itself", function()
    local service = real()
    service:script("/list/", { { body = ('{"next":"%s/more/?page=2"}'):format(service.url),
      headers = { Link = ("<%s/more/>; rel=next"):format(service.url) } } })
    local function program(client, own)
      local reply = client:request("GET", "/list/")
      local more = own.url .. "/more/"
      return { reply:json().next == more .. "?page=2", reply.headers.link == "<" .. more .. ">; rel=next" }
    end
    local recorded, replayed = both(service, program)
    assert.same({ true, true }, recorded)
    assert.same({ true, true }, replayed)
    assert.truthy(file.read(path):find('"next":"https://service.invalid/more/?page=2"', 1, true))
  end)

  it("a recording that is sent", function()
    local function program(client)
      local call = cekura.assert(client.calls:send { agent = 2142, call_id = "c-1", transcript_type = "cekura",
        transcript_json = { { role = "Main Agent", content = "Hi." } },
        voice_recording = { data = "RIFF\0\1", name = "a.wav", content_type = "audio/wav" } })
      return { call.id }
    end
    local recorded, replayed, player = both(real(), program)
    assert.same(recorded, replayed)
    assert.same({}, player:unrecorded())
    assert.truthy(file.read(path):find('{"name":"voice_recording","file":"a.wav","bytes":6}', 1, true))
  end)
end)

describe("a recording holds no", function()
  -- The lines of a recording of one request.
  local function recording(reply, target, options)
    local service = real()
    service:script("/x/", { reply })
    local recorder = record(service)
    outcomes(recorder, requests { { options and "POST" or "GET", target or "/x/", options } })
    return file.read(path), service
  end

  it("key, wherever the service puts it", function()
    local text = recording({ headers = { Location = "/x/?k=" .. KEY, ["X-Key"] = KEY, Link = "<" .. KEY .. ">" },
      body = { echo = KEY, deep = { ("Key %s."):format(KEY) }, [KEY] = 1, coded = "Y2tfbGl2ZV82ZmIxYzA5YQ==" } },
      "/x/?a=" .. KEY)
    assert.falsy(text:find(KEY, 1, true))
    assert.falsy(text:find("Y2tfbGl2ZV82ZmIxYzA5Y", 1, true))
    assert.truthy(text:find('"echo":"REDACTED"', 1, true))
  end)

  it("key in a text that is not JSON", function()
    local text = recording { status = 500, body = "Key " .. KEY .. "!", headers = { ["Content-Type"] = "text/plain" } }
    assert.truthy(text:find('"text":"Key REDACTED!"', 1, true))
  end)

  it("host of the service", function()
    local text, service = recording { body = { url = "http://127.0.0.1:9/x", other = "https://eu.acme.com/a" } }
    assert.falsy(text:find("127.0.0.1", 1, true))
    assert.falsy(text:find("acme", 1, true))
    assert.truthy(text:find('"other":"https://host-1.invalid/a"', 1, true))
    assert.falsy(text:find(service.url:match "%d+$", 1, true))
  end)

  it("header that is not of HTTP, nor cookies", function()
    local headers = { ["X-Acme-Secret"] = "v", ["Set-Cookie"] = "sid=1", Server = "acme" }
    local text = recording { headers = headers, body = {} }
    assert.truthy(text:find('"headers":{"content-type":"application/json"}', 1, true))
  end)

  it("secret that the request has in its headers", function()
    local text = recording({ body = { detail = "no tok-12345678 here" } }, "/x/", { body = { a = 1 },
      headers = { ["X-Acme-Token"] = "tok-12345678", Authorization = "Bearer tok-87654321" } })
    assert.falsy(text:find("tok", 1, true))
  end)

  it("text that the program takes out", function()
    local service = real()
    service:script("/x/", { { body = { text = "Hello, Jane!" } } })
    local function anonymous(text)
      return (text:gsub("Jane", "<name>"))
    end
    local recorder = record(service, { redact = anonymous })
    local list = { { "POST", "/x/", { body = { to = "Jane" } } } }
    outcomes(recorder, requests(list))
    assert.falsy(file.read(path):find "Jane")
    local player = replay { redact = anonymous }
    assert.same({ '200  {"text":"Hello, <name>!"}' }, outcomes(player, requests(list)))
    assert.same({ "421" }, { outcomes(replay(), requests(list))[1]:sub(1, 3) })
  end)

  it("part of a line that is missing: each is whole once the program has its answer", function()
    local recorder = record(real())
    for count = 1, 5 do
      outcomes(recorder, requests { { "GET", "/observability/v2/call-logs/5181749/" } })
      local text = file.read(path)
      assert.equal(count + 1, #text:gsub("[^\n]", ""))
      assert.equal("\n", text:sub(-1))
    end
  end)
end)

describe("testing.record", function()
  it("sends the real key in place of the program's", function()
    local service = real()
    local recorder = record(service)
    local client = recorder:client { api_key = "any" }
    assert.truthy(client.calls:get(5181749))
    assert.equal(KEY, service:requests()[1].headers["x-cekura-api-key"])
  end)

  it("passes the rest of a request on as it is", function()
    local service = real()
    local recorder = record(service)
    local client = recorder:client {}
    client:request("PUT", "/echo/a%2Fb/?q=1&q=2", { body = '{"a": 1}', headers = { ["X-Mine"] = "yes" } })
    local request = service:requests()[1]
    assert.same({ "PUT", '{"a": 1}', "yes", "application/json" },
      { request.method, request.body, request.headers["x-mine"], request.headers["content-type"] })
    assert.same({ "1", "2" }, request.query.q)
  end)

  it("records concurrent requests", function()
    local service = real()
    local list = {}
    for number = 1, 8 do
      service:script(("/n/%d/"):format(number), { { body = { n = number }, delay = (8 - number) / 40 } })
    end
    local recorder = record(service)
    cekura.run(function()
      for number = 1, 8 do
        cekura.spawn(function()
          local client = recorder:client {}
          list[number] = cekura.assert(client:request("GET", ("/n/%d/"):format(number))):json().n
        end)
      end
    end)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, list)
    recorder:stop()
    service:stop()
    local player = replay()
    for number = 8, 1, -1 do
      local get = { "GET", ("/n/%d/"):format(number) }
      assert.same({ ('200  {"n":%d}'):format(number) }, outcomes(player, requests { get }))
    end
  end)

  it("serves another process while this one is blocked", function()
    local recorder = record(real())
    local program = ([[%s -e 'local c = require("cekura").new { base_url = "%s", api_key = "k", config_file = false }
      print(c.calls:get(5181749).id)']]):format(os.getenv "CEKURA_LUA", recorder.url)
    assert.equal("5181749\n", shell(program))
    recorder:stop()
    assert.equal("5181749\n", shell((program:gsub("http://[%d.:]+", replay().url))))
  end)

  it("answers 502 for what was no answer, and does not record it", function()
    local service = real()
    service:script("/cut/", { { body = { a = 1 }, cut = 3 } })
    service:script("/drop/", { { drop = true } })
    local recorder = record(service)
    local found = outcomes(recorder, requests { { "GET", "/cut/" }, { "POST", "/drop/", { body = {} } } })
    assert.equal("502", found[1]:sub(1, 3))
    assert.equal("502", found[2]:sub(1, 3))
    assert.truthy(found[1]:find("not recorded: ", 1, true))
    assert.equal('{"cekura_recording":1}\n', file.read(path))
  end)

  it("keeps scripts for single paths", function()
    local recorder = record(real())
    recorder:script("/observability/v2/call-logs/5181749/", { { status = 503 }, { pass = true } })
    local get = { "GET", "/observability/v2/call-logs/5181749/" }
    local found = outcomes(recorder, requests { get, get })
    assert.same({ "503", "200" }, { found[1]:sub(1, 3), found[2]:sub(1, 3) })
  end)

  it("refuses another host where only this machine may be asked", function()
    local program = ([[print(require("cekura.testing").record("%s",
      { base_url = "https://api.acme.com", api_key = "k", config_file = false }))]]):format(path)
    local output = shell(("CEKURA_LOOPBACK_ONLY=1 %s -e '%s'"):format(os.getenv "CEKURA_LUA", program))
    assert.matches("^nil\tcekura: config: .*CEKURA_LOOPBACK_ONLY", output)
  end)

  it("returns why there can be no recording", function()
    local function refused(message, ...)
      local service, err = testing.record(...)
      assert.is_nil(service)
      assert.equal("config", err.kind)
      assert.matches(message, tostring(err))
    end
    local good = { base_url = "http://127.0.0.1:9", api_key = "k", config_file = false }
    refused("cannot be written: .*/none/x", "/none/x", good)
    refused("API key", path, { base_url = "http://127.0.0.1:9", config_file = false })
    refused("base URL", path, { base_url = "http://acme.com", api_key = "k", config_file = false })
  end)

  it("raises for mistakes at the caller's line", function()
    local outside = 1
    for message, call in pairs {
      ["file: string expected"] = function() testing.record(1) end,
      ["did you mean api_key"] = function() testing.record(path, { api_kye = "x" }) end,
      ["keep_headers%[1%]: string expected"] = function() testing.record(path, { keep_headers = { 1 } }) end,
      ["redact: a Lua function expected that uses no local variables from outside: outside"] = function()
        testing.record(path, { redact = function(text) return text .. outside end })
      end,
      ["redact: function expected"] = function() testing.record(path, { redact = 1 }) end,
      ["api_key: string expected"] = function() testing.record(path, { api_key = 1 }) end,
      ["ignore: "] = function() testing.replay(path, { ignore = "x" }) end,
    } do
      local ok, err = pcall(call)
      assert.is_false(ok, message)
      assert.matches("replay_spec.lua:%d+: .*" .. message, err)
    end
  end)
end)

describe("testing.replay", function()
  -- Records these requests of the simulated service.
  local function recorded(list)
    local service = real()
    local recorder = record(service)
    for _, one in ipairs(list) do
      service:script(one[2]:match "^[^?]*", { { body = { ok = true } } })
      outcomes(recorder, requests { one })
    end
    recorder:stop()
    service:stop()
  end

  local function status(player, ...)
    return tonumber(outcomes(player, requests { { ... } })[1]:match "^%d+")
  end

  it("compares parameters in any order, and JSON by its value", function()
    recorded { { "POST", "/x/?b=2&a=1", { body = '{"n": 1.50, "list": [1, {"a": "\\u00e9", "b": null}], "e": 1e3}' } } }
    local player = replay()
    local same = '{"e":1000,"list":[1,{"b":null,"a":"é"}],"n":1.5}'
    assert.equal(200, status(player, "POST", "/x/?a=1&b=2", { body = same }))
    for _, other in ipairs {
      { "GET", "/x/?a=1&b=2" }, { "POST", "/x/?a=1", { body = "{}" } }, { "POST", "/y/?a=1&b=2" },
      { "POST", "/x/?a=1&b=2", { body = '{"e":1000,"list":[{"b":null,"a":"é"},1],"n":1.5}' } },
      { "POST", "/x/?a=1&b=2", { body = '{"e":"1000","list":[1,{"b":null,"a":"é"}],"n":1.5}' } },
    } do
      assert.equal(421, status(player, other[1], other[2], other[3]))
    end
    assert.equal(5, #player:unrecorded())
  end)

  it("says which request was not recorded, and what differs", function()
    recorded {
      { "GET", "/calls/7/?page=1" },
      { "POST", "/jobs/", { body = { agent = 1, prompt = "Be kind.", list = { 1, 2 } } } },
    }
    local player = replay()
    for _, case in ipairs {
      { "GET", "/calls/7/?page=2", nil,
        'not recorded: GET /calls/7/; the nearest is GET /calls/7/: query.page is "2", recorded was "1"' },
      { "POST", "/jobs/", { body = { agent = 2, prompt = "Be kind.", list = { 1, 3 }, more = true } },
        "not recorded: POST /jobs/; the nearest is POST /jobs/: body.agent is 2, recorded was 1; "
        .. "body.list[2] is 3, recorded was 2; body.more is true, recorded was nothing" },
      { "DELETE", "/calls/7/?page=1", nil,
        "not recorded: DELETE /calls/7/; the nearest is GET /calls/7/: the method is DELETE, recorded was GET" },
      { "GET", "/calls/8/?page=1", nil,
        "not recorded: GET /calls/8/; the nearest is GET /calls/7/: the path is /calls/8/, recorded was /calls/7/" },
    } do
      player:reset()
      local client = player:client {}
      local _, err = client:request(case[1], case[2], case[3])
      assert.same({ "invalid", 421 }, { err.kind, err.status })
      assert.equal(case[4], player:unrecorded()[1].unrecorded)
      assert.equal(case[4], err.response:json().detail)
    end
  end)

  it("ends a wait at once when its poll was not recorded", function()
    recorded { { "GET", "/x/" } }
    local client = replay():client {}
    local _, err = client:job("calls.improve_prompt", "5f0c1d2e-0000-4000-8000-000000000001"):wait()
    assert.equal("invalid", err.kind)
  end)

  it("finds requests with other numbers and hosts than those of the recording, if equal ones stay equal", function()
    local function call(number, host)
      return { "POST", "/dial/", { body = { number = number, back = "https://" .. host .. "/done" } } }
    end
    recorded { call("+14155552671", "a.acme.com"), call("+14155552672", "a.acme.com") }
    assert.falsy(file.read(path):find "1415")
    local player = replay()
    assert.same({ 200, 200, 200, 421, 421 }, {
      status(player, unpack(call("+442079460958", "b.acme.com"))),
      status(player, unpack(call("+442079460959", "b.acme.com"))),
      status(player, unpack(call("+44 20 7946 0958", "b.acme.com"))),
      status(player, unpack(call("+442079460960", "b.acme.com"))),
      status(player, unpack(call("+442079460958", "c.acme.com"))),
    })
    assert.matches("another phone number", player:unrecorded()[1].unrecorded)
  end)

  it("takes what the recording itself has in place of numbers", function()
    recorded { { "POST", "/dial/", { body = { number = "+14155552671" } } } }
    assert.equal(200, status(replay(), "POST", "/dial/", { body = { number = "+15555550100" } }))
  end)

  it("ignores what may differ", function()
    recorded { { "POST", "/x/?at=1&a=1", { body = { deep = { at = 1 }, a = 1 } } } }
    local other = { "POST", "/x/?at=2&a=1", { body = { deep = { at = 2 }, a = 1 } } }
    assert.equal(421, status(replay(), unpack(other)))
    assert.equal(200, status(replay { ignore = { "at" } }, unpack(other)))
    other[2] = "/x/?at=2&a=2"
    assert.equal(421, status(replay { ignore = { "at" } }, unpack(other)))
  end)

  it("divides pauses by the speed", function()
    local service = real()
    service:script("/x/", { { status = 429, headers = { ["Retry-After"] = "20" } }, { body = { ok = true } } })
    local recorder = record(service)
    outcomes(recorder, requests { { "GET", "/x/" } })
    outcomes(recorder, requests { { "GET", "/x/" } })
    local player = replay { speed = 1000 }
    assert.truthy(player:client({}):request("GET", "/x/")) -- within its timeout of 30 s, twice
    assert.equal(2, #player:requests())
  end)

  it("returns the line that is damaged", function()
    recorded { { "GET", "/x/" }, { "GET", "/y/" } }
    local good = file.read(path)
    local lines = {}
    for line in good:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    for _, case in ipairs {
      { good:sub(1, -20), "line 3: it is not JSON, or was cut" },
      { lines[1] .. "\n\n" .. lines[2]:gsub('"path":"/x/"', '"path":"x"') .. "\n", "line 3: it has no request" },
      { lines[1] .. "\n" .. lines[2]:gsub('"status":200', '"status":"200"'), "line 2: it has no reply with a status" },
      { lines[2] .. "\n", "line 1: it is no recording of this version" },
      { "", "line 1: it is no recording" },
    } do
      file.write(path, case[1])
      local service, err = testing.replay(path)
      assert.is_nil(service)
      assert.equal("config", err.kind)
      assert.matches(path .. ", " .. case[2], tostring(err))
    end
    local _, err = testing.replay "/none"
    assert.matches("cannot be read: /none", tostring(err))
  end)
end)

describe("cekura-lua sim", function()
  local function sim(options, script, before)
    return shell(("%s %s sim %s -- sh -c '%s'"):format(before or "", command.program, options, script))
  end

  it("records what a program in any language does, and replays it", function()
    local service = real()
    service:script("/x/", { { body = '{"url":"https://a.acme.com/"}' } })
    local script = "curl -s $CEKURA_API_URL/x/; exit 3"
    local environment = ("CEKURA_API_URL=%s CEKURA_API_KEY=%s"):format(service.url, KEY)
    local output, status = sim("--record " .. path, script, environment)
    assert.same({ '{"url":"https://a.acme.com/"}', 3 }, { output, status })
    assert.equal(KEY, service:requests()[1].headers["x-cekura-api-key"])
    service:stop()
    output, status = sim("--replay " .. path, script)
    assert.same({ '{"url":"https://host-1.invalid/"}', 3 }, { output, status })
  end)

  it("fails, and says which requests were not recorded", function()
    file.write(path, '{"cekura_recording":1}\n')
    local output, status = sim("--replay " .. path, "curl -s -o /dev/null $CEKURA_API_URL/y/")
    assert.same({ "not recorded: GET /y/; the recording is empty\n", 1 }, { output, status })
    output, status = sim("--replay " .. path, "curl -s -o /dev/null $CEKURA_API_URL/y/; exit 3")
    assert.same({ "not recorded: GET /y/; the recording is empty\n", 3 }, { output, status })
  end)

  it("refuses files that it cannot use, and both at once", function()
    for options, message in pairs {
      ["--replay /none"] = "the recording cannot be read: /none: No such file",
      ["--record /none/x"] = "the recording cannot be written: /none/x: No such file",
      ["--record x --replay y"] = "sim: give --record or --replay, not both",
    } do
      local output, status = sim(options, "echo no", "CEKURA_API_URL=http://127.0.0.1:9 CEKURA_API_KEY=k")
      assert.equal(2, status)
      assert.truthy(output:find(message, 1, true), output)
    end
  end)
end)
