--- compare.lua [COUNT]: compares this module's JSON reader, lua-cjson and Python's json on the same texts: the corpus,
-- hard cases, and COUNT mutations of them with a fixed seed. A named rule explains each disagreement about whether a
-- text is JSON, or about its value. An unexplained disagreement is a failure.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local sorted_keys = require "spec.support.sorted_keys"

local available, cjson = pcall(require, "cjson") -- Debian has none for Lua 5.5
cjson = available and cjson.new()

local COUNT = tonumber(arg[1]) or 300000
local BATCH = 20000

-- Whether this Lua has 64-bit integers.
local INTEGERS = math.type ~= nil

-- ---- texts ----

local seed = 20260701

local function below(bound)
  seed = seed * 16807 % 2147483647
  return seed % bound
end

local function corpus()
  local texts = {}
  local pipe = assert(io.popen "cd spec/fuzz/corpus && LC_ALL=C ls -d json/* record/* webhook/*")
  for path in pipe:lines() do
    texts[#texts + 1] = file.read("spec/fuzz/corpus/" .. path)
  end
  pipe:close()
  return texts
end

local NUMBERS = {
  "0", "-0", "1", "-1", "01", "-01", "00", "0x1A", "0X1a", "-0x1", "1.", "-1.", ".5", "-.5", "1.e5", "+1", "1e",
  "1e+", "1E5", "1e+5",
  "1e-5", "0e0", "0.0", "-0.0", "-", "--1", "1.5.5", "1e5.5", "1_000", "1,5", "0b1", "0o7", "NaN", "nan", "-NaN",
  "Infinity",
  "-Infinity", "inf", "-inf", "INF", "nan(1)", "1e308", "1e309", "-1e309", "1e-400", "5e-324", "2.5e-324",
  "1.7976931348623157e308",
  "1.7976931348623159e308", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
  "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616",
  "123456789012345678901234567890", "0.1", "0.30000000000000004", "1.0", "1e22", "1e23", "123456789.123456789",
  "0.1000000000000000055511151231257827021181583404541015625", "2.2250738585072011e-308", "4.35", "1E400", "1e00005",
  ("9"):rep(400), "0." .. ("3"):rep(1000), ("1"):rep(400) .. ".5", "1e99999999999", "1e-99999999999",
}

local STRINGS = {
  [[""]], [["\u0000"]], '"\0"', '"\1"', '"\31"', '"\127"', '"\t"', '"\n"', [["\ud800"]], [["\udc00"]],
  [["\ud800\udc00"]],
  [["\udbff\udfff"]], [["\ud800\ud800"]], [["\ud800x"]], [["\ud800\n"]], [["\uD83D\uDE00"]], [["\u00e9"]], [["\u00E9"]],
  [["\u12"]], [["\u 123"]], [["\u+123"]], [["\u12g4"]], [["\x41"]], [["\a"]], [["\'"]], [["\0"]], [["\U0041"]],
  [["\/"]], [["\\"]],
  [["\"]], [["]], [["a]], '"\195\164"', '"\195"', '"\192\128"', '"\224\128\128"', '"\237\160\128"',
  '"\240\159\152\128"',
  '"\244\144\128\128"', '"\255"', '"\239\187\191"', "'a'", [["\ud83d\u0061"]], [["\ufffe\uffff"]],
}

local OTHERS = {
  "", " ", "\239\187\191{}", "\254\255\0{", "{\0}\0", "[\0]", "\0", "{}\0", "{}\0x", "[]]", "[1,]", "[,1]", "{,}",
  "{\"a\":1,}",
  "{\"a\"}", "{\"a\":}", "{a:1}", "{1:1}", "[1 2]", "{\"a\" 1}", "nul", "nulll", "True", "TRUE", "null", "true",
  "false",
  "[true,false,null]", "[1]x", "[1] ", "\f[1]", "\v[1]", "\194\160[1]", "[1]//", "/**/[1]", "[1,/**/2]",
  "{\"a\":1,\"a\":null}",
  "{\"a\":null,\"a\":2}", [[{"a":1,"\u0061":2}]], "[[]]", "[{}]", "{\"a\":[]}", "{\"\":1}", "undefined", "[1;2]",
  "\"a\"\"b\"",
  ("["):rep(512) .. ("]"):rep(512), ("["):rep(513) .. ("]"):rep(513), ("["):rep(900) .. ("]"):rep(900),
  ("["):rep(2000) .. ("]"):rep(2000), ('{"a":'):rep(512) .. "1" .. ("}"):rep(512),
  ('{"a":'):rep(513) .. "1" .. ("}"):rep(513),
}

local function hard_cases()
  local texts = {}
  for _, list in ipairs { NUMBERS, STRINGS, OTHERS } do
    for _, text in ipairs(list) do
      for _, shape in ipairs { "%s", " %s ", "[%s]", '{"a":%s}', "[1,%s,2]", '{"a":1,"b":[{"c":%s}]}', '{%s:1}' } do
        texts[#texts + 1] = (shape:gsub("%%s", (text:gsub("%%", "%%%%"))))
      end
    end
  end
  return texts
end

local SIGNS = '{}[],:"\\ \n019-+.eEutfnx'

local function one_of(list)
  return list[below(#list) + 1]
end

-- Replaces a piece of the text by a byte, nothing, the piece twice, a hard case, a sign, or a part of another text.
local function change_piece(text, texts)
  local at, length = below(#text + 1), below(4) == 0 and below(24) or 1
  local piece, way = text:sub(at + 1, at + length), below(6)
  if way == 0 then
    piece = string.char(below(256))
  elseif way == 1 then
    piece = ""
  elseif way == 2 then
    piece = piece .. piece
  elseif way == 3 then
    piece = one_of(below(2) == 0 and NUMBERS or STRINGS)
  elseif way == 4 then
    local place = below(#SIGNS) + 1
    piece = SIGNS:sub(place, place)
  else
    local other = one_of(texts)
    local from = below(#other + 1)
    piece = other:sub(from, from + below(32))
  end
  return text:sub(1, at) .. piece .. text:sub(at + length + 1)
end

local function valid_ones(texts)
  local valid = {}
  for _, text in ipairs(texts) do
    valid[#valid + 1] = core.decode(text) ~= nil and text or nil
  end
  return valid
end

local VALID_NUMBERS, VALID_STRINGS = valid_ones(NUMBERS), valid_ones(STRINGS)

-- Replaces a number or a string by another value, which often keeps the text valid.
local function change_value(text, texts)
  local is_number = below(2) == 0
  local first, last = text:find(is_number and "%-?%d[%d.eE+-]*" or '"[^"\\]*"', below(#text + 1))
  if not first then
    return change_piece(text, texts)
  end
  local value
  if below(4) == 0 then
    value = one_of(below(2) == 0 and texts or is_number and NUMBERS or STRINGS)
  else
    value = one_of(is_number and VALID_NUMBERS or VALID_STRINGS)
  end
  return text:sub(1, first - 1) .. value .. text:sub(last + 1)
end

-- Changes a text, which is mostly a valid one, once or twice.
local function mutate(valid, texts)
  local text = one_of(below(8) > 0 and valid or texts)
  for _ = 0, below(2) do
    text = (below(4) > 0 and change_value or change_piece)(text, valid)
  end
  return text
end

-- ---- Python ----

local function ask_python(texts)
  local given, taken = os.tmpname(), os.tmpname()
  local parts = {}
  for place, text in ipairs(texts) do
    parts[place] = #text .. "\n" .. text
  end
  file.write(given, table.concat(parts))
  local command = "python3 spec/fuzz/compare.py %s <%s >%s"
  os.execute(command:format(INTEGERS and "integers" or "", given, taken))
  local answers = {}
  local output = assert(io.open(taken, "rb"))
  for place = 1, #texts do
    local length = assert(output:read "*n", "Python has no more answers")
    output:read(1)
    answers[place] = length == 0 and "" or output:read(length)
  end
  output:close()
  os.remove(given)
  os.remove(taken)
  return answers
end

-- The value in the format of compare.py. With fewer digits, LuaJIT rounds 0.125 differently.
local function written(value, parts)
  local kind = type(value)
  if value == cekura.null then
    parts[#parts + 1] = "z"
  elseif kind == "boolean" then
    parts[#parts + 1] = value and "t" or "f"
  elseif kind == "number" then
    parts[#parts + 1] = (INTEGERS and math.type(value) == "integer" and "i%d" or "n%.99g"):format(value)
  elseif kind == "string" then
    parts[#parts + 1] = ("s%d:"):format(#value) .. value
  elseif getmetatable(value) == core.array_mt then
    parts[#parts + 1] = "["
    for _, item in ipairs(value) do
      written(item, parts)
    end
    parts[#parts + 1] = "]"
  else
    local names = {}
    for name in pairs(value) do
      names[#names + 1] = name
    end
    table.sort(names, function(a, b) -- by bytes, independent of the locale
      return a < b
    end)
    parts[#parts + 1] = "{"
    for _, name in ipairs(names) do
      parts[#parts + 1] = ("s%d:"):format(#name) .. name
      written(value[name], parts)
    end
    parts[#parts + 1] = "}"
  end
  return parts
end

-- The name of the rule that explains how Python's answer differs from ours; "" if they agree; nil if no rule does.
local function python_rule(ours, fault, python)
  if ours ~= nil then
    return python:sub(1, 1):find "[=~]" and python:sub(2) == table.concat(written(ours, {})) and "" or nil
  elseif python == "!depth" and fault == "nested too deeply" then
    return "Python nests deeper"
  elseif not python:find "^[=~!]" then
    return ""
  end
end

-- ---- lua-cjson ----

local ROUNDED, INFINITE = "lua-cjson rounds a number", "lua-cjson makes an infinite number"

-- Whether lua-cjson's value equals ours by the rules. Adds the rules that were needed to `found`.
local function same(ours, theirs, found)
  if type(ours) == "table" then
    if type(theirs) ~= "table" then
      return false
    end
    for name, value in pairs(ours) do
      if not same(value, theirs[name], found) then
        return false
      end
    end
    for name, value in pairs(theirs) do
      if ours[name] == nil and (value ~= cekura.null or getmetatable(ours) == core.array_mt) then
        return false
      end
    end
    return true
  elseif type(ours) == "number" and type(theirs) == "number" then
    if INTEGERS and ours ~= theirs then
      found[ROUNDED] = true
    end
    return ours + 0.0 == theirs
  elseif type(ours) == "string" and type(theirs) == "number" then -- digits that this Lua cannot represent
    local infinite = math.abs(theirs) == math.huge
    found[infinite and INFINITE or ROUNDED] = true
    return ours:find "^%-?%d[%d.eE+-]*$" ~= nil and (ours:sub(1, 1) == "-") == (theirs < 0)
      and (infinite or tonumber(ours) == theirs and math.abs(theirs) >= 2 ^ 53)
  end
  return ours == theirs
end

-- The rules by which lua-cjson accepts invalid JSON: a name, our fault, the text at its offset, the text before it.
local LENIENT = {
  { "lua-cjson takes invalid UTF-8", "^invalid UTF%-8 in a string$", "^[\128-\255]" },
  { "lua-cjson takes control characters in strings", "^control character in a string$", "^[\1-\31]" },
  { "lua-cjson takes NaN and Infinity", "", "^[+-]?[Nn][Aa][Nn]" },
  { "lua-cjson takes NaN and Infinity", "", "^[+-]?[Ii][Nn][Ff]" },
  { "lua-cjson takes hexadecimal numbers", "", "^[xX][%x.]", "0$" },
  { "lua-cjson takes hexadecimal numbers", "", "^%+%-?0[xX]" },
  { "lua-cjson takes leading zeros", "", "^%d", "0$" },
  { "lua-cjson takes a decimal point without digits", "", "^[^%d]?", "%d%.$" },
  { "lua-cjson takes a decimal point without digits", "^invalid number$", "^%.%d", "-$" },
  { "lua-cjson takes a plus sign", "", "^%+[%d.]" },
  { "lua-cjson ends at a NUL", "^text after the JSON value$", "^%z" },
}

local function cjson_rule(ours, fault, offset, text, python)
  local taken, theirs = pcall(cjson.decode, text)
  if not taken then
    return ours == nil and "" or python:find "^~" and "lua-cjson refuses half of a surrogate pair" or nil, theirs
  elseif ours ~= nil then
    local found = {}
    if same(ours, theirs, found) then
      return next(found) or ""
    end
    return nil, theirs
  elseif fault == "nested too deeply" then
    return python == "!depth" and "lua-cjson nests deeper" or nil, "taken"
  end
  for _, rule in ipairs(LENIENT) do
    local name, our_fault, at, before = rule[1], rule[2], rule[3], rule[4] or ""
    if fault:find(our_fault) and text:find(at, offset + 1) and text:sub(1, offset):find(before) then
      return name
    end
  end
  return nil, "taken"
end

-- ---- the comparison ----

local counts, unexplained = {}, 0

local function count(name)
  counts[name] = (counts[name] or 0) + 1
end

local function unexplained_by(whom, text, ours, fault, theirs)
  unexplained = unexplained + 1
  if unexplained <= 20 then
    print(("%s disagrees on %q\n  here: %s\n  there: %s"):format(whom, text:sub(1, 200),
      ours == nil and fault or table.concat(written(ours, {})):sub(1, 200), tostring(theirs):sub(1, 200)))
  end
end

local function compare(text, python)
  local ours, fault, offset = core.decode(text)
  count(ours ~= nil and "taken here" or "refused here")
  local is_object = type(ours) == "table" and getmetatable(ours) ~= core.array_mt
  if is_object ~= (cekura.call_log(text) ~= nil) then
    unexplained_by("cekura.call_log", text, ours, fault, not is_object)
  end
  local rule, theirs = python_rule(ours, fault, python), python
  if not rule then
    unexplained_by("Python", text, ours, fault, theirs)
  elseif rule ~= "" then
    count(rule)
  end
  rule, theirs = "", nil
  if cjson then
    rule, theirs = cjson_rule(ours, fault, offset, text, python)
  end
  if not rule then
    unexplained_by("lua-cjson", text, ours, fault, theirs)
  elseif rule ~= "" then
    count(rule)
  end
end

local function compare_all(texts)
  local answers = ask_python(texts)
  for place, text in ipairs(texts) do
    compare(text, answers[place])
  end
  return #texts
end

local bases = corpus()
for _, text in ipairs(hard_cases()) do
  bases[#bases + 1] = text
end
local total = compare_all(bases)

-- The texts that are mutated.
local small = {}
for _, text in ipairs(bases) do
  small[#small + 1] = #text < 600 and text or nil
end
local valid = valid_ones(small)
while total < #bases + COUNT do
  local batch = {}
  for place = 1, math.min(BATCH, #bases + COUNT - total) do
    batch[place] = mutate(valid, small)
  end
  total = total + compare_all(batch)
end

for _, name in ipairs(sorted_keys(counts)) do
  print(("%9d  %s"):format(counts[name], name))
end
print(("%9d  texts, %d disagreements without an explanation"):format(total, unexplained))
os.exit(unexplained == 0 and 0 or 1)
