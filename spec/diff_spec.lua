-- The difference of two texts by words.

local align = require "cekura.align"
local cekura = require "cekura"
local words = require "cekura.words"

-- The sides of a difference, and whether it has its form.
local function sides(pieces)
  local old, new, before = {}, {}, nil
  for _, piece in ipairs(pieces) do
    assert.not_equal(before, piece.kind)
    assert.is_false(before == "added" and piece.kind == "removed")
    assert.not_equal("", piece.text)
    before = piece.kind
    if piece.kind ~= "added" then
      old[#old + 1] = piece.text
    end
    if piece.kind ~= "removed" then
      new[#new + 1] = piece.text
    end
  end
  return table.concat(old), table.concat(new)
end

local function assert_recovers(old, new)
  local pieces = cekura.diff(old, new)
  local got_old, got_new = sides(pieces)
  assert.equal(old, got_old)
  assert.equal(new, got_new)
  return pieces
end

-- A generator that is the same on every Lua: Park and Miller's.
local function generator(seed)
  return function(most)
    seed = seed * 16807 % 2147483647
    return seed % most + 1
  end
end

-- Up to `most` of the items, at random.
local function some_of(random, items, most)
  local list = {}
  for index = 1, random(most + 1) - 1 do
    list[index] = items[random(#items)]
  end
  return list
end

-- Fails as soon as a call has taken more than so many million instructions.
local function assert_takes_at_most(millions, call)
  local count = 0
  debug.sethook(function()
    count = count + 1
    assert(count <= millions, "too many instructions")
  end, "", 1e6)
  local fine, message = pcall(call)
  debug.sethook()
  assert.is_true(fine, message)
end

-- A text from a format, filled in with the numbers from one to another.
local function numbered(format, first, last, step)
  local list = {}
  for number = first, last, step or 1 do
    list[#list + 1] = (format:gsub("#", number))
  end
  return table.concat(list)
end

describe("the difference reads:", function()
  for _, row in ipairs {
    { "one word", "Be brief.", "Be kind.", "Be [-brief-]{+kind+}." },
    { "a word more", "Be brief.", "Be very brief.", "Be {+very +}brief." },
    { "a word less", "Be very brief.", "Be brief.", "Be [-very -]brief." },
    { "an item in a list with commas", "a, b, c", "a, x, b, c", "a, {+x, +}b, c" },
    { "a sentence between two", "Be brief. Go.", "Be brief. Be kind. Go.", "Be brief. {+Be kind. +}Go." },
    { "a line between two", "- a\n- b\n", "- a\n- new\n- b\n", "- a\n{+- new\n+}- b\n" },
    { "a line before another", "- b\n", "- a\n- b\n", "{+- a\n+}- b\n" },
    { "a change in a line beside removed ones", "- Rule 30\n- Be kind 31\nB\n", "- Rule 31\nB\n",
      "- Rule [-30-]{+31+}\n[-- Be kind 31\n-]B\n" },
    { "a change in a line beside an added one", "- Rule 31 a\n", "- Rule 30 a\n- Rule 31 b\n",
      "{+- Rule 30 a\n+}- Rule 31 [-a-]{+b+}\n" },
    { "a change after a line that is aligned in fewer parts",
      "x, y; q\n- immutable tail\n- Rule 30\n- Be kind 31\nB\n", "x y immutable tail\n- Rule 31\nB\n",
      "x[-, y; q\n--]{+ y+} immutable tail\n- Rule [-30-]{+31+}\n[-- Be kind 31\n-]B\n" },
    { "a line that is joined with the next one", "Be kind\nand brief.\n", "Be kind and brief.\n",
      "Be kind[-\n-]{+ +}and brief.\n" },
    { "a line at the end", "- a", "- a\n- b", "- a{+\n- b+}" },
    { "a repeated line that is removed", "- a\n- a\n- b", "- a\n- b", "- a\n[-- a\n-]- b" },
    { "a paragraph", "One.\n\nTwo.", "One.\n\nNew.\n\nTwo.", "One.\n\n{+New.\n\n+}Two." },
    { "a sentence with other words is one phrase", "Greet the caller politely. Be brief.",
      "Say hello to the caller and ask how they are. Be brief.",
      "[-Greet the caller politely-]{+Say hello to the caller and ask how they are+}. Be brief." },
    { "lone blanks and commas between changes", "a, b c", "d, e f", "[-a, b c-]{+d, e f+}" },
    { "a word between two additions stays", "Be brief.", "Always be Be brief, and polite.",
      "{+Always be +}Be brief{+, and polite+}." },
    { "a longer part between two changes stays", "a common part b", "c common part d",
      "[-a-]{+c+} common part [-b-]{+d+}" },
    { "what begins and ends both phrases is not in them", "x the a the y", "x the b c the y",
      "x the [-a-]{+b c+} the y" },
    { "changes of two lines stay apart", "one.\ntwo.\n", "red.\nblue.\n", "[-one-]{+red+}.\n[-two-]{+blue+}.\n" },
    { "phrases after several lines", "one\ntwo\na b\n", "red\nblue\nc d\n",
      "[-one-]{+red+}\n[-two-]{+blue+}\n[-a b-]{+c d+}\n" },
    { "a mark between two additions stays", ",", "b,c", "{+b+},{+c+}" },
    { "a word stays that is longer than all that was removed", "I call", "Some people call other people",
      "[-I-]{+Some people+} call{+ other people+}" },
    { "a rule between two changes stays", "a ----- b", "c ----- d", "[-a-]{+c+} ----- [-b-]{+d+}" },
    { "an island before a phrase that has grown", "c\nb b \nb", ". \n", "[-c\nb b-]{+.+} \n[-b-]" },
    { "an island after a phrase that has grown", "\n\n.  ", "a\n. . c", "[-\n-]{+a+}\n.[-  -]{+ . c+}" },
    { "of two sentences that begin alike, the whole one", "Be brief. Be quick.", "Be brief. Be kind. Be quick.",
      "Be brief. {+Be kind. +}Be quick." },
    { "the end of a line rather than its middle", " . \n", " \nb", " [-. -]\n{+b+}" },
    { "a mark with the blank before it", " c", " . c", "{+ .+} c" },
    { "an addition that meets another when it is moved", " c", "a\n b c ", "{+a\n b+} c{+ +}" },
    { "an island before a change that has grown by another island", ". a", "a.  , b", "[-. a-]{+a.  , b+}" },
    { "a removal that meets another when it is moved", "c \n\n, ", " \n", "[-c-] \n[-\n, -]" },
    { "the end of the text", "\n, \n ", ", ", "[-\n-], [-\n -]" },
    { "a word that contains another", "name", "names", "[-name-]{+names+}" },
    { "numbers and names with underscores", "{{first_name}} 9:30", "{{last_name}} 9:45",
      "{{[-first_name-]{+last_name+}}} 9:[-30-]{+45+}" },
    { "other alphabets", "Добрый день, Анна.", "Добрый вечер, Анна.", "Добрый [-день-]{+вечер+}, Анна." },
    { "accents that are characters of their own", "cafe\204\129 noir", "cafe noir",
      "[-cafe\204\129-]{+cafe+} noir" },
    { "a script without blanks", "你好世界。", "你好新世界。", "你好{+新+}世界。" },
    { "quotes and dashes", "“Bis Dienstag!” — so", "“Bis Mittwoch!” – so",
      "“Bis [-Dienstag-]{+Mittwoch+}!” [-—-]{+–+} so" },
    { "a mark for another", "don't", "don’t", "don[-'-]{+’+}t" },
    { "line ends", "a\r\nb", "a\nb", "a[-\r\n-]{+\n+}b" },
    { "blanks alone", "a  b", "a\tb", "a[-  -]{+\t+}b" },
    { "nothing, and something", "", "Be brief.", "{+Be brief.+}" },
    { "something, and nothing", "Be brief.", "", "[-Be brief.-]" },
    { "the same", "Be brief.", "Be brief.", "Be brief." },
    { "nothing at all", "", "", "" },
    { "bytes of zero", "a\0b c", "a\0d c", "a\0[-b-]{+d+} c" },
  } do
    it(row[1], function()
      assert.equal(row[4], tostring(assert_recovers(row[2], row[3])))
    end)
  end
end)

describe("the difference", function()
  it("is a list of pieces, which is empty for two empty texts", function()
    assert.same({}, cekura.diff("", ""))
    assert.same({ { kind = "same", text = "a" } }, cekura.diff("a", "a"))
    assert.same({ { kind = "same", text = "a " }, { kind = "removed", text = "b" }, { kind = "added", text = "c" } },
      cekura.diff("a b", "a c"))
  end)

  it("raises an error for anything but two strings", function()
    for message, call in pairs {
      ["old: string expected, got nothing"] = function() cekura.diff() end,
      ["old: string expected, got number"] = function() cekura.diff(5, "b") end,
      ["new: string expected, got nothing"] = function() cekura.diff "a" end,
      ["new: string expected, got table"] = function() cekura.diff("a", {}) end,
    } do
      local fine, got = pcall(call)
      assert.is_false(fine)
      assert.truthy(got:find("^[^ ]*diff_spec.lua:%d+: cekura: " .. message .. "$"), got)
    end
  end)

  it("contains both texts, whatever they are", function()
    local random = generator(7)
    local items = { "a", "b", "the", " ", " ", "\n", ", ", ". ", "é", "你", "🙂", "\r\n", "\0", "\255", "\237\160\128",
      "\226\128", "“", "_", "5", "\t" }
    for _ = 1, 500 do
      local old, new = some_of(random, items, 25), some_of(random, items, 25)
      assert_recovers(table.concat(old), table.concat(new))
      -- A copy with some changes.
      local copy = {}
      for _, item in ipairs(old) do
        copy[#copy + 1] = random(6) > 1 and item or items[random(#items)]
        copy[#copy + 1] = random(8) == 1 and items[random(#items)] or nil
      end
      assert_recovers(table.concat(old), table.concat(copy))
    end
  end)

  it("contains both texts, whatever their lines are", function()
    local random = generator(19)
    local items = { "- ", "Be ", "kind", "brief ", "rule ", "30", "31", "\n", "\n", "\n- " }
    for _ = 1, 1500 do
      local old = some_of(random, items, 40)
      local copy = {}
      for _, item in ipairs(old) do
        copy[#copy + 1] = random(3) > 1 and item or nil
        copy[#copy + 1] = random(6) == 1 and items[random(#items)] or nil
      end
      assert_recovers(table.concat(old), table.concat(copy))
      assert_recovers(table.concat(copy), table.concat(old))
    end
  end)

  it("keeps the long text of a line that is joined or split", function()
    local long = numbered(" word#", 1, 100)
    for _, row in ipairs {
      { "- Alphabet one\n- Beta two\n- gamma%s\n", "- Alphabet Beta gamma%s\n" },
      { "-%s\nBeta two\n- gamma three\n", "-%s Beta gamma three\n" },
    } do
      local many, one = row[1]:format(long), row[2]:format(long)
      for _, pieces in ipairs { assert_recovers(many, one), assert_recovers(one, many) } do
        local is_kept = false
        for _, piece in ipairs(pieces) do
          is_kept = is_kept or piece.kind == "same" and piece.text:find(long, 1, true) ~= nil
        end
        assert.is_true(is_kept, tostring(pieces))
      end
    end
  end)

  it("keeps lines apart in many lines, in proportion to their number", function()
    local all, half = numbered("row # x\n", 1, 20000), numbered("row # x\n", 2, 20000, 2)
    local pieces
    assert_takes_at_most(150, function()
      pieces = cekura.diff(all, half)
    end)
    assert.same({ all, half }, { sides(pieces) })
    assert.equal("[-row 1 x\n-]row 2 x\n[-row 3 x\n-]row 4 x\n", tostring(pieces):sub(1, 40))
  end)

  it("is bounded in its work on lines that are joined", function()
    for _, words_of_line in ipairs { 30, 900, 20000 } do
      local many, one = numbered("w# -\n", 1, 20000), {}
      for first = 1, 20000, words_of_line do
        one[#one + 1] = numbered("w# ", first, math.min(first + words_of_line - 1, 20000))
      end
      one = table.concat(one, "\n")
      assert_takes_at_most(300, function()
        cekura.diff(many, one)
        cekura.diff(one, many)
      end)
    end
  end)

  it("contains both texts, even if they are large", function()
    local random = generator(11)
    local function text(count, vocabulary)
      local list = {}
      for index = 1, count do
        list[index] = ("w%d%s"):format(random(vocabulary), random(9) == 1 and ".\n" or " ")
      end
      return list
    end
    local old = text(8000, 3000)
    local edited, changed = {}, 0
    for index, item in ipairs(old) do
      edited[index] = index % 80 == 0 and "new " or item
      changed = changed + (index % 80 == 0 and 1 or 0)
    end
    local pieces = assert_recovers(table.concat(old), table.concat(edited))
    local added = 0
    for _, piece in ipairs(pieces) do
      added = added + (piece.kind == "added" and #piece.text or 0)
    end
    assert.is_true(added <= changed * #"new w3000.\n", added)
    assert_recovers(table.concat(old), table.concat(text(8000, 3000))) -- beyond the limit, cut at anchors
    assert_recovers(table.concat(text(6000, 30)), table.concat(text(6000, 30))) -- no word is there only once
  end)
end)

describe("words", function()
  for _, row in ipairs {
    { "letters, digits, underscores and other characters go together", "Größe_2 abc", { "Größe_2", " ", "abc" } },
    { "marks are alone", "a.,!{{b}}", { "a", ".", ",", "!", "{", "{", "b", "}", "}" } },
    { "blanks go together, newlines do not", "a \t b\n\n\r\n", { "a", " \t ", "b", "\n", "\n", "\r\n" } },
    { "a carriage return is alone", "a\rb", { "a", "\r", "b" } },
    { "characters of Chinese and Japanese are alone", "a你好b", { "a", "你", "好", "b" } },
    { "the longest and the shortest characters",
      "\127\194\128 \223\191\224\160\128\239\191\191\240\144\128\128\244\143\191\191",
      { "\127", "\194\128", " ", "\223\191\224\160\128\239\191\191\240\144\128\128\244\143\191\191" } },
    { "a byte that is not UTF-8 is alone", "a\255\192\128b\237\160\128\226\128",
      { "a", "\255", "\192", "\128", "b", "\237", "\160", "\128", "\226", "\128" } },
    { "overlong forms and too large ones are not UTF-8", "\224\159\128\240\143\128\128\244\144\128\128\245",
      { "\224", "\159", "\128", "\240", "\143", "\128", "\128", "\244", "\144", "\128", "\128", "\245" } },
  } do
    it(row[1], function()
      assert.same(row[3], words.split(row[2]))
    end)
  end

  it("of a long text are all of it", function()
    local text = ("word "):rep(50000) .. ("é"):rep(50000) .. ("\255"):rep(1000)
    assert.equal(text, table.concat(words.split(text)))
  end)
end)

-- ---- what two lists have in common ----

-- The length of the longest common subsequence, by the table of all prefixes.
local function longest(a, b)
  local before = {}
  for place = 0, #b do
    before[place] = 0
  end
  for _, item in ipairs(a) do
    local row = { [0] = 0 }
    for place, other in ipairs(b) do
      row[place] = item == other and before[place - 1] + 1 or math.max(before[place], row[place - 1])
    end
    before = row
  end
  return before[#b]
end

-- How much two lists have in common by align().
local function common(a, b)
  local total, a_after, b_after = 0, 1, 1
  for index, run in ipairs(align(a, b)) do
    assert.is_true(run.a >= a_after and run.b >= b_after and run.length > 0)
    -- Neighbours are one run.
    assert.is_true(index == 1 or run.a > a_after or run.b > b_after)
    for offset = 0, run.length - 1 do
      assert.is_true(a[run.a + offset] ~= nil and a[run.a + offset] == b[run.b + offset])
    end
    a_after, b_after, total = run.a + run.length, run.b + run.length, total + run.length
  end
  return total
end

describe("what two lists have in common", function()
  it("is the longest there is, if they are small", function()
    local random = generator(3)
    for _ = 1, 1500 do
      local items = {}
      for index = 1, random(5) do
        items[index] = tostring(index)
      end
      local a, b = some_of(random, items, 14), some_of(random, items, 14)
      assert.equal(longest(a, b), common(a, b), table.concat(a) .. " " .. table.concat(b))
    end
  end)

  it("is the longest there is, up to some hundred differences", function()
    local random = generator(5)
    local items = { "a", "b", "c", "d" }
    for _ = 1, 3 do
      local a, b = some_of(random, items, 300), some_of(random, items, 300)
      assert.equal(longest(a, b), common(a, b))
    end
  end)

  it("is found by strings that occur only once, beyond that", function()
    local random = generator(17)
    local a, b = {}, {}
    for index = 1, 1500 do
      a[index] = index % 5 == 0 and tostring(index) or "x" .. random(3)
      b[#b + 1] = index % 5 == 0 and a[index] or "x" .. random(3)
      if index == 750 then
        for _ = 1, 1500 do
          b[#b + 1] = "x" .. random(3)
        end
      end
    end
    local found = 0
    for _, run in ipairs(align(a, b)) do
      for place = run.a, run.a + run.length - 1 do
        found = found + (place % 5 == 0 and 1 or 0)
      end
    end
    assert.equal(300, found)
  end)

  it("is found by phrases that occur only once, even if no word does", function()
    -- Numbers in two digits, each as two words.
    local a, b = {}, {}
    for index = 1, 900 do
      for _, list in ipairs { a, b } do
        list[#list + 1] = "n" .. math.floor(index / 30)
        list[#list + 1] = "m" .. index % 30
        for place = 1, 4 do
          list[#list + 1] = list == a and index % 2 == 0 and "a" .. place % 2 or "b" .. place % 2
        end
      end
    end
    assert.is_true(common(a, b) >= 900 * 4)
  end)

  it("is found in lists in which nothing occurs only once", function()
    local a, b = {}, {}
    for index = 1, 8000 do
      a[index], b[index] = index % 10 == 0 and "a" or "x", index % 10 == 5 and "b" or "x"
    end
    assert.is_true(common(a, b) > 6000)
  end)

  it("is bounded in its work", function()
    local random = generator(13)
    local a, b = {}, {}
    for index = 1, 30000 do
      a[index], b[index] = tostring(random(2000)), tostring(random(2000))
    end
    local count = 0
    debug.sethook(function() count = count + 1 end, "", 1e6)
    common(a, b)
    debug.sethook()
    assert.is_true(count < 200, count) -- in millions; without the bound, more than a thousand
  end)
end)
