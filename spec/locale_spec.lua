--- A host may have set any locale. In a Turkish locale with one byte for each letter, the lower case of I is not i, and
-- letters have bytes from 128 on. Words of protocols and texts must not depend on it.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local PROGRAM = [[
  assert(os.setlocale(%q), "no locale")
  if not jit then
    assert(("I"):lower() ~= "i" and ("\231"):find "%%a", "the locale does nothing")
  end
  local cekura = require "cekura"
  local answer, kinds, uri = require "cekura.job.interpret", require "cekura.api.kinds", require "cekura.http.uri"
  local errors, nearest, response = require "cekura.errors", require "cekura.nearest", require "cekura.http.response"
  local client = cekura.assert(cekura.new { api_key = "k", config_file = false, base_url = "HTTP://LOCALHOST:1/" })

  local function is(wanted, found) -- compares two values as texts
    if tostring(wanted) ~= tostring(found) then
      print(("%%q, not %%q"):format(tostring(wanted), tostring(found)))
    end
  end

  local kind = kinds["scenarios.agent"]
  for word, state in pairs { FAILED = "failed", CANCELLED = "cancelled", IN_PROGRESS = "running", TIMEOUT = "failed",
    NEEDS_CLARIFICATION = "needs_input", ["TIMED OUT"] = "failed", EXPIRED = "failed", TERMINATED = "cancelled",
    FINISHED = "succeeded", ["\231FAILED"] = "running" } do
    is(state, (answer.read(kind, { status = word })))
  end
  is("nothing_to_do", (answer.read(kinds["calls.improve_prompt"], { status = "ERROR", error = "NO ISSUES FOUND" })))
  is("pending", (answer.read(kind, { error = "UNDEFINED" })))
  is(true, cekura.call_log('{"status":"REVIEWED_FAILURE"}'):evaluated())
  is("binary", cekura.call_log('{"metrics":[{"name":"x","type":"BINARY_QUALITATIVE"}]}'):metric("x").type)

  local event = cekura.assert(client:webhook { secret = "x" }({ ["X-CEKURA-SECRET"] = "x",
    ["X-CEKURA-IDEMPOTENCY-KEY"] = "5" }, '{"event_type":"call_log.completed","data":{"id":7}}'))
  is(7, event.call_log.id)
  local headers = response.new(client, "GET", "/",
    { status = 200, _head = "HTTP/1.1 200 OK\r\nContent-Disposition: x\r\n\r\n", body = "" }).headers
  is("x", headers["CONTENT-DISPOSITION"])

  is("%%C3%%A7%%FD%%2F", uri.encode "ç\253/")
  is("/%%C3%%A7", uri.path("path", "/ç"))
  is("ç\129 x", errors.new("config", "ç\129\nx").message)
  is(" (did you mean filters?)", nearest("FILTERS", { filters = true, foo = true }))
  for _, wrong in ipairs {
    function() return client:request("GETİ", "/x/") end,
    function() return client:request("GET", "/x/", { headers = { ["X-\231"] = "x" } }) end,
    function() return client:request("GET", "/x/", { headers = { ["X-CEKURA-API-KEY"] = "x" } }) end,
    function() return client:request("GET", "/x/", { headers = { ["CONNECTION"] = "x" } }) end,
    function() return cekura.kind("\231.\231", { poll = "GET /x/" }) end,
  } do
    is(false, (pcall(wrong)))
  end
  local fine, failure = client:request("options", "/x/", { timeout = 0.1 })
  is(nil, fine)
  is("OPTIONS", failure.method)

  local turns = cekura.call_log '{"transcript_object":[{"start_time":"1.25","content":["a"]}]}':turns()
  is(1.25, turns().start_time)
  is(true, cekura.call_log('{"metrics":[{"name":"x","passed":"TRUE"}]}'):metric("x").passed)
  local first = cekura.call_log('{"transcript":"AI: ç.\\nI: x"}'):turns()()
  is("AI", first.role)
  is("ç.", first.content)
]]

describe("in a Turkish locale", function()
  local folder

  setup(function()
    folder = shell "mktemp -d":gsub("%s", "")
  end)

  teardown(function()
    shell("rm -rf " .. folder)
  end)

  it("the same is read and sent", function()
    local output, status = shell(("localedef -i tr_TR -f ISO-8859-9 %s/tr_TR.ISO-8859-9"):format(folder))
    if not file.read(folder .. "/tr_TR.ISO-8859-9/LC_CTYPE") then
      pending("the locale could not be compiled: " .. status .. output)
    end
    output, status = file.temporary(PROGRAM:format "tr_TR.ISO-8859-9", function(path)
      return shell(("LOCPATH=%s timeout 60 %s %s 2>&1"):format(folder, lua, path))
    end)
    assert.equal("", output)
    assert.equal(0, status)
  end)
end)
