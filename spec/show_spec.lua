--- Values as messages show them.

local cekura = require "cekura"
local show = require "cekura.show"

describe("a value", function()
  it("is shown by its type, if it is not a text, a number or a boolean", function()
    for expected, value in pairs { table = {}, ["function"] = print, userdata = io.stdout, x = "x", ["5"] = 5,
      ["true"] = true, thread = coroutine.create(function() end), ["call_log"] = cekura.call_log "{}" } do
      assert.equal(expected, show.value(value))
    end
    assert.equal("nothing", show.value(nil))
    assert.equal('"x"', show.quoted "x")
    assert.equal("5", show.quoted(5))
  end)

  it("has at most 200 bytes, its quotes included", function()
    assert.equal(200, #show.value(("x"):rep(1e5)))
    assert.equal(200, #show.quoted(("x"):rep(1e5)))
    assert.equal(("é"):rep(100), show.value(("é"):rep(1e5)))
  end)

  it("is put into a format by its directive", function()
    assert.equal('a "b" 5 0.5 100% nothing', show.format("%s %q %d %g 100%% %s", "a", "b", 5, 0.5))
    assert.equal("table %s", show.format("%s %s", {}, "%s"))
  end)
end)

describe("a URL", function()
  it("is shown without what may be secret", function()
    for url, shown in pairs {
      ["ftp://a.example/v1"] = '"ftp://a.example/v1"', ["https://u:p@h:1/x?key=1"] = '"https://…@h:1/x?…"',
      ["http://user:secret"] = '"http://user:…"', ["user:secret"] = '"user:…"',
      ["http://[::1]:80/x"] = '"http://[::1]:80/x"', ["http://[::1]:secret"] = '"http://[::1]:…"',
      ["http://u:p@q@h/v1#x"] = '"http://…@h/v1?…"',
      ["api.cekura.ai"] = '"api.cekura.ai"', ["localhost:8000"] = '"localhost:8000"', [""] = '""',
      sk_live_0123 = "a text of 12 bytes", ["u:p@h"] = '"…@h"',
    } do
      assert.equal(shown, show.url(url))
    end
  end)
end)

describe("what was raised", function()
  it("is shown as its own text, and a plain table by its type", function()
    local raised = setmetatable({}, { __tostring = function() return "mine" end })
    local broken = setmetatable({}, { __tostring = function() error("no", 0) end })
    for expected, value in pairs { table = {}, x = "x", mine = raised, ["table (no)"] = broken, ["5"] = 5 } do
      assert.equal(expected, show.raised(value))
    end
    local long = ("x"):rep(1000)
    assert.equal(long, show.raised(long))
  end)
end)
