--- The terminal layer of the command: untrusted text made visible, columns, streams and colours, and signals.

local core = require "cekura.core"
local decimal_comma = require "spec.support.decimal_comma"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local text = require "cekura.command.text"
local tmux = require "spec.support.tmux"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local HERE = shell "pwd":match "[^\n]+"

-- The output of a program that gets the modules of the command; `before` comes before the interpreter.
local function run(code, before, after)
  local prelude = [[
    local core, text = require "cekura.core", require "cekura.command.text"
    local streams = require("cekura.command.terminal").open { color = arg[1] }
  ]]
  return file.temporary(prelude .. code, function(path)
    return shell(("%s timeout 60 %s %s %s"):format(before or "", lua, path, after or ""))
  end)
end

describe("visible text", function()
  it("shows control characters as escapes", function()
    assert.equal([[a\nb\tc\rd\x1b[31me\x00\x07\x08\x7f]], text.visible "a\nb\tc\rd\27[31me\0\7\8\127")
    assert.equal([[\u{80}\u{9b}\u{9f}]], text.visible "\194\128\194\155\194\159")
  end)

  it("leaves other characters as they are", function()
    for _, plain in ipairs { "", "a b ~", [[C:\new]], "é ß", "日本語", "e\204\129", "\194\160", "\244\143\191\191",
      "👨\226\128\141👩", "می\226\128\140خواهم" } do
      assert.equal(plain, text.visible(plain))
    end
  end)

  it("shows characters that reorder a line or are invisible", function()
    for character, escape in pairs {
      ["\216\156"] = "61c", ["\226\128\142"] = "200e", ["\226\128\143"] = "200f", ["\226\128\170"] = "202a",
      ["\226\128\174"] = "202e", ["\226\129\166"] = "2066", ["\226\129\169"] = "2069", ["\226\128\168"] = "2028",
      ["\226\128\169"] = "2029", ["\239\187\191"] = "feff", ["\226\128\139"] = "200b", ["\226\129\160"] = "2060",
      ["\194\173"] = "ad", ["\243\160\128\129"] = "e0001", ["\243\160\129\191"] = "e007f",
    } do
      assert.equal(("a\\u{%s}b"):format(escape), text.visible("a" .. character .. "b"))
    end
  end)

  it("shows the bytes that are not UTF-8: overlong forms, surrogates, beyond U+10FFFF, cut characters", function()
    assert.equal([[\xff \xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \x80x é\x80 \xe2\x80]],
      text.visible "\255 \192\175 \224\128\175 \237\160\128 \244\144\128\128 \128x é\128 \226\128")
  end)

  it("has the lines of the text if they are wanted", function()
    assert.equal("a\nb\nc  d\\re\\x1b[2J\n\\u{2028}", text.visible_lines "a\r\nb\nc\td\re\27[2J\n\226\128\168")
  end)
end)

describe("columns", function()
  it("are counted as a terminal does", function()
    for plain, width in pairs { [""] = 0, abc = 3, ["日本"] = 4, ["e\204\129"] = 1, ["😀"] = 2, ["é"] = 1,
      ["\255\254"] = 2 } do
      assert.equal(width, text.width(plain))
    end
  end)

  it("fit the longest prefix, without a cut character or a lost mark", function()
    local function fit(...)
      return { core.fit(...) }
    end
    assert.same({ 6, 4 }, fit("日本語", 5))
    assert.same({ 0, 0 }, fit("日", 1))
    assert.same({ 3, 1 }, fit("e\204\129x", 1))
    assert.same({ 9, 6 }, fit("日本語", math.huge))
    assert.same({ 0, 0 }, fit("abc", 0))
    assert.same({ 0, 0 }, fit("abc", -1))
    assert.same({ 0, 0 }, fit("abc", 0 / 0))
    assert.same({ 2, 2 }, fit("\226\128", 2))
  end)

  it("do not depend on the locale of the program, and do not change it", function()
    local output = run([[io.write(text.width "日本", " ", os.setlocale(nil))]], "LC_ALL=C")
    assert.equal("4 C", output)
    local found = decimal_comma(function()
      return text.width "日本", os.setlocale(nil, "numeric") ~= "C", text.width "é"
    end)
    if not found then
      pending "no locale with a decimal comma"
    end
    assert.same({ 4, true, 1 }, found)
  end)

  it("are what fit, pad and wrap count", function()
    local output = run([[
      local function show(...) print(table.concat({ ... }, "|")) end
      show(text.fit("日本語", 6), text.fit("日本語", 5), text.fit("abcd", 3), text.fit("abcd", 0))
      show(text.pad("日", 4), text.pad("abc", 2))
    ]], "LC_ALL=C.UTF-8")
    assert.equal("日本語|日本…|ab…|\n日  |abc\n", output)
  end)

  it("are cut with ASCII where the locale is not UTF-8", function()
    assert.equal("日... abc .", (run([[io.write(text.fit("日本語", 5), " ", text.fit("abc", 3), " ", text.fit(".bc", 1))]],
      "LC_ALL=C")))
  end)

  it("follow LC_ALL, LC_CTYPE or LANG, the first that is not empty", function()
    for variables, is_utf8 in pairs {
      ["LC_ALL= LC_CTYPE= LANG="] = false, ["LC_ALL= LC_CTYPE= LANG=de_DE.utf8@euro"] = true,
      ["LC_ALL=C LC_CTYPE=C.UTF-8 LANG=C.UTF-8"] = false, ["LC_ALL= LC_CTYPE=en_US.UTF-8 LANG=C"] = true,
      ["LC_ALL=POSIX LC_CTYPE= LANG="] = false, ["LC_ALL=C.UTF-8 LC_CTYPE=C LANG=C"] = true,
      ["LC_ALL= LC_CTYPE=C LANG=C.UTF-8"] = false,
    } do
      assert.equal(tostring(is_utf8), (run([[io.write(tostring(text.is_utf8()))]], variables)))
    end
  end)

  describe("of a wrapped text:", function()
    it("lines are broken at blanks", function()
      assert.same({ "the quick", "brown fox" }, text.wrap("the quick brown fox", 10))
      assert.same({ "the quick", "brown fox" }, text.wrap("the quick brown fox", 9))
      assert.same({ "日本 語", "x" }, text.wrap("日本 語 x", 8))
      assert.same({ "" }, text.wrap("", 10))
      assert.same({ "a  b" }, text.wrap("a  b ", math.huge))
    end)

    it("a word that is longer than a line is cut", function()
      assert.same({ "a", "abcdefgh", "ij kl" }, text.wrap("a abcdefghij kl", 8))
      assert.same({ "日本", "語" }, text.wrap("日本語", 5))
      assert.same({ "日", "本" }, text.wrap("日本", 1))
    end)

    it("line feeds stay, and so does the indentation of a paragraph", function()
      assert.same({ "a", "", "  b c" }, text.wrap("a\n\n  b c", 8))
    end)

    it("all lines but the first are indented", function()
      assert.same({ "00:01 the", "  quick", "  brown", "", "  fox" }, text.wrap("00:01 the quick brown\n\nfox", 9, 2))
    end)
  end)
end)

describe("a stream", function()
  local PAINT = [[io.write(tostring(streams.out.colors), " ", streams.out:paint("red", "x"))]]

  it("of a pipe has no size, no colours, and is not redrawn", function()
    assert.equal("false nil nil false", (run([[
      local out = streams.out
      io.write(tostring(out.is_terminal), " ", tostring(out:columns()), " ", tostring(out:rows()), " ",
        tostring(out.redraws))
    ]])))
    assert.equal("false x", (run(PAINT, "env -u NO_COLOR -u CLICOLOR_FORCE -u CLICOLOR")))
  end)

  it("has colours in a pipe if they are forced, unless they are turned off", function()
    local red = "true \27[31mx\27[0m"
    for variables, wanted in pairs {
      ["NO_COLOR= CLICOLOR= CLICOLOR_FORCE=1"] = red, ["NO_COLOR= CLICOLOR=0 CLICOLOR_FORCE=1 TERM=dumb"] = red,
      ["NO_COLOR= CLICOLOR= CLICOLOR_FORCE=0"] = "false x", ["NO_COLOR= CLICOLOR=1 CLICOLOR_FORCE="] = "false x",
      ["NO_COLOR=0 CLICOLOR= CLICOLOR_FORCE=1"] = "false x",
    } do
      assert.equal(wanted, (run(PAINT, variables, "auto")), variables)
    end
    assert.equal(red, (run(PAINT, "NO_COLOR=1", "always")))
    assert.equal("false x", (run(PAINT, "CLICOLOR_FORCE=1", "never")))
    local output, status = run(PAINT, "", "blue")
    assert.equal(1, status)
    assert.truthy(output:find('color: auto, always or never expected, got "blue"', 1, true))
  end)

  it("paints each line separately, and added text not only with a colour", function()
    assert.equal("\27[31;9ma\27[0m\n\n\27[31;9mb\27[0m\27[32;4mc\27[0m", (run(
      [[io.write(streams.out:paint("removed", "a\n\nb"), streams.out:paint("added", "c"))]], "", "always")))
  end)

  it("writes at once, in the order of both streams", function()
    assert.equal("out\nerr\nout\n", (run [[
      streams.out:write "out\n"
      streams.err:write "err\n"
      streams.out:write "out\n"
    ]]))
  end)

  it("reports that it cannot write", function()
    assert.equal("nil No space left on device", (run([[
      io.stderr:write(tostring((streams.out:write "x")), " ", (select(2, streams.out:write "x")))
    ]], "", ">/dev/full")))
  end)

  describe("of a terminal", function()
    local terminal

    after_each(function()
      terminal:stop()
    end)

    -- A program that prints what it sees of its terminal whenever it gets a line.
    local function start(env)
      local path = os.tmpname()
      file.write(path, [[
        local streams = require("cekura.command.terminal").open()
        local out = streams.out
        repeat
          print(tostring(out.is_terminal), out:columns() .. "x" .. out:rows(), "redraws: " .. tostring(out.redraws),
            "colors: " .. tostring(out.colors) .. ", " .. tostring(streams.err.colors))
        until not io.read()
        os.remove(arg[0])
      ]])
      terminal = tmux.start(lua .. " " .. path .. " 2>/dev/null", { columns = 70, rows = 9, env = env })
    end

    it("knows its size, also after it was resized", function()
      start { COLUMNS = "99" }
      terminal:wait_for "true%s+70x9%s+redraws: true%s+colors: true, false"
      terminal:resize(60, 12)
      terminal:send_keys "Enter"
      terminal:wait_for "60x12"
    end)

    for variables, wanted in pairs {
      ["TERM=dumb"] = "redraws: false%s+colors: false", ["TERM="] = "redraws: false%s+colors: false",
      ["NO_COLOR=1"] = "redraws: true%s+colors: false", ["CLICOLOR=0"] = "redraws: true%s+colors: false",
      ["NO_COLOR="] = "redraws: true%s+colors: true",
    } do
      it("follows " .. variables, function()
        local name, value = variables:match "^(.-)=(.*)$"
        start { [name] = value }
        terminal:wait_for(wanted)
      end)
    end
  end)
end)

describe("signals", function()
  local program

  after_each(function()
    program:stop "KILL"
  end)

  -- A program that prints each signal which it has caught.
  local function start(dispositions)
    local command = "sh -c 'program=$PWD/program; cd %s; exec %s $program'"
    program = process.start(dispositions .. " " .. command:format(HERE, lua), function(self)
        return self:output():find "ready [^\n]*\n" -- an unbuffered print() writes the end of the line by itself
      end, function(dir)
        file.write(dir .. "/program", [[
          local core = require "cekura.core"
          io.stdout:setvbuf "no"
          core.catch_signals()
          local before = core.caught_signal()
          print("ready " .. tostring(before))
          while true do
            local caught = core.caught_signal()
            if caught ~= before then
              print(caught)
              before = caught
            end
          end
        ]])
      end)
  end

  local function send(name)
    os.execute(("kill -%s %d"):format(name, program.pid))
  end

  it("are only recorded, and a second one ends the process", function()
    for name, number in pairs { INT = 2, TERM = 15 } do
      start "--default-signal=INT,QUIT,TERM"
      assert.equal("ready nil\n", program:output())
      send(name)
      program:wait_for("SIG" .. name)
      assert.is_true(program:is_running())
      assert.truthy(process.eventually(function()
        send(name) -- again, since one that comes at once is the same
        return not program:is_running()
      end))
      assert.equal(128 + number, tonumber(file.read(program.dir .. "/status")))
      program:stop()
    end
  end)

  it("that come twice at once, as timeout sends them, are one", function()
    for _ = 1, 20 do
      start "--default-signal=INT,QUIT,TERM"
      os.execute(("kill -INT %d; kill -INT %d; kill -TERM %d"):format(program.pid, program.pid, program.pid))
      program:wait_for "SIGINT\n"
      os.execute "sleep 0.05"
      assert.is_true(program:is_running())
      assert.equal("ready nil\nSIGINT\n", program:output())
      program:stop "KILL"
    end
  end)

  it("that were ignored are recorded all the same", function()
    start "--default-signal=TERM --ignore-signal=INT,QUIT" -- as a shell does in the background
    send "INT"
    program:wait_for "SIGINT"
  end)
end)
