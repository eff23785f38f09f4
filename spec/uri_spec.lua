-- Paths and queries: a value cannot leave its place.

local uri = require "cekura.http.uri"
local in_decimal_comma = require "spec.support.decimal_comma"

local function raised(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_string(message)
  return message
end

local function decode(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

describe("encoded text", function()
  it("has every byte but the unreserved ones percent-encoded, in upper case", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      local expected = char:find "[A-Za-z0-9_~-]" and char or ("%%%02X"):format(byte)
      if char ~= "." then
        assert.equal(expected, uri.encode(char))
      end
    end
    assert.equal("a.b", uri.encode "a.b")
    assert.equal("sch%C3%BCssel%20%26%3D%2F%3F%23%25", uri.encode "schüssel &=/?#%")
  end)

  it("cannot be a dot segment of a path", function()
    assert.equal("%2E", uri.encode ".")
    assert.equal("%2E%2E", uri.encode "..")
    assert.equal("...", uri.encode "...")
    assert.equal("..%2Fadmin", uri.encode "../admin")
  end)

  it("decodes to the original", function()
    for _, text in ipairs { "", ".", "..", "a b\r\n\0", "100%25", "日本", "\255\254" } do
      assert.equal(text, decode(uri.encode(text)))
    end
  end)
end)

describe("a value in a query", function()
  it("is a string unchanged, or the name of a boolean", function()
    assert.equal("a b", uri.text("id", "a b"))
    assert.equal("true", uri.text("flag", true))
    assert.equal("false", uri.text("flag", false))
  end)

  it("is a whole number without a fraction", function()
    assert.equal("2142", uri.text("id", 2142))
    assert.equal("2142", uri.text("id", 4284 / 2))
    assert.equal("-3", uri.text("id", -3))
    assert.equal("0", uri.text("id", 0))
    assert.equal("1234567890123456", uri.text("id", 1234567890123456))
    assert.equal("9007199254740992", uri.text("id", 2 ^ 53))
  end)

  it("is a 64-bit integer with every digit, if this Lua has them", function()
    if math.type then
      assert.equal("9223372036854775807", uri.text("id", math.maxinteger))
      assert.equal("-9223372036854775808", uri.text("id", math.mininteger))
    end
  end)

  it("is any other number exactly", function()
    for _, value in ipairs { 0.5, 0.1, 1e300, 1e-7, 1 / 3, 0.1 + 0.2, 1700000000.123456, 2 ^ 63, 2 ^ 64 } do
      assert.equal(value, tonumber(uri.text("n", value)))
    end
  end)

  it("raises for a number that is not finite and for another type, and names it", function()
    for _, value in ipairs { 0 / 0, math.huge, -math.huge, {}, print, io.stdout } do
      assert.truthy(raised(uri.text, "agent_id", value):find("agent_id: string, number or boolean expected", 1, true))
    end
    assert.truthy(raised(uri.text, "agent_id", nil):find("agent_id", 1, true))
  end)
end)

describe("a query", function()
  it("is empty without parameters", function()
    assert.equal("", uri.query("query", nil))
    assert.equal("", uri.query("query", {}))
  end)

  it("has its names sorted, so equal tables have equal URLs", function()
    assert.equal("?a=1&b=x&c=true", uri.query("query", { c = true, b = "x", a = 1 }))
  end)

  it("has names and values encoded", function()
    assert.equal("?a%26b=c%3Dd%26e&plus=1%2B1&sp%20ace=%20", uri.query("query", { ["a&b"] = "c=d&e", plus = "1+1",
      ["sp ace"] = " " }))
    assert.equal("?progress_id=%0D%0AX-Evil%3A%201", uri.query("query", { progress_id = "\r\nX-Evil: 1" }))
  end)

  it("has lists joined by commas, a comma in an element encoded", function()
    assert.equal("?ids=1,2,3", uri.query("query", { ids = { 1, 2, 3 } }))
    assert.equal("?names=a%2Cb,c", uri.query("query", { names = { "a,b", "c" } }))
    assert.equal("?flags=true,false", uri.query("query", { flags = { true, false } }))
    assert.equal("?ids=", uri.query("query", { ids = {} }))
  end)

  it("may have empty values", function()
    assert.equal("?a=", uri.query("query", { a = "" }))
  end)

  it("raises for an invalid value, and names it", function()
    assert.truthy(raised(uri.query, "query", { a = print }):find("query.a: ", 1, true))
    assert.truthy(raised(uri.query, "query", { a = 0 / 0 }):find("query.a: ", 1, true))
    assert.truthy(raised(uri.query, "query", { ids = { 1, {} } }):find("query.ids[2]: ", 1, true))
    assert.truthy(raised(uri.query, "query", { "a" }):find("query", 1, true))
    assert.truthy(raised(uri.query, "query", { [true] = 1 }):find("query", 1, true))
  end)

  it("has tables of names as JSON text", function()
    assert.equal("?filters_v2=%7B%22field%22%3A%22id%22%2C%22value%22%3A%5B1%2C2%5D%7D",
      uri.query("query", { filters_v2 = { field = "id", value = { 1, 2 } } }))
    assert.truthy(raised(uri.query, "query", { filter = { a = print } }):find("query.filter.a: ", 1, true))
  end)

  it("raises for a list with a hole, and names it", function()
    assert.truthy(raised(uri.query, "query", { ids = { 1, nil, 3 } }):find("query.ids", 1, true))
  end)
end)

describe("a path", function()
  it("stays unchanged if it is valid", function()
    for _, path in ipairs {
      "/", "/test_framework/v1/runs/", "/a/b?x=1&y=2,3", "/a%20b/%2F", "/a;b=1/@c:d/(e)/~f!$'*+",
    } do
      assert.equal(path, uri.path("path", path))
    end
  end)

  it("has invalid characters encoded", function()
    assert.equal("/a%20b/%C3%BC", uri.path("path", "/a b/ü"))
    assert.equal("/a%0D%0AHost:%20evil", uri.path("path", "/a\r\nHost: evil"))
    assert.equal("/a%00b", uri.path("path", "/a\0b"))
    assert.equal("/a%23b%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D", uri.path("path", "/a#b\"<>\\^`{|}[]"))
  end)

  it("raises if it is not a path, and names it", function()
    assert.truthy(raised(uri.path, "path", "a/b"):find("path: ", 1, true))
    assert.truthy(raised(uri.path, "path", ""):find("path: ", 1, true))
    assert.truthy(raised(uri.path, "path", "https://evil.example/"):find("path: ", 1, true))
    assert.truthy(raised(uri.path, "path", 5):find("path: string expected, got number", 1, true))
    assert.truthy(raised(uri.path, "path", nil):find("path: string expected, got nothing", 1, true))
  end)
end)

describe("a locale with a decimal comma", function()
  it("does not change how numbers are written", function()
    local found = in_decimal_comma(function()
      return uri.query("query", { a = 0.5, b = 1e300, c = 3 })
    end)
    if not found then
      pending("no locale with a decimal comma is installed")
    end
    assert.equal("?a=0.5&b=1e%2B300&c=3", found[1])
  end)
end)
