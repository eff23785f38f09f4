--- The Lua blocks of all pages run against the simulator, and print what their page shows. spec/commands_spec.lua runs
-- the commands. The checks of all pages, one of which finds a block that no spec runs, are here.

local api_pages = require "tools.api_pages"
local cekura = require "cekura"
local file = require "spec.support.file"
local kinds_table = require "spec.support.kinds_table"
local options_table = require "spec.support.options_table"
local pages = require "spec.support.pages"
local shell = require "spec.support.shell"
local shown = require "spec.support.shown"
local simulator = require "spec.support.simulator"
local sorted_keys = require "spec.support.sorted_keys"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local HERE = shell "pwd":match "[^\n]+"

-- What the simulator is to answer to a block that has this text.
local SCRIPTS = {
  ["is no longer offered"] = {
    path = "/observability/v1/call-logs/improve_prompt_bg/", replies = { { status = 404 } },
  },
  ["direct = true"] = {
    path = "/test_framework/v3/metrics/simplify_prompt/", replies = { { body = { simplified_prompt = "Be nice." } } },
  },
}

-- Blocks that no spec runs: at most ten, by page, each with its reason.
local NOT_RUN = {}

-- Blocks of text that are the output of no other block: drawings.
local DRAWINGS = { ["docs/architecture.md"] = true, ["docs/fleet.md"] = true, ["docs/outbox.md"] = true }

-- The paths of the environment, for a program in another directory.
local function paths()
  local lua_path = ("%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;;"):format(HERE, HERE, HERE)
  local core = os.getenv "LUA_CPATH" or ("build/%s/?.so;;"):format(lua)
  return ("LUA_PATH='%s' LUA_CPATH='%s'"):format(lua_path, core:find "^/" and core or HERE .. "/" .. core)
end

describe("a Lua block", function()
  local server = simulator.during(setup, teardown)

  before_each(function()
    server:reset()
  end)

  for _, block in ipairs(pages.of "spec/pages_spec.lua") do
    it(("at line %d of %s runs, and prints what is shown"):format(block.line, block.page), function()
      for text, script in pairs(SCRIPTS) do
        if block.code:find(text, 1, true) then
          server:script(script.path, script.replies)
        end
      end
      -- The output has no more of a buffer than in a terminal.
      local command = ([[export %s CEKURA_API_URL=%s CEKURA_API_KEY=%s HOME=$PWD
        exec %s -e "io.stdout:setvbuf 'line'" block.lua]]):format(paths(), server.url, server.key, lua)
      local output, fault = shown.run(command, block.output or "", function(dir)
        file.write(dir .. "/block.lua", block.code)
      end)
      assert.is_nil(fault, fault and fault .. ":\n" .. output)
    end)
  end
end)

describe("the pages", function()
  it("have blocks that one spec runs each, and at most ten that none does, each for a reason", function()
    local not_run, specs = {}, {}
    for _, path in ipairs(pages.list()) do
      for _, block in ipairs(pages.blocks(path)) do
        local spec = pages.runner(path, block)
        if block.not_run then
          not_run[#not_run + 1] = path .. ": " .. block.not_run
        elseif not (DRAWINGS[path] and block.language == "text") then
          assert.is_string(spec, ("%s:%d: a block in %q, which no spec runs"):format(path, block.line, block.language))
          specs[spec] = true
        end
      end
    end
    assert.same(NOT_RUN, not_run)
    assert.is_true(#not_run <= 10)
    for spec in pairs(specs) do
      assert.is_string(file.read(spec), spec .. " is not there")
    end
  end)

  it("show the output of each Lua block", function()
    for _, block in ipairs(pages.of "spec/pages_spec.lua") do
      assert.is_string(block.output, ("%s:%d"):format(block.page, block.line))
    end
  end)

  it("link to files and headings that exist", function()
    local function anchors_of(path)
      local anchors = {}
      for heading in ("\n" .. file.read(path)):gmatch "\n#+ ([^\n]+)" do
        anchors[heading:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-")] = true
      end
      return anchors
    end
    for _, path in ipairs(pages.list()) do
      for target in file.read(path):gmatch "%]%(([^)%s]+)%)" do
        if not target:find "^https?://" then
          local place, anchor = target:match "^([^#]*)#?(.*)$"
          local folder = path:match "^(.*/)" or ""
          local goal = place == "" and path or folder .. place
          assert.equal(0, select(2, shell(("test -e %s"):format(goal))), path .. ": " .. target)
          if anchor ~= "" then
            assert.is_true(anchors_of(goal)[anchor], path .. ": " .. target)
          end
        end
      end
    end
  end)

  it("have the tables of the kinds and the options; `make generate` writes them", function()
    local kinds, options = file.read "docs/kinds.md", file.read "docs/options.md"
    assert.equal(kinds_table.put(kinds), kinds)
    assert.equal(options_table.put(options), options)
  end)

  it("of docs/api are as `make generate` writes them, and there are no others", function()
    local texts, found = api_pages.files(), {}
    for path in shell "find docs/api -type f":gmatch "[^\n]+" do
      found[path] = file.read(path)
    end
    assert.same(sorted_keys(texts), sorted_keys(found))
    for path, text in pairs(texts) do
      assert.equal(text, found[path], path)
    end
  end)

  it("show a configuration file that a client takes", function()
    local text = file.read "docs/options.md":match "config%.toml <<'END'\n(.-)END\n"
    file.temporary(text, function(path)
      cekura.assert(cekura.new { config_file = path }):close()
    end)
  end)

  it("require public modules only, and so do the examples", function()
    local public = { cekura = true, ["cekura.testing"] = true, ["cekura.fleet"] = true }
    local texts, required = {}, 0
    for _, block in ipairs(pages.of "spec/pages_spec.lua") do
      texts[#texts + 1] = block.code
    end
    local blocks = #texts
    for path in shell "find examples -type f":gmatch "[^\n]+" do
      texts[#texts + 1] = file.read(path)
    end
    for _, text in ipairs(texts) do
      for name in text:gmatch "require%s*%(?%s*[\"']([^\"']+)[\"']" do
        if name:find "^cekura" then
          required = required + 1
          assert.is_true(public[name], name)
        end
      end
    end
    assert.is_true(required > blocks, required)
  end)

  it("link to examples whose head says how to run them", function()
    for path in file.read "README.md":gmatch "%]%((examples/[%w_]+%.lua)%)" do
      local head = file.read(path):match "^(.-)\n\n"
      assert.truthy(head:find("--   lua5.4 " .. path, 1, true), path)
    end
  end)
end)
