--- Follows a page to the letter, on a machine that has nothing but what the page installs: see
-- spec/support/machine/run. A block is one of these:
--   sh           commands; with the first line `# Debian 12`, only for that release
--   text, json   what the commands before it print; … stands for any text
--   others       a file, whose name is in a comment in the first line

local blocks = require "spec.support.blocks"
local cjson = require "cjson.safe"
local file = require "spec.support.file"
local machine = require "spec.support.machine"

local page = {}

--- The API key in the pages.
page.KEY = "your-api-key"

local RELEASE = (file.read "/etc/debian_version" or ""):match "^%d+" or "13" -- or later

--- Whether a block is for this release of Debian, and for a spec.
---@param block table
function page.is_for_here(block)
  local release = block.language == "sh" and block.code:match "^# Debian (%d+)\n"
  return not block.not_run and (not release or release == RELEASE)
end

--- The packages that a page installs.
---@param its_blocks table[]
---@return string[]
function page.packages(its_blocks)
  local packages = {}
  for _, block in ipairs(its_blocks) do
    if block.language == "sh" and page.is_for_here(block) then
      for names in block.code:gsub("\\\n", " "):gmatch "apt%-get install %-y ([^\n]*)" do
        packages[#packages + 1] = names
      end
    end
  end
  return packages
end

local function matches(expected, text)
  local pattern = expected:gsub("%s+$", ""):gsub("%p", "%%%0"):gsub("…", ".-")
  return text:gsub("%s+$", ""):find("^" .. pattern .. "$") ~= nil
end

-- Objects have no order.
local function matches_json(expected, value)
  if type(expected) ~= "table" or type(value) ~= "table" then
    return matches(tostring(expected), tostring(value))
  end
  for name, member in pairs(expected) do
    if not matches_json(member, value[name]) then
      return false
    end
  end
  for name in pairs(value) do
    if expected[name] == nil then
      return false
    end
  end
  return true
end

--- Follows a block.
---@param host table a machine
---@param block table
---@param printed? string what the command before it has printed
---@return string? printed what this one prints
function page.follow(host, block, printed)
  if block.language == "sh" then
    local output, status, errors = host:type(block.code)
    assert(status == 0, output .. errors)
    return output
  elseif block.language == "text" then
    assert(matches(block.code, printed), "it prints:\n" .. printed)
  elseif block.language == "json" then
    assert(matches_json(assert(cjson.decode(block.code)), cjson.decode(printed)), "it prints:\n" .. printed)
  else
    local path = block.code:match "^%S+ (%S+)\n"
    host:write(assert(path, "its first line does not name a file"), block.code)
  end
end

--- Follows a whole page.
---@param path string
---@return table host the machine, which the caller stops
function page.follow_all(path)
  local its_blocks = blocks(path)
  local host = machine.start(page.packages(its_blocks))
  local printed
  for _, block in ipairs(its_blocks) do
    if page.is_for_here(block) then
      local ok, result = pcall(page.follow, host, block, printed)
      if not ok then
        host:stop()
        error(("%s:%d:\n%s"):format(path, block.line, tostring(result)), 0)
      end
      printed = result
    end
  end
  return host
end

return page
