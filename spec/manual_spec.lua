--- What is made from the tree of commands: help, examples, the manual page, completions.

local command = require "spec.support.command"
local exits = require "cekura.command.exits"
local file = require "spec.support.file"
local parser = require "cekura.command.parser"
local shell = require "spec.support.shell"
local tree = require "cekura.command.tree"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- Nothing is sent to it.
local server = { url = "http://127.0.0.1:1", key = "no-such-key" }

-- Calls a function with each command and its words, the root first.
local function each_command(fn, start, words)
  start, words = start or tree, words or "cekura-lua"
  fn(start, words)
  for _, sub in ipairs(start.commands or {}) do
    each_command(fn, sub, words .. " " .. sub.name)
  end
end

-- The files that examples name.
local FILES = {
  ["prompt.txt"] = "Be nice.", ["faq.txt"] = "Questions", ["work.toml"] = "", ["profile.json"] = "{}",
  ["call.json"] = '{"call_id":"c","agent":2142,"transcript_type":"vapi","transcript_json":[{}]}',
  ["tasks.jsonl"] = '{"kind":"results.run","params":{"agent_id":2142,"tags":["smoke"]}}\n',
  ["metrics.json"] = '[{"assistant_id":"a","audio_enabled":true,"configuration":{},"description":"d","display_order":1,'
    .. '"eval_type":"boolean","name":"m","project":3,"prompt":"p","type":"text"}]',
}

local function in_folder(fn)
  local dir = shell "mktemp -d":match "%S+"
  for name, text in pairs(FILES) do
    file.write(dir .. "/" .. name, text)
  end
  fn(dir)
  shell("rm -rf " .. dir)
end

describe("help", function()
  it("of each command has a summary, a description and two examples", function()
    local count = 0
    each_command(function(each, words)
      count = count + 1
      assert.truthy(each.summary:find "^%u.*[%w%)]%.$", words)
      assert.truthy(each.description:find "^%u.*%.$", words)
      assert.equal(2, #each.examples, words)
      for _, example in ipairs(each.examples) do
        assert.truthy(example[1]:find(words, 1, true), words .. ": " .. example[1])
        assert.truthy(example[2]:find "^%u.*%.$", example[2])
      end
      for _, list in ipairs { each.arguments or {}, each.options or {} } do
        for _, declared in ipairs(list) do
          assert.truthy(declared.help:find "%w.*%.$", words .. " " .. declared.name)
        end
      end
    end)
    assert.is_true(count > 250, count)
  end)

  it("of each command has no option twice", function()
    each_command(function(each, words)
      local names = {}
      for _, option in ipairs(each.options or {}) do
        assert.is_nil(names[option.name], words .. " --" .. option.name)
        names[option.name] = true
      end
    end)
  end)

  it("says of each operation and kind what it does", function()
    each_command(function(each, words)
      assert.is_nil(each.summary:find "^Operation " or each.summary:find "^Start a job of the kind", words)
    end)
  end)

  it("fits 80 columns", function()
    local function check(made)
      for line in made:get_help():gmatch "[^\n]+" do
        assert.is_true(#line <= 80 or not line:find "%S +%S", line)
      end
      for _, sub in ipairs(made._commands) do
        check(sub)
      end
    end
    check(parser.new(tree))
  end)

  it("has examples that run", function()
    in_folder(function(dir)
      local here = shell "pwd":match "[^\n]+"
      local output, status = shell(([[p="%s/lua/?.lua;%s/lua/?/init.lua;$LUA_PATH" && cd %s && HOME=%s LUA_PATH="$p" \
        LUA_CPATH="%s/build/%s/?.so;$LUA_CPATH" %s timeout 100 %s %s/spec/support/run_examples.lua report </dev/null]])
        :format(here, here, dir, dir, here, lua, command.environment(server), lua, here))
      assert.equal(0, status, output)
      local count = 0
      for line in file.read(dir .. "/report"):gmatch "[^\n]+" do
        count = count + 1
        local ended = line:match "^%d+"
        assert.is_true(ended == "0" or line == "1 cekura-lua config get api_url", line .. "\n" .. output:sub(-300))
      end
      assert.is_true(count > 500, count)
    end)
  end)

  it("is printed by the command help, and suggested if the command is missing", function()
    local out, err, status = command.run(server, "help")
    assert.same({ "", 0 }, { err, status })
    assert.equal(out, (command.run(server, "--help")))
    out, err, status = command.run(server, "help calls list")
    assert.same({ "", 0 }, { err, status })
    assert.equal(out, (command.run(server, "calls list -h")))
    for arguments, usage in pairs { [""] = "cekura-lua", ["calls"] = "cekura-lua calls" } do
      out, err, status = command.run(server, arguments)
      assert.same({ "", 2 }, { out, status })
      assert.truthy(err:find("Usage: " .. usage .. " [-h]", 1, true), err)
      assert.truthy(err:find("--help lists them", 1, true), err)
    end
    out, err, status = command.run(server, "help calls lust")
    assert.same({ "", 2 }, { out, status })
    assert.truthy(err:find("unknown command 'lust'", 1, true), err)
  end)

  it("breaks an example before an option, for the shell", function()
    assert.same({ "one 'a b' --two three" }, parser.folded("one 'a b' --two three", 30))
    assert.same({ "one 'a b' --two three \\", "  --four --five" },
      parser.folded("one 'a b' --two three --four --five", 24))
    assert.same({ "one two three \\", "  >somewhere" }, parser.folded("one two three >somewhere", 20))
    local line = "printf %s\\\\n one --two three --four"
    assert.equal(shell(line), (shell(table.concat(parser.folded(line, 24), "\n"))))
  end)
end)

describe("the exit statuses", function()
  it("are in docs/command.md as in the code", function()
    local rows = {}
    for index, row in ipairs(exits.STATUSES) do
      rows[index] = ("| %d | %s |\n"):format(row[1], row[3])
    end
    local page = file.read "docs/command.md"
    assert.truthy(page:find("|---|---|\n" .. table.concat(rows) .. "\n", 1, true), table.concat(rows))
  end)
end)

describe("the manual page", function()
  local page

  setup(function()
    local output, status = shell(lua .. " tools/manual.lua")
    assert(status == 0, output)
    page = output
  end)

  local function escaped(text)
    return (text:gsub("%-", "\\-"))
  end

  it("has each command with its options, those of the API as a line each", function()
    each_command(function(each, words)
      words = escaped(words:gsub("^cekura%-lua ?", ""))
      if each.from_api and not each.commands then
        assert.truthy(page:find("\n.TP\n\\fB" .. words .. "\\fR", 1, true), words)
      elseif not each.commands then
        local first, last = page:find("\n.SS " .. words, 1, true)
        assert.truthy(first, words)
        local part = page:sub(last, (page:find("\n.S[SH] ", last)))
        for _, option in ipairs(each.options or {}) do
          local name = "\\fB" .. escaped("--" .. option.name) .. "\\fR"
          assert.truthy(part:find(name, 1, true), words .. " " .. option.name)
        end
      end
    end)
    for _, option in ipairs(tree.options) do
      assert.truthy(page:find("\\fB" .. escaped("--" .. option.name) .. "\\fR", 1, true), option.name)
    end
  end)

  it("has each section, and each exit status", function()
    local last = 0
    for _, name in ipairs { "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT",
      "FILES", "EXAMPLES", "SEE ALSO" } do
      local place = page:find("\n.SH " .. name .. "\n", 1, true)
      assert.is_true(place ~= nil and place > last, name)
      last = place
    end
    for _, row in ipairs(exits.STATUSES) do
      assert.truthy(page:find(("\n.TP\n\\fB%d\\fR\n"):format(row[1]), 1, true), row[2])
    end
  end)

  it("names each variable that the command and the client read", function()
    for name in pairs { CEKURA_API_KEY = 1, CEKURA_API_URL = 1, CEKURA_REDIS = 1, CEKURA_FLEET = 1,
      CEKURA_DEBUG = 1, CEKURA_LOOPBACK_ONLY = 1, CEKURA_LOOPBACK_SPEED = 1, NO_COLOR = 1, CLICOLOR = 1,
      CLICOLOR_FORCE = 1, TERM = 1, HOME = 1, HTTPS_PROXY = 1, ALL_PROXY = 1, NO_PROXY = 1 } do
      assert.truthy(page:find(name .. "%f[^%w_]"), name)
    end
  end)

  it("gives mandoc no reason to warn, and shows hyphens that can be copied", function()
    file.temporary(page, function(path)
      assert.same({ "", 0 }, { shell("mandoc -T lint -W warning " .. path) })
      local shown, status = shell("mandoc -T utf8 " .. path .. " | col -b")
      assert.equal(0, status)
      assert.truthy(shown:find("cekura-lua improve --agent-id 2142 --call-logs 5181749,5181752 \\\n", 1, true), shown)
      assert.truthy(shown:find("~/.cekura/config.toml", 1, true))
      assert.truthy(shown:find("Improves an agent's prompt", 1, true))
    end)
  end)
end)

describe("completions", function()
  local TRY = [[
. ./completions
try() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _cekura-lua
  echo "${COMPREPLY[*]}"
}
]]

  -- What bash completes after a line, whose last word has been begun.
  local function complete(lines)
    local script = { TRY }
    for index, line in ipairs(lines) do
      script[index + 1] = "try cekura-lua " .. line
    end
    local found
    in_folder(function(dir)
      local out, err, status = command.run(server, "completion bash")
      assert.same({ "", 0 }, { err, status })
      file.write(dir .. "/completions", out)
      file.write(dir .. "/try", table.concat(script, "\n") .. "\n")
      found, status = shell(("cd %s && bash try"):format(dir))
      assert.equal(0, status, found)
    end)
    local answers = {}
    for answer in found:gmatch "([^\n]*)\n" do
      answers[#answers + 1] = answer
    end
    return answers
  end

  it("for bash have commands, options, choices and kinds of job, without hidden names", function()
    local cases = {
      { "ca", "calls" },
      { "calls li", "list" },
      { "calls list --fi", "--filter --fields" },
      { "calls list --agent", "--agent-id" },
      { "--color ''", "auto always never" },
      { "calls list --format ''", "json text" },
      { "start calls.im", "calls.improve_prompt" },
      { "start scenarios.generate --num", "--num-scenarios" },
      { "kinds calls.", "calls.create_scenarios calls.evaluation calls.improve_prompt" },
      { "jobs watch calls.e", "calls.evaluation" },
      { "jobs token --agent", "--agent-id" },
      { "fleet submit calls.im", "calls.improve_prompt" },
      { "fleet result --exit", "--exit-status" },
      { "completion ''", "bash zsh fish" },
      { "help cal", "calls" },
    }
    local lines, expected = {}, {}
    for index, case in ipairs(cases) do
      lines[index], expected[index] = case[1], case[2]
    end
    assert.same(expected, complete(lines))
  end)

  it("for zsh and fish have them as well", function()
    for shell_name, parts in pairs {
      zsh = { "#compdef cekura-lua", '": :(bash zsh fish)" \\', '": :(agents.auto_fetch ',
        '"--agent-id[Only calls of this agent]' },
      fish = { "'__fish_cekura-lua_using_command completion' -xa 'bash zsh fish'",
        "'__fish_cekura-lua_using_command jobs watch' -xa 'agents.auto_fetch ",
        "'__fish_cekura-lua_seen_command calls list' -l agent-id ",
        'string match -q "$argv *" (__fish_cekura-lua_print_command)" "' },
    } do
      local out, err, status = command.run(server, "completion " .. shell_name)
      assert.same({ "", 0 }, { err, status })
      for _, part in ipairs(parts) do
        assert.truthy(out:find(part, 1, true), part)
      end
      assert.is_nil(out:find("%-%-?l? ?agent_id") or out:find("agents.auto-fetch", 1, true))
    end
  end)
end)
