-- The reader of TOML 1.0: what it takes and gives, and what it refuses, with the line.

local config_file = require "cekura.client.config_file"
local core = require "cekura.core"
local toml = require "cekura.client.toml"

-- A node as a plain value: tables and lists of them, numbers, strings. A datetime is its text in a table.
local function plain(node)
  if node.type == "datetime" then
    return { at = node.value }
  elseif node.type ~= "table" and node.type ~= "array" then
    return node.value
  end
  local value = {}
  for name, child in pairs(node.value) do
    value[name] = plain(child)
  end
  return value
end

local function parse(text)
  local root, fault, line = toml.parse(text)
  assert(root, ("line %s: %s"):format(tostring(line), tostring(fault)))
  return plain(root)
end

local function value_of(text)
  return parse("key = " .. text).key
end

local function type_of(text)
  return assert(toml.parse("key = " .. text)).value.key.type
end

describe("TOML: a string", function()
  it("in double quotes has escapes", function()
    assert.equal("\b\t\n\f\r\"\\", value_of [["\b\t\n\f\r\"\\"]])
    assert.equal("A é ☎ 😀", value_of [["\u0041 \u00e9 \u260E \U0001F600"]])
    assert.equal("\127\194\128\223\191\224\160\128\239\191\191\240\144\128\128\244\143\191\191",
      value_of [["\u007f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff"]])
    assert.equal("\0", value_of [["\u0000"]])
    assert.equal("it's a\ttab", value_of '"it\'s a\ttab"')
    assert.equal("", value_of '""')
  end)

  it("in single quotes is taken as it is", function()
    assert.equal([[a\n"b"\]], value_of [['a\n"b"\']])
    assert.equal("", value_of "''")
  end)

  it("in three double quotes goes over lines", function()
    assert.equal("a\nb", value_of '"""\na\nb"""')
    assert.equal("a\nb", value_of '"""\r\na\nb"""')
    assert.equal("a\r\nb", value_of '"""a\r\nb"""')
    assert.equal("\n", value_of '"""\n\n"""')
    assert.equal('one " two "" three', value_of '"""one " two "" three"""')
    assert.equal('"quoted"', value_of '""""quoted""""')
    assert.equal('""quoted""', value_of '"""""quoted"""""')
    assert.equal("", value_of '""""""')
    assert.equal('"""', value_of [["""\"\"\""""]])
  end)

  it("in three double quotes joins lines that end in a backslash", function()
    assert.equal("one two", value_of '"""one \\\n   \t two"""')
    assert.equal("one two", value_of '"""one \\  \r\n\r\n  two"""')
    assert.equal("", value_of '"""\\\n  """')
    assert.equal("a\\", value_of '"""a\\\\"""')
  end)

  it("in three single quotes goes over lines as it is", function()
    assert.equal("a\\\n b", value_of "'''\na\\\n b'''")
    assert.equal("'it''s'", value_of "''''it''s''''")
    assert.equal("", value_of "''''''")
    assert.equal('"""', value_of [['''"""''']])
  end)

  it("may hold any UTF-8", function()
    assert.equal("schlüssel 日本 😀", value_of '"schlüssel 日本 😀"')
    assert.equal("schlüssel", value_of "'schlüssel'")
  end)
end)

describe("TOML: a number", function()
  it("is whole, in four bases, with underscores", function()
    for text, value in pairs { ["0"] = 0, ["+0"] = 0, ["-0"] = 0, ["42"] = 42, ["+7"] = 7, ["-17"] = -17,
      ["1_000_000"] = 1000000, ["0xDead_bEEf"] = 0xdeadbeef, ["0x00"] = 0, ["0o755"] = 493, ["0b1101_0010"] = 210 } do
      assert.equal(value, value_of(text))
      assert.equal("integer", type_of(text))
    end
  end)

  it("is exact, or a string of its digits", function()
    for text, digits in pairs { ["9223372036854775807"] = "9223372036854775807",
      ["-9223372036854775808"] = "-9223372036854775808", ["9007199254740993"] = "9007199254740993",
      ["123456789012345678901"] = "123456789012345678901", ["0x7fff_ffff_ffff_ffff"] = "9223372036854775807",
      ["0o777777777777777777777"] = "9223372036854775807", ["0x20000000000001"] = "9007199254740993",
      ["0b" .. ("1"):rep(63)] = "9223372036854775807", ["0x" .. ("0"):rep(100) .. "1"] = "1" } do
      local value = value_of(text)
      assert.equal(digits, type(value) == "number" and ("%.0f"):format(value):gsub("^922.*", "%0") == digits and digits
        or tostring(value))
    end
  end)

  it("is a fraction", function()
    for text, value in pairs { ["1.5"] = 1.5, ["+1.0"] = 1, ["-0.25"] = -0.25, ["5e+2"] = 500, ["1E06"] = 1000000,
      ["-2E-2"] = -0.02, ["6.5e-1"] = 0.65, ["9_0.2_5"] = 90.25, ["1e1_0"] = 1e10, ["0e0"] = 0, inf = math.huge,
      ["+inf"] = math.huge, ["-inf"] = -math.huge, ["1.50000"] = 1.5 } do
      assert.equal(value, value_of(text))
      assert.equal("float", type_of(text))
    end
    for _, text in ipairs { "nan", "+nan", "-nan" } do
      local value = value_of(text)
      assert.is_true(value ~= value)
    end
  end)

  it("is a string where no number is so large", function()
    assert.equal("1e999", value_of "1e999")
  end)
end)

describe("TOML: a date or time", function()
  it("is kept as its text", function()
    for _, text in ipairs { "1979-05-27T07:32:00Z", "1979-05-27t07:32:00z", "1979-05-27T00:32:00-07:00",
      "1979-05-27T00:32:00.999999+23:59", "1979-05-27 07:32:00Z", "1979-05-27 07:32:00", "1979-05-27T07:32:00.5",
      "1979-05-27", "07:32:00", "00:32:00.999999", "2000-02-29", "2024-02-29", "0000-01-01", "2016-12-31T23:59:60Z" } do
      assert.same({ at = text }, value_of(text))
      assert.same({ at = text }, value_of(text .. " # a comment"))
      assert.same({ { at = text } }, value_of("[" .. text .. "]"))
    end
  end)
end)

describe("TOML: a boolean", function()
  it("is true or false", function()
    assert.is_true(value_of "true")
    assert.is_false(value_of "false")
  end)
end)

describe("TOML: an array", function()
  it("holds values of any types, over lines, with comments and a last comma", function()
    assert.same({}, value_of "[]")
    assert.same({}, value_of "[ # empty\n\n]")
    assert.same({ 1, "two", 3.5, { 4, { 5 } }, { six = 6 }, true },
      value_of '[1, "two", 3.5, [4, [5]], {six = 6}, true]')
    assert.same({ 1, 2 }, value_of "[\r\n  1, # one\n\n  # two\n  2,\n]")
    assert.same({ 1, 2 }, value_of "[1\n,\n2\n]")
    assert.same({ "#", "]" }, value_of "['#', ']']")
  end)
end)

describe("TOML: an inline table", function()
  it("holds pairs on one line", function()
    assert.same({}, value_of "{}")
    assert.same({}, value_of "{ \t}")
    assert.same({ a = 1, b = { c = "x", d = {} } }, value_of "{ a = 1, b = { c = 'x', d = {} } }")
    assert.same({ a = { b = 1, c = 2 } }, value_of "{ a.b = 1, a.c = 2 }")
    assert.same({ a = { 1, 2 }, b = 3 }, value_of "{ a = [ 1,\n # comment\n 2 ], b = 3 }")
    assert.same({ a = "x\ny" }, value_of '{ a = """x\ny""" }')
  end)
end)

describe("TOML: a name", function()
  it("is bare, in quotes, or several of these with dots", function()
    assert.same({ ["a-b_C9"] = 1, ["1234"] = 2, ["-"] = 3 }, parse "a-b_C9 = 1\n1234 = 2\n- = 3")
    assert.same({ ["a.b"] = 1, ["c d"] = 2, [""] = 3, ["é"] = 4 },
      parse '"a.b" = 1\n\'c d\' = 2\n"" = 3\n"\\u00e9" = 4')
    assert.same({ a = { b = { c = 1, [" d"] = 2 } } }, parse 'a.b.c = 1\na . "b"\t.\' d\' = 2')
    assert.same({ ["3"] = { ["14"] = "pi" } }, parse "3.14 = 'pi'")
    assert.same({ [ "true" ] = 1, inf = 2 }, parse "true = 1\ninf = 2")
  end)
end)

describe("TOML: a table", function()
  it("has a header, which names it and the tables above", function()
    assert.same({ top = 1, a = { x = 2, b = { y = 3 } }, c = { d = { e = {} } } },
      parse "top = 1\n[a]\nx = 2\n[a.b] # below\ny = 3\n[ c . d . 'e' ]\n")
  end)

  it("may come before the one above it, and apart from its neighbours", function()
    assert.same({ a = { b = { x = 1 }, y = 2 }, c = {} }, parse "[a.b]\nx = 1\n[c]\n[a]\ny = 2")
  end)

  it("that dotted names have made may have tables below", function()
    assert.same({ fruit = { apple = { color = "red", taste = { sweet = true }, texture = { smooth = true } } } },
      parse "[fruit]\napple.color = 'red'\napple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true")
  end)

  it("that is only mentioned above another can get values by dotted names", function()
    assert.same({ a = { b = { c = { z = 9 }, x = 1 } } }, parse "[a.b.c]\nz = 9\n[a]\nb.x = 1")
  end)

  it("with two brackets is one more of a list", function()
    assert.same({ p = { { n = 1 }, {}, { n = 3, q = { r = { { s = 1 }, { s = 2 } }, t = 4 } } } },
      parse "[[p]]\nn = 1\n[[p]]\n[[p]]\nn = 3\n[p.q]\nt = 4\n[[p.q.r]]\ns = 1\n[[p.q.r]]\ns = 2")
    assert.same({ a = { b = { {} } } }, parse "[[a.b]]\n[a]")
  end)
end)

describe("TOML: a document", function()
  it("may be 512 levels deep, which its readers can take", function()
    for _, text in ipairs { ("a."):rep(511) .. "b = 1", "[a" .. (".a"):rep(510) .. "]\nb = 1\n[c]\n[d]\ne = 2",
      "a = " .. ("["):rep(511) .. ("]"):rep(511), "a = " .. ("{ b = "):rep(255) .. "1" .. ("}"):rep(255) } do
      assert(config_file.parse(text))
    end
  end)

  it("may be empty, end without a newline, begin with a byte order mark, and end its lines in CR LF", function()
    for _, text in ipairs { "", "\n", " \t\n", "# only a comment", "\239\187\191", "\r\n# a comment\r\n" } do
      assert.same({}, parse(text))
    end
    assert.same({ a = 1, t = { b = 2 } }, parse "\239\187\191 a = 1 # one\r\n\r\n\t[t]\r\nb=2")
  end)

  it("has a line for each value", function()
    local root = assert(toml.parse('# 1\na = 1\nb = [ # 3\n  4,\n  """\n5 to 7\n""", { c = 7 } ]\n\n'
      .. '[d.e]\nf.g = """\n\n"""\n' .. "h = 'x'\n[[i]]\n[[i]]\nj = 1\n"))
    local values = root.value
    local list = values.b.value
    local d, i = values.d.value, values.i.value
    assert.same({ 2, 3, 4, 5, 7, 7 }, { values.a.line, values.b.line, list[1].line, list[2].line, list[3].line,
      list[3].value.c.line })
    assert.same({ 9, 9, 10, 13 }, { values.d.line, d.e.line, d.e.value.f.value.g.line, d.e.value.h.line })
    assert.same({ 14, 14, 15, 16 }, { values.i.line, i[1].line, i[2].line, i[2].value.j.line })
  end)
end)

local REFUSED = {
  names = {
    { "= 1" }, { "a" }, { "a\n= 1" }, { "a =\n1" }, { "a = # 1" }, { "a b = 1" }, { "a. = 1" }, { ".a = 1" },
    { "a..b = 1" }, { '"a = 1' }, { '"a\n" = 1' }, { '"""a""" = 1' }, { "'''a''' = 1" }, { "é = 1" }, { "a! = 1" },
    { "a = 1 b = 2" }, { "a = 1, b = 2" }, { "a == 1" }, { "a : 1" }, { "x = 1\na.b" , 2 }, { '"\\q" = 1' },
  },
  strings = {
    { 'a = "x' }, { "a = 'x" }, { [[a = "x\"]] }, { "a = \"x'" }, { 'a = "x\ny"' }, { "a = 'x\ny'" }, { 'a = """x' },
    { "a = '''x\n\n", 3 }, { 'a = """x""' }, { 'a = """x""""""' }, { "a = '''x''''''" }, { [[a = "\x41"]] },
    { [[a = "\e"]] }, { [[a = "\q"]] }, { [[a = "\u41"]] }, { [[a = "\uD800"]] }, { [[a = "\uDFFF"]] },
    { [[a = "\U00110000"]] }, { [[a = "\U1234567"]] }, { [[a = "\ "]] }, { 'a = "\\\n"' }, { 'a = """\\ x"""' },
    { 'a = "\1"' }, { 'a = "\127"' }, { "a = '\0'" }, { 'a = """\11"""' }, { "a = '''\r'''" }, { 'a = "x\ry"' },
    { 'a = "b" "c"' }, { "a = 'b''c'" }, { 'a = "b" c' }, { 'a = """\n\n""" b', 3 }, { "a = “x”" },
  },
  numbers = {
    { "a = 01" }, { "a = +01" }, { "a = 1__0" }, { "a = _1" }, { "a = 1_" }, { "a = 0x" }, { "a = 0x_1" },
    { "a = 0x1_" }, { "a = 0xg" }, { "a = 0o8" }, { "a = 0b2" }, { "a = 0X1" }, { "a = +0x1" }, { "a = -0b1" },
    { "a = 1." }, { "a = .5" }, { "a = 1.e5" }, { "a = 1e" }, { "a = 1e+" }, { "a = 1e5.5" }, { "a = 01.5" },
    { "a = 1_.5" }, { "a = 1._5" }, { "a = 1.5_" }, { "a = 1e_5" }, { "a = 1.2.3" }, { "a = ++1" }, { "a = --1" },
    { "a = +" }, { "a = -" }, { "a = Inf" }, { "a = NaN" }, { "a = infinity" }, { "a = 1 2" },
    { "a = 0x8000000000000000" }, { "a = 0x" .. ("f"):rep(60000) }, { "a = 1a" }, { "a = 5%" },
  },
  dates = {
    { "a = 2021-13-01" }, { "a = 2021-00-01" }, { "a = 2021-02-29" }, { "a = 1900-02-29" }, { "a = 2021-04-31" },
    { "a = 2021-01-00" }, { "a = 2021-1-01" }, { "a = 21-01-01" }, { "a = 2021-01-01T" }, { "a = 2021-01-01T07" },
    { "a = 2021-01-01T07:32" }, { "a = 2021-01-01T07:32Z" }, { "a = 2021-01-01T24:00:00" },
    { "a = 2021-01-01T00:60:00" }, { "a = 2021-01-01T00:00:61" }, { "a = 2021-01-01T00:00:00." },
    { "a = 2021-01-01T00:00:00+24:00" }, { "a = 2021-01-01T00:00:00+00:60" }, { "a = 2021-01-01T00:00:00+0000" },
    { "a = 2021-01-01T00:00:00 Z" }, { "a = 2021-01-01x00:00:00" }, { "a = 2021-01-01  00:00:00" }, { "a = 7:32:00" },
    { "a = 07:32" }, { "a = 07:32:00Z" }, { "a = 2021-01-01Z" }, { "a = 07:32:00+01:00" },
  },
  ["other values"] = {
    { "a = yes" }, { "a = True" }, { "a = FALSE" }, { "a = null" }, { "a = true1" }, { "a = x" }, { "a = @" },
  },
  arrays = {
    { "a = [" }, { "a = [1" }, { "a = [1 2]" }, { "a = [,]" }, { "a = [1,,2]" }, { "a = [,1]" }, { "a = 1]" },
    { "a = [1]]" }, { "a = [\n1\n2]", 3 }, { "a = [b]" }, { "a = [b = 1]" }, { "a = " .. ("["):rep(60000) },
    { "a = [\n\n# x\n", 4 }, { "a = [1}" },
  },
  ["inline tables"] = {
    { "a = {" }, { "a = { b = 1" }, { "a = { b = 1, }" }, { "a = { , }" }, { "a = { b = 1 c = 2 }" }, { "a = {\n}" },
    { "a = { b = 1,\nc = 2 }" }, { "a = { b = 1 # x\n}" }, { "a = { b }" }, { "a = { b = }" },
    { "a = { b = 1, b = 2 }" }, { "a = { b = 1, b.c = 2 }" }, { "a = { b.c = 1, b = 2 }" }, { "a = {} b = 1" },
    { "a = { b = 1 ]" }, { "a = { b = {} , b.c = 1 }" }, { "a = " .. ("{b="):rep(20000) },
  },
  headers = {
    { "[" }, { "[a" }, { "[]" }, { "[a]]" }, { "[[a]" }, { "[[a] ]" }, { "[ [a]]" }, { "[a.]" }, { "[.a]" },
    { "[a..b]" }, { "[a b]" }, { "[a] b = 1" }, { "[a][b]" }, { "[a = 1]" }, { "[a\n]" }, { '["a]' }, { '["""a"""]' },
    { "[é]" }, { "[[]]" }, { "x = 1\n[a # b]", 2 },
  },
  depth = {
    { ("a."):rep(512) .. "b = 1" }, { ("a."):rep(30000) .. "b = 1" }, { "[a" .. (".a"):rep(600) .. "]" },
    { "[a" .. (".a"):rep(300) .. "]\nb" .. (".b"):rep(300) .. " = 1", 2 },
    { "a" .. (".a"):rep(300) .. " = { b" .. (".b"):rep(300) .. " = 1 }" }, { ("a = {"):rep(257) },
  },
  ["names that are taken"] = {
    { "a = 1\na = 1", 2 }, { "a = 1\n'a' = 2", 2 }, { 'a = 1\n"\\u0061" = 2', 2 }, { "a = 1\na.b = 2", 2 },
    { "a.b = 1\na = 2", 2 }, { "a.b = 1\na.b = 2", 2 }, { "a.b = 1\na.b.c = 2", 2 }, { "[a]\n[a]", 2 },
    { "[a]\n[b]\n[a]", 3 }, { "[a.b]\n[a]\n[a]", 3 }, { "a = 1\n[a]", 2 }, { "a = 1\n[a.b]", 2 },
    { "a.b = 1\n[a]", 2 }, { "[a]\nb.c = 1\n[a.b]", 3 }, { "[a]\nb.c.d = 1\n[a.b.c]", 3 }, { "[a.b]\n[a]\nb = 1", 3 },
    { "[a.b]\n[a]\nb.c = 1", 3 }, { "[a.b.c]\nx = 1\n[a]\nb.c.y = 2", 4 }, { "a = {}\na.b = 1", 2 },
    { "a = {}\n[a]", 2 }, { "a = {}\n[a.b]", 2 }, { "a = { b.c = 1 }\n[a.b.d]", 2 },
    { "[t]\na = { b.c = 1 }\na.b.d = 2", 3 }, { "a = { b = {} }\n[[a.b.c]]", 2 }, { "a = []\n[[a]]", 2 },
    { "a = [{}]\n[[a]]", 2 }, { "a = [{}]\n[a.b]", 2 }, { "a = []\na.b = 1", 2 }, { "[a]\n[[a]]", 2 },
    { "[[a]]\n[a]", 2 }, { "[a.b]\n[[a]]", 2 }, { "[[a]]\n[[a]]\n[a]", 3 }, { "[[a.b]]\n[a]\nb.c = 1", 3 },
    { "[[a]]\nb = 1\n[[a.b]]", 3 }, { "[[a]]\n[a.b]\n[a.b]", 3 }, { "[a]\nb = 1\n[a.b.c]", 3 }, { "a = 1\n[[a]]", 2 },
    { "a.b = 1\n[[a]]", 2 },
  },
  bytes = {
    { "a = '\255'" }, { "# \255" }, { "x = 1\na = \"\237\160\128\"", 2 }, { "a = 1\n\192\175 = 1", 2 },
    { "a = 1 # \0" }, { "# \127" }, { "a = 1\r# x\r" }, { "a = 1\rb = 2" }, { "\r" }, { "a = 1\n\0\n", 2 },
    { "# a\rb" }, { "\0" }, { "\f" }, { "a = 1\n\v", 2 },
  },
  ["other formats"] = {
    { '{\n  "a": "k"\n}' }, { "\137PNG\r\n\026\n" }, { "---\na: 1\n" }, { "<a>1</a>" }, { "; ini\na=1" },
    { "export A=1" },
  },
}

for group, rows in pairs(REFUSED) do
  describe("TOML refuses " .. group .. ":", function()
    for _, row in ipairs(rows) do
      it(("%q"):format(row[1]:sub(1, 60)):gsub("%c", " "), function()
        local root, fault, line = toml.parse(row[1])
        assert.is_nil(root)
        assert.equal(row[2] or 1, line, fault)
        assert.truthy(fault:find "^[%w_#=,; :'%-%[%]{}]+$", fault)
      end)
    end
  end)
end

describe("TOML: a reader without memory", function()
  it("raises that, and calls nothing malformed", function()
    local decode = core.decode
    finally(function() core.decode = decode end)
    core.decode = function() error("not enough memory", 0) end
    local ok, raised = pcall(toml.parse, "a = 1")
    assert.same({ false, "not enough memory" }, { ok, raised })
  end)
end)
