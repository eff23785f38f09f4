-- JSON text as Lua values, exact and strict.

local cekura = require "cekura"
local core = require "cekura.core"
local in_decimal_comma = require "spec.support.decimal_comma"

-- Whether this Lua has 64-bit integers.
local INTEGERS = math.type ~= nil

local function decode(text)
  local value, fault = core.decode(text)
  assert.is_nil(fault)
  return value
end

local function char(point)
  if point < 0x80 then
    return string.char(point)
  elseif point < 0x800 then
    return string.char(0xC0 + math.floor(point / 64), 0x80 + point % 64)
  elseif point < 0x10000 then
    return string.char(0xE0 + math.floor(point / 4096), 0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
  end
  return string.char(0xF0 + math.floor(point / 262144), 0x80 + math.floor(point / 4096) % 64,
    0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
end

describe("a whole number", function()
  it("is exact up to 2^53, at any place", function()
    for text, value in pairs {
      ["0"] = 0, ["1"] = 1, ["-1"] = -1, ["2142"] = 2142, ["1234567890123456"] = 1234567890123456,
      ["9007199254740991"] = 2 ^ 53 - 1, ["9007199254740992"] = 2 ^ 53, ["-9007199254740992"] = -2 ^ 53,
    } do
      local found = decode(text)
      assert.equal("number", type(found))
      assert.equal(value, found)
      assert.equal(text, ("%d"):format(found))
    end
  end)

  it("is formatted without a fraction, so an id can stand in a path", function()
    assert.equal("2142", tostring(decode "2142"))
    assert.equal("2142", tostring(decode('{"a":[{"id":2142}]}').a[1].id))
  end)

  it("is an integer at every depth, if this Lua has integers", function()
    if not INTEGERS then
      return
    end
    for _, found in ipairs { decode "5", decode "[5]"[1], decode('{"a":{"b":[5]}}').a.b[1], decode "-0", decode "0" } do
      assert.equal("integer", math.type(found))
    end
    assert.equal(math.maxinteger, decode "9223372036854775807")
    assert.equal(math.mininteger, decode "-9223372036854775808")
    assert.equal("9007199254740993", tostring(decode "9007199254740993"))
  end)

  it("beyond 2^53 is a string of digits, if this Lua has no such integers", function()
    if INTEGERS then
      return
    end
    for _, digits in ipairs {
      "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808",
    } do
      assert.equal(digits, decode(digits))
      assert.equal(digits, decode('{"a":[' .. digits .. "]}").a[1])
    end
  end)

  it("beyond 64 bits is a string of digits", function()
    for _, digits in ipairs {
      "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
      "92233720368547758070", "9" .. ("0"):rep(500), "-" .. ("7"):rep(70),
    } do
      assert.equal(digits, decode(digits))
      assert.equal(digits, decode('{"a":[' .. digits .. "]}").a[1])
    end
  end)
end)

describe("a number with a fraction or an exponent", function()
  it("is the nearest Lua number", function()
    for text, value in pairs {
      ["0.1"] = 0.1, ["-0.25"] = -0.25, ["1.0"] = 1, ["1e2"] = 100, ["1E+2"] = 100, ["1.5e-3"] = 0.0015, ["0e0"] = 0,
      ["1e300"] = 1e300, ["1.7976931348623157e308"] = 1.7976931348623157e308, ["5e-324"] = 5e-324,
      ["0.30000000000000004"] = 0.1 + 0.2, ["0.1000000000000000055511151231257827021181583404541015625"] = 0.1,
      ["1e-400"] = 0, ["123456789.123456789"] = 123456789.123456789,
    } do
      assert.equal(value, decode(text))
    end
  end)

  it("with superfluous digits is as exact", function()
    assert.equal(1 / 3, decode("0." .. ("3"):rep(1000)))
    assert.equal(2 / 3, decode("[0." .. ("6"):rep(1000) .. "7]")[1])
  end)

  it("is a float, if this Lua distinguishes floats", function()
    if INTEGERS then
      assert.equal("float", math.type(decode "1.0"))
      assert.equal("float", math.type(decode "1e2"))
    end
  end)

  it("that is too large for a number is a string of digits, not infinity", function()
    for _, digits in ipairs { "1e309", "-1e400", "1" .. ("0"):rep(400) .. ".5" } do
      assert.equal(digits, decode(digits))
    end
  end)
end)

describe("true, false and null", function()
  it("are true, false and cekura.null", function()
    assert.is_true(decode "true")
    assert.is_false(decode "false")
    assert.equal(cekura.null, decode "null")
  end)

  it("in an object: null is like an absent member", function()
    local object = decode '{"a":null,"b":false,"c":{"d":null}}'
    assert.is_nil(object.a)
    assert.is_false(object.b)
    assert.is_nil(next(object.c))
  end)

  it("in a list: null is cekura.null", function()
    local items = decode "[null,1,null,[null],null]"
    assert.equal(5, #items)
    assert.equal(cekura.null, items[1])
    assert.equal(1, items[2])
    assert.equal(cekura.null, items[3])
    assert.equal(cekura.null, items[4][1])
    assert.equal(cekura.null, items[5])
  end)
end)

describe("an object", function()
  it("has its members under their names", function()
    assert.same({ a = 1, b = { c = "d" }, [""] = 2, ["1"] = 3, ["a b\n"] = 4 },
      decode [[{"a":1,"b":{"c":"d"},"":2,"1":3,"a b\n":4}]])
  end)

  it("with a repeated name has the last value", function()
    assert.same({ a = 2 }, decode '{"a":1,"a":2}')
    assert.same({ a = { c = 2 } }, decode '{"a":{"b":1},"a":{"c":2}}')
    assert.same({ a = 2 }, decode [[{"a":1,"\u0061":2}]])
    assert.same({ a = 2 }, decode '{"a":null,"a":2}')
    assert.same({}, decode '{"a":1,"a":null}')
  end)

  it("is not a list, even if it is empty or has numbers as names", function()
    assert.is_nil(getmetatable(decode "{}"))
    assert.is_nil(getmetatable(decode('{"1":"a"}')))
    assert.is_nil(decode('{"1":"a"}')[1])
  end)
end)

describe("a list", function()
  it("has its elements in order", function()
    local items = decode '["a",2,true,{"b":3},["c"]]'
    assert.equal(5, #items)
    assert.equal("a", items[1])
    assert.equal(3, items[4].b)
    assert.equal("c", items[5][1])
  end)

  it("is distinct from an object, even if empty", function()
    assert.equal(core.array_mt, getmetatable(decode "[]"))
    assert.equal(core.array_mt, getmetatable(decode "[1]"))
    assert.equal(core.array_mt, getmetatable(decode('{"a":{"b":[[]]}}').a.b[1]))
    assert.is_nil(getmetatable(decode("[{}]")[1]))
  end)

  it("may have 100,000 elements", function()
    local items = decode("[" .. ("7,"):rep(99999) .. "7]")
    assert.equal(100000, #items)
    assert.equal(7, items[100000])
  end)
end)

describe("a container of any size", function()
  -- Few values are collected before their table is made.
  local SIZES = { 0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 66, 127, 128, 129, 130, 131, 255, 256, 257, 1000 }

  it("has its values in order, also around another container", function()
    for _, size in ipairs(SIZES) do
      local items, members, list, object = {}, {}, {}, {}
      for index = 1, size do
        items[index], members[index] = index .. "", ('"k%d":%d'):format(index, index)
        list[index], object["k" .. index] = index, index
      end
      items, members = "[" .. table.concat(items, ",") .. "]", "{" .. table.concat(members, ",") .. "}"
      assert.same(list, decode(items))
      assert.same(object, decode(members))
      assert.same({ object, list, object, 1 }, decode(("[%s,%s,%s,1]"):format(members, items, members)))
      assert.same({ a = list, b = object, c = list, d = 1 },
        decode(('{"a":%s,"b":%s,"c":%s,"d":1}'):format(items, members, items)))
    end
  end)

  it("has the last value of a name, and none if that is null", function()
    for _, size in ipairs(SIZES) do
      local members = ('"x":1,'):rep(size)
      for index = 1, size do
        members = members .. ('"k%d":0,'):format(index)
      end
      assert.equal(2, decode("{" .. members .. '"x":2}').x)
      assert.equal(0, decode("{" .. members .. '"x":2}')["k" .. size] or 0)
      assert.is_nil(decode("{" .. members .. '"x":null}').x)
      assert.equal(3, decode("{" .. members .. '"x":null,"x":3}').x)
    end
  end)
end)

describe("a string", function()
  it("has its escapes replaced", function()
    assert.equal('"\\/\b\f\n\r\t', decode [["\"\\\/\b\f\n\r\t"]])
    assert.equal("a/b", decode [["a\/b"]])
    assert.equal("A\0é日", decode [["\u0041\u0000\u00e9\u65E5"]])
    assert.equal("x\0y", decode [["x\u0000y"]])
  end)

  it("has surrogate pairs combined", function()
    assert.equal(char(0x1F600), decode [["\ud83d\ude00"]])
    assert.equal(char(0x10000), decode [["\uD800\uDC00"]])
    assert.equal(char(0x10FFFF), decode [["\udbff\udfff"]])
    assert.equal("a" .. char(0x1F600) .. "b", decode [["a\uD83D\uDE00b"]])
  end)

  it("has the character of every escape, and U+FFFD for a lone surrogate", function()
    for point = 0, 0xFFFF, 13 do
      local is_half = point >= 0xD800 and point <= 0xDFFF
      assert.equal(char(is_half and 0xFFFD or point), decode(('"\\u%04x"'):format(point)))
    end
  end)

  for _, row in ipairs {
    { "a high surrogate alone", [[\ud83d]], "?" }, { "a low surrogate alone", [[\ude00]], "?" },
    { "surrogates in the wrong order", [[\ude00\ud83d]], "??" }, { "two high ones", [[\ud83d\ud83d]], "??" },
    { "a high one before a pair", [[\uD83D\uD83D\uDE00]], "?" .. char(0x1F600) },
    { "a low one behind a pair", [[\ud83d\ude00\ude00]], char(0x1F600) .. "?" },
    { "a high one before text", [[\ud83dxxxxxx]], "?xxxxxx" }, { "before another escape", [[\ud83d\u0041]], "?A" },
    { "before a short escape", [[\ud83d\n]], "?\n" }, { "before a backslash", [[\ud83d\\ude00]], "?\\ude00" },
    { "at the end of a text", [[Ok \uD83D]], "Ok ?" }, { "between characters", [[\u00e9\udfff\u00e9]], "é?é" },
  } do
    it("has U+FFFD for a lone surrogate: " .. row[1], function()
      local wanted = row[3]:gsub("%?", char(0xFFFD))
      assert.equal(wanted, decode('"' .. row[2] .. '"'))
      assert.equal(wanted, next(decode('{"' .. row[2] .. '":1}')))
      assert.equal(wanted, decode('[{"a":["' .. row[2] .. '"]}]')[1].a[1])
      assert.equal("é" .. wanted, decode('"é' .. row[2] .. '"'))
    end)
  end

  it("has U+FFFD for each lone surrogate of a long string", function()
    for _, length in ipairs { 1, 85, 86, 1000 } do
      assert.equal(char(0xFFFD):rep(length), decode('"' .. ("\\ud83d"):rep(length) .. '"'))
    end
  end)

  it("as a name is compared after unescaping: the last of two equal names counts", function()
    assert.same({ [char(0xFFFD)] = 2 }, decode [[{"\ud83d":1,"\ude00":2}]])
  end)

  it("may contain any UTF-8 unchanged", function()
    for _, point in ipairs { 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF } do
      assert.equal(char(point), decode('"' .. char(point) .. '"'))
    end
    assert.equal("\226\128\168", decode '"\226\128\168"')
  end)

  it("may be long, with and without escapes", function()
    for _, length in ipairs { 1, 100, 511, 512, 513, 100000 } do
      assert.equal(("x"):rep(length), decode('"' .. ("x"):rep(length) .. '"'))
      assert.equal(("\n"):rep(length), decode('"' .. ("\\n"):rep(length) .. '"'))
      assert.equal(("é"):rep(length), decode('"' .. ("\\u00e9"):rep(length) .. '"'))
    end
    assert.equal(("\n"):rep(1000), next(decode('{"' .. ("\\n"):rep(1000) .. '":1}')))
  end)
end)

describe("space", function()
  it("may separate any two tokens", function()
    assert.same({ a = { [1] = 1, [2] = 2 } }, decode ' \t\r\n{ "a" : [ 1 ,\n2 ] } \r\n')
  end)
end)

describe("nesting", function()
  it("is read up to 512 levels, of lists and objects", function()
    local value, depth = decode(("["):rep(512) .. ("]"):rep(512)), 0
    while value do
      value, depth = value[1], depth + 1
    end
    assert.equal(512, depth)
    value, depth = decode(('{"a":'):rep(512) .. "1" .. ("}"):rep(512)), 0
    while type(value) == "table" do
      value, depth = value.a, depth + 1
    end
    assert.equal(512, depth)
    assert.equal(1, value)
    assert.is_table(decode(('[{"a":'):rep(256) .. "null" .. ("}]"):rep(256)))
  end)

  it("is refused beyond, however deep", function()
    for _, depth in ipairs { 513, 100000 } do
      local value, fault = core.decode(("["):rep(depth) .. ("]"):rep(depth))
      assert.is_nil(value)
      assert.equal("nested too deeply", fault)
      value, fault = core.decode(('{"a":'):rep(depth))
      assert.is_nil(value)
      assert.equal("nested too deeply", fault)
    end
  end)

  it("of containers with many values is read as deep", function()
    local items, members = ("1,"):rep(50), {}
    for index = 1, 50 do
      members[index] = ('"k%d":%d,'):format(index, index)
    end
    members = table.concat(members)
    local value = decode(("[" .. items .. "{" .. members .. '"in":'):rep(255) .. "[[]]" .. ("}]"):rep(255))
    for _ = 1, 255 do
      assert.equal(51, #value)
      assert.equal(1, value[50])
      assert.equal(50, value[51].k50)
      value = value[51]["in"]
    end
    assert.same({ {} }, value)
  end)

  it("does not count lists side by side", function()
    assert.equal(2000, #decode("[" .. ("[[]],"):rep(1999) .. "[]]"))
  end)
end)

describe("invalid JSON is refused, and the error names the position:", function()
  for _, row in ipairs {
    { "nothing", "" }, { "space", " \n" }, { "HTML", "<html></html>" }, { "a word", "OK" }, { "a cut word", "tru" },
    { "a word with a suffix", "nullx" }, { "a word in capitals", "True" }, { "undefined", "undefined" },
    { "NaN", "NaN" }, { "Infinity", "-Infinity" }, { "hexadecimal", "0x1A" }, { "a zero before digits", "01" },
    { "a minus and a zero before digits", "-01" }, { "a plus", "+1" }, { "a point before digits", ".5" },
    { "a point after digits", "1." }, { "no exponent", "1e" }, { "an exponent without digits", "1e+" },
    { "a minus alone", "-" }, { "a decimal comma", "1,5" }, { "two values", "1 2" }, { "two objects", "{}{}" },
    { "text after it", "{} x" }, { "a NUL after it", "{}\0" }, { "a byte order mark", "\239\187\191{}" },
    { "an unterminated list", "[1,2" }, { "a list that ends in a comma", "[1,]" }, { "a comma alone", "[,]" },
    { "two commas", "[1,,2]" }, { "no comma", "[1 2]" }, { "an unterminated object", '{"a":1' },
    { "an object that ends in a comma", '{"a":1,}' }, { "a member without a value", '{"a"}' },
    { "a member without a value, and a colon", '{"a":}' }, { "a name without quotes", "{a:1}" },
    { "a number as a name", "{1:2}" }, { "no colon", '{"a" 1}' }, { "an object closed as a list", '{"a":1]' },
    { "a list closed as an object", "[1}" }, { "an end without a beginning", "]" }, { "a comment", "[1] // one" },
    { "a comment within", "[/* one */ 1]" }, { "single quotes", "'a'" }, { "an unterminated string", '"abc' },
    { "a string that ends in a backslash", '"abc\\' }, { "a string whose end is escaped", '"abc\\"' },
    { "a newline in a string", '"a\nb"' }, { "a tab in a string", '"a\tb"' }, { "a NUL in a string", '"a\0b"' },
    { "an unknown escape", '"\\x41"' }, { "an escaped NUL", '"\\\0"' }, { "a short escape", '"\\u12"' },
    { "a letter in an escape", '"\\u12g4"' }, { "a truncated surrogate", '"\\ud83"' },
    { "a surrogate before an invalid escape", '"\\ud83d\\u12"' },
    { "invalid UTF-8", '"\255"' }, { "a lone continuation byte", '"\128"' }, { "a cut character", '"\195"' },
    { "an overlong form", '"\192\175"' }, { "an overlong form of three", '"\224\128\175"' },
    { "an overlong form of four", '"\240\128\128\175"' }, { "a surrogate in UTF-8", '"\237\160\128"' },
    { "a code point beyond Unicode", '"\244\144\128\128"' }, { "Latin-1", '"sch\252ssel"' },
    { "invalid UTF-8 in a name", '{"\255":1}' }, { "invalid UTF-8 outside of a string", "[1,\255]" },
  } do
    it(row[1], function()
      local value, fault, offset = core.decode(row[2])
      assert.is_nil(value)
      assert.is_string(fault)
      assert.is_nil(fault:find("%c"))
      assert.is_true(offset >= 0 and offset <= #row[2])
      assert.equal(3, select("#", core.decode(row[2])))
    end)
  end

  it("the position of the first wrong byte", function()
    assert.equal(7, (select(3, core.decode '[1, 2, x]')))
    assert.equal(0, (select(3, core.decode "<html>")))
  end)

  it("every prefix of a valid text", function()
    local text = [[{"a":[1,-2.5e3,"x\u00e9\n",null],"b":{"c":true}}]]
    for length = 0, #text - 1 do
      local value, fault = core.decode(text:sub(1, length))
      assert.is_nil(value)
      assert.is_string(fault)
    end
    assert.is_table(decode(text))
  end)
end)

describe("garbage", function()
  it("is read or refused without a crash", function()
    local alphabet, seed = '{}[]",:\\u0123eE+-.tfn \n\128\255"ud8', 7
    for _ = 1, 3000 do
      local bytes = {}
      for index = 1, 24 do
        seed = (seed * 16807) % 2147483647
        local at = seed % #alphabet + 1
        bytes[index] = alphabet:sub(at, at)
      end
      local value, fault = core.decode(table.concat(bytes))
      assert.is_true(value ~= nil or type(fault) == "string")
    end
  end)
end)

describe("a locale with a decimal comma", function()
  it("does not change how numbers are read", function()
    local found = in_decimal_comma(function()
      return core.decode '[0.5,-1.25e1,1e300,{"a":1234567.5}]', core.decode "[0,5]"
    end)
    if not found then
      pending("no locale with a decimal comma is installed")
    end
    assert.equal(0.5, found[1][1])
    assert.equal(-12.5, found[1][2])
    assert.equal(1e300, found[1][3])
    assert.equal(1234567.5, found[1][4].a)
    assert.equal(2, #found[2])
  end)
end)
