-- Lua values as JSON text: exact, or refused.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local in_decimal_comma = require "spec.support.decimal_comma"

local function list(items)
  return setmetatable(items, core.array_mt)
end

-- The text of a value.
local function text_of(value)
  return (encode({ value }, "body"):match "^%[(.*)%]$")
end

-- The error of encoding a value, without the line.
local function refusal(value)
  local ok, message = pcall(encode, value, "body")
  assert.is_false(ok)
  assert.is_string(message)
  return (message:gsub("^.-: cekura: ", ""):gsub("^cekura: ", ""))
end

describe("a number", function()
  it("that is whole has neither fraction nor exponent", function()
    for text, value in pairs {
      ["0"] = 0, ["1"] = 1, ["-1"] = -1, ["2142"] = 2142, ["1234567890123456"] = 1234567890123456,
      ["9007199254740991"] = 2 ^ 53 - 1, ["9007199254740992"] = 2 ^ 53, ["-9007199254740991"] = -2 ^ 53 + 1,
      ["-9007199254740992"] = -2 ^ 53, ["4294967296"] = 2 ^ 32,
    } do
      assert.equal(text, text_of(value))
    end
  end)

  it("of 64 bits keeps every digit, if this Lua has such integers", function()
    if not math.type then
      return
    end
    for text, value in pairs {
      ["9007199254740993"] = math.tointeger(2 ^ 53) + 1,
      ["9223372036854775807"] = math.maxinteger,
      ["-9223372036854775808"] = math.mininteger,
    } do
      assert.equal(text, text_of(value))
    end
  end)

  it("keeps the sign of zero", function()
    assert.equal("-0", text_of(-1 / math.huge))
  end)

  it("reads back as the same number", function()
    local numbers = {
      0.1, 0.5, -0.25, 1 / 3, 0.1 + 0.2, 3.14159265358979, math.pi, 1e15 + 0.5, 1e300, -1e300, 1.7976931348623157e308,
      2.2250738585072014e-308, 5e-324, 1e-7, 123456.789012345678, 2 ^ 63, 2 ^ 64, 1e21, 1e22, 0.30000000000000004,
      1700000000.123456,
    }
    local seed = 42
    for index = 1, 2000 do
      seed = (seed * 16807) % 2147483647
      numbers[#numbers + 1] = (seed / 2147483647 - 0.5) * 10 ^ (index % 40 - 20)
    end
    for _, value in ipairs(numbers) do
      local text = text_of(value)
      assert.truthy(text:find "^%-?%d+%.?%d*e?[+-]?%d*$")
      assert(tonumber(text) == value, text)
      assert.equal(value, core.decode("[" .. text .. "]")[1] + 0.0)
    end
  end)

  it("is as short as exactness allows", function()
    assert.equal("0.1", text_of(0.1))
    assert.equal("2.5", text_of(2.5))
    assert.equal("1e+300", text_of(1e300))
    assert.equal("3.141592653589793", text_of(math.pi))
    assert.equal("0.30000000000000004", text_of(0.1 + 0.2))
  end)

  it("that JSON cannot represent is refused, and the error names its place", function()
    assert.truthy(refusal({ a = { b = { 1, 0 / 0 } } }):find("body.a.b[2]: ", 1, true))
    assert.truthy(refusal({ a = math.huge }):find("body.a: JSON has no inf", 1, true))
    assert.truthy(refusal({ -math.huge }):find("body[1]: JSON has no -inf", 1, true))
  end)
end)

describe("a string", function()
  it("is quoted and escaped, and reads back unchanged", function()
    assert.equal('"a"', text_of "a")
    assert.equal('""', text_of "")
    for _, text in ipairs {
      'say "hi"', "back\\slash", "a/b", "line\nline\r\n\tend", "\0\1\31\127", "schlüssel 日本 😀", "</script>",
      ("x"):rep(100000), "\239\191\191", "\244\143\191\191",
    } do
      assert.equal(text, core.decode("[" .. text_of(text) .. "]")[1])
    end
  end)

  it("has only the escapes that JSON requires", function()
    assert.equal([["a/b ü \\\" \b\f\n\r\t \u0000\u001f]] .. '\127"', text_of 'a/b ü \\" \b\f\n\r\t \0\31\127')
  end)

  it("may be longer than the memory that the writer begins with", function()
    for length = 2030, 2060 do
      local text = ("x"):rep(length)
      assert.equal('"' .. text .. '"', text_of(text))
      assert.equal('"' .. text .. '\\n"', text_of(text .. "\n"))
      assert.equal('"\\n' .. text .. '"', text_of("\n" .. text))
    end
    assert.equal('"' .. ("\\u0000"):rep(10000) .. '"', text_of(("\0"):rep(10000)))
  end)

  for name, text in pairs {
    ["a lone continuation byte"] = "a\128", ["a cut character"] = "a\195", ["an overlong form"] = "\192\175",
    ["a surrogate"] = "\237\160\128", ["a code point beyond Unicode"] = "\244\144\128\128", ["Latin-1"] = "sch\252ssel",
    ["a byte that UTF-8 never has"] = "\255",
  } do
    it("that is not UTF-8 is refused, and the error names its place: " .. name, function()
      assert.equal("body.prompt: the text is not valid UTF-8", refusal { prompt = text })
      assert.truthy(refusal({ [text] = 1 }):find("not valid UTF-8", 1, true))
    end)
  end
end)

describe("a list", function()
  it("has its elements in order", function()
    assert.equal("[101,102]", encode({ 101, 102 }, "body"))
    assert.equal('["a",true,false,[1],{"b":2}]', encode({ "a", true, false, { 1 }, { b = 2 } }, "body"))
  end)

  it("that is empty is recognized by its metatable", function()
    assert.equal("[]", encode(list {}, "body"))
    assert.equal('{"ids":[]}', encode({ ids = list {} }, "body"))
    assert.equal("{}", encode({}, "body"))
    assert.equal("[1]", encode(list { 1 }, "body"))
  end)

  it("that was decoded empty is encoded as a list", function()
    local text = '{"a":[],"b":{},"c":[[],{}]}'
    assert.equal(text, encode(core.decode(text), "body"))
  end)

  it("may contain null", function()
    assert.equal("[1,null,3]", encode({ 1, cekura.null, 3 }, "body"))
    assert.equal("[null,null]", encode(core.decode "[null,null]", "body"))
  end)

  it("with a hole is refused", function()
    for _, sparse in ipairs {
      { 1, nil, 3 }, { nil, 2 }, { [1] = 1, [3] = 3 }, { [2] = 2 }, { [1] = 1, [2 ^ 40] = 2 }, list { [2] = 2 },
    } do
      assert.truthy(refusal({ ids = sparse }):find("^body%.ids"))
    end
  end)

  it("with a hole has the key behind it in the error", function()
    assert.equal("body.ids: a list expected, got a table with the key 4", refusal { ids = list { 1, 2, [4] = 4 } })
    assert.equal("body.ids: a list expected, got a table with the key 2", refusal { ids = list { [2] = 2 } })
  end)

  it("with a named member is refused", function()
    assert.equal("body.ids: a list expected, got a table with the key n", refusal { ids = { 1, 2, n = 2 } })
    assert.equal("body.ids: a list expected, got a table with the key n", refusal { ids = list { n = 2 } })
    assert.equal("body.ids: a list expected, got a table with the key 1.5", refusal { ids = { 1, [1.5] = 2 } })
    assert.equal("body.ids: a list expected, got a table with the key 0", refusal { ids = { 1, [0] = 2 } })
    assert.equal("body.ids: a list expected, got a table with the key -1", refusal { ids = { 1, [-1] = 2 } })
    assert.equal("body.ids: a list expected, got a table with the key true", refusal { ids = { 1, [true] = 2 } })
  end)
end)

describe("an object", function()
  it("may have more members than the writer begins with", function()
    local object, parts = { nested = {} }, {}
    for index = 1, 300 do
      local name = ("k%03d"):format(index)
      object[name], object.nested[name] = index, { [name] = { index } }
    end
    for index = 1, 300 do
      parts[index] = ('"k%03d":{"k%03d":[%d]}'):format(index, index, index)
    end
    local text = encode(object, "body")
    assert.equal('{"k001":1,"k002":2', text:sub(1, 18))
    assert.equal('"nested":{' .. table.concat(parts, ",") .. "}}", text:match '"nested".*')
  end)

  it("may have thousands of members, in other objects", function()
    for _, size in ipairs { 1000, 1500, 3100, 10000 } do
      local object, parts = {}, {}
      for index = 1, size do
        object[("k%05d"):format(index)] = { [("in %d"):format(index)] = index }
        parts[index] = ('"k%05d":{"in %d":%d}'):format(index, index, index)
      end
      local expected = "{" .. table.concat(parts, ",") .. "}"
      assert.is_true(encode(object, "body") == expected)
      assert.is_true(encode({ a = object, b = { object } }, "body")
        == ('{"a":%s,"b":[%s]}'):format(expected, expected))
    end
  end)

  it("sorts its names by their bytes", function()
    local names, object, found = { "", "\1", "A", "B", "a", "a\0", "a\0b", "aa", "ab", "b", "\194\128", "ü" }, {}, {}
    for _, name in ipairs(names) do
      object[name] = true
    end
    for name in encode(object, "body"):gmatch '"(.-)":' do
      found[#found + 1] = core.decode('["' .. name .. '"]')[1]
    end
    assert.same(names, found)
  end)

  it("has its members sorted, so equal tables have equal texts", function()
    assert.equal('{"a":1,"b":2,"c":{"x":1,"y":2}}', encode({ c = { y = 2, x = 1 }, b = 2, a = 1 }, "body"))
    local names, same = {}, {}
    for index = 1, 200 do
      names[("k%03d"):format(index)] = index
    end
    for index = 200, 1, -1 do
      same[("k%03d"):format(index)] = index
    end
    assert.equal(encode(names, "body"), encode(same, "body"))
    assert.truthy(encode(names, "body"):find('^{"k001":1,"k002":2,'))
  end)

  it("escapes the names of its members", function()
    assert.equal(5, core.decode(encode({ ['a "b"\n'] = 5 }, "body"))['a "b"\n'])
    assert.equal('{"":1}', encode({ [""] = 1 }, "body"))
  end)

  it("may contain null", function()
    assert.equal('{"a":null}', encode({ a = cekura.null }, "body"))
  end)

  it("with a name that is not a string is refused", function()
    assert.equal("body.o: an object with the key true", refusal { o = { [true] = 1 } })
    assert.equal("body.o: an object with the key 1.5", refusal { o = { [1.5] = 1 } })
    assert.truthy(refusal({ o = { [{}] = 1 } }):find("^body%.o: an object with the key table"))
  end)
end)

describe("a value that JSON does not have", function()
  local upvalue = {}
  local function nested()
    return upvalue
  end

  it("is refused, and the error names its place", function()
    assert.equal("body.a[1].b: JSON has no function", refusal { a = { { b = print } } })
    assert.equal("body.a: JSON has no thread", refusal { a = coroutine.create(function() end) })
    assert.equal("body.a: JSON has no userdata", refusal { a = io.stdout })
    if debug.upvalueid then
      assert.equal("body.a: JSON has no userdata", refusal { a = debug.upvalueid(nested, 1) })
    end
  end)

  it("has the name that its place has in Lua", function()
    local ok, message = pcall(encode, { prompt = print }, "calls.improve_prompt")
    assert.is_false(ok)
    assert.truthy(message:find("calls.improve_prompt.prompt: JSON has no function", 1, true))
  end)
end)

describe("nesting", function()
  local function nested(depth)
    local value = {}
    for _ = 2, depth do
      value = { value }
    end
    return value
  end

  it("may be as deep as the reader allows", function()
    local text = encode(nested(512), "body")
    assert.equal(("["):rep(511) .. "{}" .. ("]"):rep(511), text)
    assert.is_table(core.decode(text))
  end)

  it("of objects with many members may be as deep", function()
    local value = {}
    for _ = 2, 512 do
      local outer = { [""] = value }
      for index = 1, 20 do
        outer["name " .. index] = index
      end
      value = outer
    end
    local text = encode(value, "body")
    assert.equal(511, select(2, text:gsub('"name 20":20', "")))
    assert.truthy(core.decode(text)[""][""])
  end)

  it("beyond that is refused", function()
    assert.truthy(refusal(nested(513)):find("nested too deeply", 1, true))
    assert.truthy(refusal(nested(20000)):find("nested too deeply", 1, true))
  end)

  it("of a table in itself is refused", function()
    local object = { a = {} }
    object.a.b = object
    assert.truthy(refusal(object):find("nested too deeply, or in itself", 1, true))
    local itself = {}
    itself[1] = itself
    assert.truthy(refusal(itself):find("nested too deeply, or in itself", 1, true))
  end)

  it("of one table at two places is allowed", function()
    local shared = { 1 }
    assert.equal('{"a":[1],"b":[1]}', encode({ a = shared, b = shared }, "body"))
  end)
end)

-- Fails if it is called.
local function forbidden()
  error "a metamethod was called"
end

describe("a metamethod", function()
  it("is not called", function()
    local meta = { __index = forbidden, __pairs = forbidden, __ipairs = forbidden, __len = forbidden, __eq = forbidden,
      __tostring = forbidden, __lt = forbidden, __metatable = "hidden" }
    assert.equal('[[1,2],{"a":1},{}]', encode({
      setmetatable({ 1, 2 }, meta), setmetatable({ a = 1 }, meta), setmetatable({}, meta) }, "body"))
    assert.truthy(refusal { a = setmetatable({ 1, x = 2 }, meta) }:find("with the key x", 1, true))
  end)
end)

describe("a finalizer that runs meanwhile", function()
  -- Calls a function at the end of each cycle of the collector, until it returns true.
  local function at_each_cycle(fn)
    local function again()
      if fn() then
        return
      end
      local newproxy = rawget(_G, "newproxy") -- 5.1 has no finalizers of tables
      if newproxy then
        getmetatable(newproxy(true)).__gc = again
      else
        setmetatable({}, { __gc = again })
      end
    end
    again()
  end

  -- LuaJIT and Lua 5.2 run it while the text grows, others as the settings of their collectors have it.
  it("may change the tables", function()
    for round = 1, 8 do
      local body, ended, calls = { list = {}, object = {} }, false, 0
      for index = 1, 100 do
        body.list[index] = { text = ("x"):rep(100) }
        body.object["name " .. index] = { ["text " .. index] = ("x"):rep(100), other = {} }
      end
      local pause, multiplier = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000000)
      at_each_cycle(function()
        calls = calls + 1
        for index = 100, calls > round and 1 or 100, -1 do
          body.list[index], body.object["name " .. index] = nil, nil
        end
        return ended
      end)
      local ok, text = pcall(encode, body, "body")
      ended = true
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", multiplier)
      assert.is_true(ok and core.decode(text) ~= nil or text:find("JSON has no nil", 1, true) ~= nil, text)
    end
  end)
end)

describe("the program's own tables", function()
  it("are not changed", function()
    local body = { ids = { 1, 2 }, o = {} }
    encode(body, "body")
    assert.same({ ids = { 1, 2 }, o = {} }, body)
    assert.is_nil(getmetatable(body.ids))
    assert.is_nil(getmetatable(body.o))
  end)
end)

describe("a locale with a decimal comma", function()
  it("does not change how numbers are sent", function()
    local found = in_decimal_comma(function()
      return encode({ 0.5, 0.1 + 0.2, 1.5e300, 1234567.5, 3 }, "body")
    end)
    if not found then
      pending("no locale with a decimal comma is installed")
    end
    assert.equal("[0.5,0.30000000000000004,1.5e+300,1234567.5,3]", found[1])
  end)
end)
