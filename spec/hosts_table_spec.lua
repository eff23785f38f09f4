--- docs/hosts.md names what exists: the specs and examples it links to, and each host that the option `loop` knows.

local blocks = require "spec.support.blocks"
local file = require "spec.support.file"

local PAGE = "docs/hosts.md"

describe(PAGE, function()
  local page = file.read(PAGE)

  it("has no code blocks: each is a file in examples/, which a spec runs", function()
    assert.same({}, blocks(PAGE))
  end)

  it("links to examples, and names specs, that are there", function()
    local names = {}
    for name in page:gmatch "%]%(%.%./(examples/[%w_./]+)%)" do
      names[#names + 1] = name
    end
    for name in page:gmatch "`(spec/[%w_/]+%.lua)`" do
      names[#names + 1] = name
    end
    assert.truthy(#names > 10)
    for _, name in ipairs(names) do
      assert.truthy(file.read(name), name)
    end
  end)

  it("has each section that it links to, with a row of the table for each", function()
    for anchor in page:gmatch "%]%(#([%w-]+)%)" do
      local found = false
      for title in page:gmatch "\n## ([^\n]+)" do
        found = found or title:lower():gsub("[^%w ]", ""):gsub(" ", "-") == anchor
      end
      assert.is_true(found, anchor)
    end
  end)

  it("has each host that `loop` knows by its name", function()
    for name in file.read "lua/cekura/loop/init.lua":gmatch '{ name = "(%w+)", module = ' do
      local known = { ngx = "nginx", own = "Rules for all hosts" }
      assert.truthy(page:lower():find((known[name] or name):lower(), 1, true), name)
    end
  end)
end)
