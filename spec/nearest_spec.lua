--- The hint at the nearest known name, wherever a program may misspell one.

local cekura = require "cekura"
local nearest = require "cekura.nearest"

local NAMES = { agent_id = true, assistant_id = true, call_logs = true, category_ids = true, prompt = true }

describe("the nearest name", function()
  it("is the one with the fewest changed letters, and of several the first of the alphabet", function()
    for given, name in pairs { agent = "agent_id", catgory_ids = "category_ids", porompt = "prompt", rpompt = "prompt",
      categories = "category_ids", calllogs = "call_logs", callLogs = "call_logs", ["call-logs"] = "call_logs",
      PROMPT = "prompt", assistent_id = "assistant_id" } do
      assert.equal((" (did you mean %s?)"):format(name), nearest(given, NAMES))
    end
    assert.equal(" (did you mean ba?)", nearest("ab", { abcd = 1, ba = 1 })) -- a swap counts as one change
    assert.equal(" (did you mean aa?)", nearest("a", { ab = 1, aa = 1, ac = 1 }))
  end)

  it("is found for a value of any type, and is absent if there are no names", function()
    for _, given in ipairs { 5, true, {}, print, "", ("x"):rep(1e6), "\0\255%s" } do
      assert.truthy(nearest(given, NAMES):find "^ %(did you mean [%w_]+%?%)$")
    end
    assert.equal("", nearest("x", {}))
    assert.equal(" (did you mean a?)", nearest("x", { 1, 2, a = 3 }))
  end)

  it("is suggested for options, kinds, members of a declaration, filters and operators", function()
    local client = cekura.assert(cekura.new { api_key = "k", config_file = false, base_url = "http://127.0.0.1:1" })
    for name, call in pairs {
      timeout = function() cekura.new { timout = 5 } end,
      headers = function() client:request("GET", "/", { header = {} }) end,
      ["calls.improve_prompt"] = function() client:start("calls.improveprompt", {}) end,
      ["runs.improve_prompt"] = function() client:job("run.improve_prompt", 5) end,
      poll = function() cekura.kind("a.b", { pol = "GET /x/" }) end,
      total = function() cekura.kind("a.b", { poll = "GET /x/", counters = { totl = "x" } }) end,
      text = function() cekura.kind("a.b", { poll = "GET /x/", params = { x = { "txt" } } }) end,
      succeeded = function() cekura.kind("a.b", { poll = "GET /x/", statuses = { x = "suceeded" } }) end,
      page_size = function() client.calls:list { pagesize = 5 } end,
      contains = function() client.calls:list { { "topic", "contain", "x" } } end,
      vapi = function() client.calls:send_raw("vappi", "{}") end,
      agent_id = function() client.calls:send_raw("vapi", "{}", { agent = 5 }) end,
      secret = function() client:webhook { secrt = "x" } end,
    } do
      local fine, message = pcall(call)
      assert.is_false(fine, name)
      assert.truthy(message:find((" (did you mean %s?)"):format(name), 1, true), message)
    end
    client:close()
  end)
end)
