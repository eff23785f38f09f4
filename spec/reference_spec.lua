--- The reference that `make docs` builds: all public names are in it, and its links lead somewhere.

local file = require "spec.support.file"
local luacats = require "tools.luacats.model"
local shell = require "spec.support.shell"

local DIR = "build/spec/reference"

-- The pages, by the path below the folder.
local function read_pages(pattern)
  local pages = {}
  for path in shell(("cd %s && find . -name '%s'"):format(DIR, pattern)):gmatch "%./([^\n]+)" do
    pages[path] = file.read(DIR .. "/" .. path)
  end
  return pages
end

describe("the reference", function()
  local markdown, html

  setup(function()
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    local output, status = shell(("make --no-print-directory -s docs LUA=%s REFERENCE=%s 2>&1"):format(lua, DIR))
    assert.equal("", output)
    assert.equal(0, status)
    markdown, html = read_pages "*.md", read_pages "*.html"
  end)

  teardown(function()
    shell("rm -rf " .. DIR)
  end)

  it("has each public name once, in Markdown and in HTML", function()
    local model = luacats.read()
    local public, wrong, count = luacats.public(model, luacats.ROOTS), {}, 0
    local function find(pages, name)
      local found = 0
      for _, text in pairs(pages) do
        found = found + select(2, text:gsub('id="' .. name:gsub("%W", "%%%0") .. '"', ""))
      end
      if found ~= 1 then
        wrong[#wrong + 1] = ("%s: %d times"):format(name, found)
      end
      count = count + 1
    end
    for name in pairs(public) do
      local names = { name }
      for _, member in ipairs(model.classes[name] and luacats.members(model.classes[name]) or {}) do
        names[#names + 1] = name .. "." .. member
      end
      for _, each in ipairs(names) do
        find(markdown, each)
        find(html, each)
      end
    end
    table.sort(wrong)
    assert.equal("", table.concat(wrong, "\n"))
    assert.is_true(count > 1000)
  end)

  it("has links that lead somewhere", function()
    local broken, count = {}, 0
    for path, text in pairs(html) do
      for target in text:gmatch 'href="([^"]*)"' do
        local page, place = target:match "^([^#]*)#?(.*)$"
        local found = page == "" and text or html["html/" .. page]
        count = count + 1
        if not found or place ~= "" and not found:find(('id="%s"'):format(place), 1, true) then
          broken[#broken + 1] = ("%s: %s"):format(path, target)
        end
      end
      assert.is_nil(text:find("](", 1, true), path)
    end
    assert.equal("", table.concat(broken, "\n"))
    assert.is_true(count > 500)
  end)
end)
