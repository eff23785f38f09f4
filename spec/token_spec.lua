-- Tokens: a job as a plain string, from which another process resumes it.

local cekura = require "cekura"
local core = require "cekura.core"
local path = require "cekura.job.path"
local selection = require "cekura.job.selection"
local token = require "cekura.job.token"

local MEMBERS = { kind = "calls.improve_prompt", id = "a/b&c=d", base = "https://api.cekura.ai", started = 1780000000,
  agent_id = 2142 }
local TOKEN = "cekura2.agent_id.2142.base.https~3A~2F~2Fapi~2Ecekura~2Eai.id.a~2Fb~26c~3Dd.kind.calls~2Eimprove_prompt"
  .. ".started.1780000000.5d985534"
-- As earlier versions wrote it.
local EARLIER = "cekura1:agent_id=2142&base=https%3A%2F%2Fapi.cekura.ai&id=a%2Fb%26c%3Dd&kind=calls.improve_prompt"
  .. "&started=1780000000&5037f58c"

local function as_text(members)
  local texts = {}
  for name, value in pairs(members) do
    texts[name] = tostring(value)
  end
  return texts
end

describe("a token", function()
  it("reads back unchanged", function()
    assert.same(as_text(MEMBERS), token.read(token.write(MEMBERS)))
  end)

  it("is the same on every Lua, so another Lua can resume the job", function()
    assert.equal(TOKEN, token.write(MEMBERS))
    assert.same(as_text(MEMBERS), token.read(TOKEN))
    assert.same(as_text(MEMBERS), token.read(EARLIER))
  end)

  it("contains any text, byte for byte", function()
    for _, id in ipairs {
      "x", "", ".", "..", "%41", "a b", "a&id=b", "a=b=c", "&&", "\0\1\r\n\t", "schlüssel 日本", "\255\254", "cekura2.",
      "~", "~41", "a.b",
      ("x"):rep(4000), "2142", "0x10", "1e3", "9007199254740993",
    } do
      assert.equal(id, token.read(token.write { id = id, kind = "k" }).id)
    end
  end)

  it("consists of characters that stand in a URL, a line of a file or a shell as they are", function()
    local every = {}
    for byte = 0, 255 do
      every[byte + 1] = string.char(byte)
    end
    every = table.concat(every)
    local text = token.write { id = every, base = "https://x.example/a b", ["text_" .. every] = every }
    assert.is_nil(text:find "[^A-Za-z0-9._~-]")
    assert.same({ id = every, base = "https://x.example/a b", ["text_" .. every] = every }, token.read(text))
  end)
end)

for name, text in pairs { ["a token"] = TOKEN, ["an earlier token"] = EARLIER } do
  describe(name .. " that is not whole", function()
    it("is none, wherever it was cut", function()
      for length = 0, #text - 1 do
        assert.is_nil(token.read(text:sub(1, length)))
      end
      for first = 2, #text do
        assert.is_nil(token.read(text:sub(first)))
      end
    end)

    it("is none, whichever character was changed", function()
      for at = 1, #text do
        local char = text:sub(at, at)
        for _, other in ipairs { "x", "0", "=", "&", "%", ".", "~", " ", "\0", char:upper() } do
          if other ~= char then
            assert.is_nil(token.read(text:sub(1, at - 1) .. other .. text:sub(at + 1)))
          end
        end
      end
    end)

    it("is none, if two characters have changed places", function()
      for at = 1, #text - 1 do
        local a, b = text:sub(at, at), text:sub(at + 1, at + 1)
        if a ~= b then
          assert.is_nil(token.read(text:sub(1, at - 1) .. b .. a .. text:sub(at + 2)))
        end
      end
    end)

    it("is none, if something stands before or after it", function()
      for _, more in ipairs { " ", "\n", "\0", "x", "&", "&id=other", ".", ".id.other" } do
        assert.is_nil(token.read(text .. more))
        assert.is_nil(token.read(more .. text))
      end
    end)
  end)
end

describe("a string that is not a token", function()
  it("is refused", function()
    for _, text in ipairs {
      "", " ", "x", "cekura1:", "cekura1:&", "cekura1:&00000007", "cekura2.", "cekura2..",
      "cekura2.00000007", "cekura3." .. TOKEN:sub(9), "cekura1:" .. TOKEN:sub(9), "cekura2." .. EARLIER:sub(9),
      "null", "{}",
      "https://api.cekura.ai/", "a3f1c9d2-6f1e-4a60-9d3e-1b6a0f0f7c11", "\255\254\0", ("&"):rep(8000),
      "cekura1:" .. ("a=b&"):rep(1000), "cekura1:id=x&ffffffffffffffff",
    } do
      assert.is_nil(token.read(text))
    end
  end)

  it("is refused even if it is huge", function()
    assert.is_nil(token.read(("x"):rep(10000000)))
    assert.is_nil(token.read("cekura1:" .. ("&"):rep(10000000)))
    assert.is_nil(token.read("cekura2." .. ("."):rep(10000000)))
    assert.is_true(token.read(token.write { id = ("x"):rep(65536), kind = "k" }) == nil)
  end)
end)

describe("a token whose checksum is right", function()
  it("is none, if it is not made of names and values", function()
    for _, said in ipairs { "cekura2.id", "cekura2.id.1.kind", "cekura2.", "cekura2.id.~", "cekura2.id.~4",
      "cekura2.id.~zz",
      "cekura2.id.a b", "cekura2.id.a%20b", "cekura2.id.a=b&c", "cekura2.id.\0" } do
      assert.is_nil(token.read(said .. "." .. token.checksum(said)), said)
    end
    local said = "cekura2.id.~7e~2e~2E.kind."
    assert.same({ id = "~..", kind = "" }, token.read(said .. "." .. token.checksum(said)))
  end)
end)

describe("a client", function()
  local client

  before_each(function()
    client = assert(cekura.new { api_key = "sk-secret", base_url = "http://127.0.0.1:1/v1", config_file = false,
      project_id = 9 })
  end)

  after_each(function()
    client:close()
  end)

  it("resumes a job from its token, with its scope", function()
    local job = assert(client:job("calls.improve_prompt", "p/1 ü", { agent_id = 2142 }))
    local again = assert(client:resume(assert(job:token())))
    assert.equal("calls.improve_prompt", again.kind)
    assert.equal("p/1 ü", again.id)
    assert.equal("pending", again.state)
    assert.equal(job:token(), again:token())
    assert.equal("2142", token.read(again:token()).agent_id)
  end)

  it("takes up a job from a token that an earlier version has written", function()
    local earlier = "cekura1:agent_id=2142&base=http%3A%2F%2F127.0.0.1%3A1%2Fv1&id=p%2F1%20%C3%BC"
      .. "&kind=calls.improve_prompt&started=1780000000&f7ec14ec"
    local job = assert(client:resume(earlier))
    assert.same({ "calls.improve_prompt", "p/1 ü" }, { job.kind, job.id })
    assert.equal("cekura2.agent_id.2142.base.http~3A~2F~2F127~2E0~2E0~2E1~3A1~2Fv1.id.p~2F1~20~C3~BC"
      .. ".kind.calls~2Eimprove_prompt.started.1780000000.942fb7a2", job:token())
  end)

  it("keeps when a job was started, whatever time it is now", function()
    local text = assert(client:job("calls.improve_prompt", "p1")):token()
    local date = core.date
    finally(function() core.date = date end)
    core.date = function() return date() + 7 end
    assert.equal(text, assert(client:resume(text)):token())
    local dates = { 60, 61 } -- the second changes while the token is read
    core.date = function() return date() + (table.remove(dates, 1) or 61) end
    assert.equal(text, assert(client:resume(text)):token())
  end)

  it("resumes a job with its data unchanged: a string of digits stays a string", function()
    for _, kept in ipairs {
      "12345678", "0012", "123e4567", "1e5", "0x1f", "9007199254740993", "inf", "nan", " 7", "", "a&b=c", 7, -7, 2 ^ 53,
    } do
      local job = assert(client:job("agents.improvement_session", "p1", { agent_id = 5 }))
      core.fields(job)._carried = { session_id = kept }
      local again = assert(client:resume(job:token()))
      assert.equal(kept, core.fields(again)._carried.session_id)
      assert.equal(job:token(), again:token())
    end
  end)

  it("resumes a job whose token contains something that is not a number", function()
    for _, name in ipairs { "kept_session_id", "text_session_id", "number_session_id" } do
      for _, value in ipairs { "1e999", "-1e999", "nan", "inf", "0x", "9007199254740993" } do
        local text = token.write { kind = "agents.improvement_session", id = "p1", base = "http://127.0.0.1:1/v1",
          agent_id = "5", [name] = value }
        local job = assert(client:resume(text))
        assert.equal(job:token(), assert(client:resume(job:token())):token())
      end
    end
  end)

  it("puts no key into a token", function()
    assert.is_nil(client:job("calls.improve_prompt", 5):token():find("secret", 1, true))
  end)

  local function refusal(text)
    local job, err = client:resume(text)
    assert.is_nil(job)
    assert.equal("config", err.kind)
    return err.message
  end

  local function members(changes)
    local all = { kind = "calls.improve_prompt", id = "p1", base = "http://127.0.0.1:1/v1", started = 1780000000 }
    for name, value in pairs(changes) do
      all[name] = value ~= "" and value or nil
    end
    return token.write(all)
  end

  it("refuses a malformed token", function()
    for _, text in ipairs { "", "x", TOKEN:sub(1, -2), TOKEN .. "\n", members { id = "" }, members { kind = "" } } do
      refusal(text)
    end
  end)

  it("refuses a token for another base URL, and sends nothing there", function()
    for _, base in ipairs {
      "https://api.cekura.ai", "http://127.0.0.1:1", "http://127.0.0.1:1/v1/", "http://127.0.0.1:2/v1", "",
    } do
      assert.truthy(refusal(members { base = base }):find("base URL", 1, true))
    end
  end)

  it("refuses a token of an unknown kind", function()
    local message = refusal(members { kind = "no.such\nkind" })
    assert.truthy(message:find("no.such", 1, true))
    assert.is_nil(message:find("\n", 1, true))
  end)

  it("refuses an id that would lead to another path or is too long", function()
    for _, id in ipairs { "../../user/v1/x", "1/../2", "..\\x", "/", ("1"):rep(1025) } do
      assert.truthy(refusal(members { kind = "results.run", id = id }):find("the id", 1, true))
    end
    assert(client:resume(members { kind = "results.run", id = "..%2f?#" }))
  end)

  it("sends an id as one segment of a path or one parameter, whatever it contains", function()
    for id, sent in pairs { ["1?x=1#y"] = "1%3Fx%3D1%23y", [".."] = "%2E%2E", ["%2e%2e"] = "%252e%252e",
      ["1\r\nX-Evil: 1"] = "1%0D%0AX-Evil%3A%201", ["1 HTTP/1.1"] = "1%20HTTP%2F1.1", ["1\0"] = "1%00" } do
      local job, err = client:resume(members { kind = "results.run", id = id })
      if id:find "/" then
        assert.equal("config", err.kind)
        job = assert(client:resume(members { id = id }))
        assert.equal("/observability/v1/call-logs/improve_prompt_progress/?progress_id=" .. sent,
          path.of(core.fields(job), selection.WHOLE))
      else
        assert.equal("/test_framework/v2/results/" .. sent .. "/", path.of(core.fields(job), selection.WHOLE))
      end
    end
  end)

  it("keeps numbers as numbers and strings of digits as strings in a job's data", function()
    local kept = { session_id = "0012", other = 12, third = "nan", fourth = "1e3", fifth = -7, sixth = "0x10" }
    local fields = { kind = "calls.improve_prompt", id = "p1", _scope = {}, _carried = kept }
    local text = token.of_job(fields, 0, "http://127.0.0.1:1/v1")
    assert.same(kept, token.read_job(text).origin.carried)
    for _, wrong in ipairs { "nan", "inf", "0x10", "1e400", "", "x" } do -- not numbers, so they stay strings
      assert.same({ a = wrong }, token.read_job(token.write { kind = "k", id = "x", number_a = wrong }).origin.carried)
    end
  end)

  it("does not accept random bytes as a token", function()
    for _, given in pairs { { number_ = "1", text_ = "x" }, { agent_id = "../x" }, { project_id = "1&2" },
      { mark_sum = "x", mark_at = "soon", mark_judged = "2" } } do
      given.kind, given.id, given.base = "calls.improve_prompt", "p", "http://127.0.0.1:1/v1"
      local job = assert(client:resume(token.write(given)))
      assert.equal("p", job.id)
    end
  end)

  it("does not repeat a key that was made into a token", function()
    assert.is_nil(refusal(members { kind = "sk-secret" }):find("sk-secret", 1, true))
  end)

  it("does not trust the time in a token", function()
    for _, started in ipairs { "-5", "nan", "inf", "1e400", "1e300", "0x7fffffffffffffff", "soon", "99999999999" } do
      local job = assert(client:resume(members { started = started }))
      assert.is_true(job.elapsed >= 0 and job.elapsed < 3600)
    end
  end)
end)
