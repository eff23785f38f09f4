--- The project's pages, and which spec runs each of their code blocks.

local blocks = require "spec.support.blocks"
local shell = require "spec.support.shell"

local pages = {}

-- The specs that run all blocks of their pages, by the beginning of the page's path.
local BY_PAGE = { { "docs/at-the-end-of-a-call.md", "spec/call_end_spec.lua" },
  { "docs/hosts/kamailio.md", "spec/hosts/kamailio_page_spec.lua" },
  { "docs/hosts/", "spec/hosts_pages_spec.lua" }, { "docs/debugging.md", "spec/debugging_spec.lua" },
  { "docs/testing-a-program.md", "spec/guide_spec.lua" },
  { "docs/fleet.md", "spec/redis/fleet_page_spec.lua" },
  { "docs/redis.md", "spec/redis/redis_pages_spec.lua" } }

-- The specs that run the blocks of a language on all other pages.
local BY_LANGUAGE = { lua = "spec/pages_spec.lua", sh = "spec/commands_spec.lua" }

--- The paths of all pages, sorted. The reference is left out: `make docs` makes it.
---@return string[]
function pages.list()
  local list = {}
  local command = "find . \\( -path ./build -o -path ./.git -o -path ./docs/reference \\) -prune "
    .. "-o -name '*.md' -print | LC_ALL=C sort"
  for path in shell(command):gmatch "%./([^\n]+)" do
    list[#list + 1] = path
  end
  return list
end

--- The spec that runs a block.
---@param path string of the page
---@param block table one of pages.blocks()
---@return string? spec its path; nil: none does
function pages.runner(path, block)
  if block.not_run then
    return nil
  end
  for _, each in ipairs(BY_PAGE) do
    if path:sub(1, #each[1]) == each[1] then
      return each[2]
    end
  end
  return BY_LANGUAGE[block.language]
end

--- The blocks of a page, as spec.support.blocks reads them. A text block is the `output` of the block before it.
---@param path string
---@return table[]
function pages.blocks(path)
  local list = {}
  for _, block in ipairs(blocks(path)) do
    local before = list[#list]
    if block.language == "text" and before and before.language ~= "text" and not before.output then
      before.output = block.code
    else
      block.page = path
      list[#list + 1] = block
    end
  end
  return list
end

--- The blocks that a spec runs, on all pages.
---@param spec string its path
---@return table[] blocks each with its `page`
function pages.of(spec)
  local list = {}
  for _, path in ipairs(pages.list()) do
    for _, block in ipairs(pages.blocks(path)) do
      if pages.runner(path, block) == spec then
        list[#list + 1] = block
      end
    end
  end
  return list
end

return pages
