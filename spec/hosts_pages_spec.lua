--- The pages of docs/hosts. Each is followed to the letter, on a machine that has nothing but what the page installs:
--   sh           a command; one whose first line is `# Debian 12` is for that release
--   text, json   what the command before it prints, where … stands for any text
--   others       a file, whose name is in a comment in the first line
-- The machine's simulator is at the address of the API, see spec/support/machine/run.

local blocks = require "spec.support.blocks"
local cjson = require "cjson.safe"
local file = require "spec.support.file"
local machine = require "spec.support.machine"
local shell = require "spec.support.shell"

local KEY = "your-api-key"
local RELEASE = file.read "/etc/debian_version":match "^%d+"

local function is_for_here(block)
  local release = block.language == "sh" and block.code:match "^# Debian (%d+)\n"
  return not block.not_run and (not release or release == RELEASE)
end

-- The packages that the page installs.
local function packages_of(page)
  local packages = {}
  for _, block in ipairs(page) do
    if block.language == "sh" and is_for_here(block) then
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

-- Follows a block. `printed` is what the command before it has printed; returns what this one prints.
local function follow(host, block, printed)
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

describe("docs/hosts", function()
  local host

  after_each(function()
    host:stop()
  end)

  for path in shell "ls docs/hosts/*.md":gmatch "[^\n]+" do
    it("has the page " .. path:match "[^/]+$" .. ", which works as it says", function()
      local page = blocks(path)
      host = machine.start(packages_of(page))
      local printed
      for _, block in ipairs(page) do
        if is_for_here(block) then
          local ok, result = pcall(follow, host, block, printed)
          assert(ok, ("%s:%d:\n%s"):format(path, block.line, result))
          printed = result
        end
      end
      assert.equal("", (host:type("grep -rl " .. KEY .. " /var/log /tmp || true")))
    end)
  end
end)
