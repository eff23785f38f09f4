--- The pages of docs/hosts, and the examples of hosts. Each page is followed to the letter, on a machine that has
-- nothing but what the page installs (see spec/support/machine/run). A block is one of these:
--   sh           commands; with the first line `# Debian 12`, only for that release
--   text, json   what the commands before it print; … stands for any text
--   others       a file, whose name is in a comment in the first line

local blocks = require "spec.support.blocks"
local cjson = require "cjson.safe"
local file = require "spec.support.file"
local machine = require "spec.support.machine"
local shell = require "spec.support.shell"

local KEY = "your-api-key"
local RELEASE = (file.read "/etc/debian_version" or ""):match "^%d+" or "13" -- or later

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

-- The commands in the comment that an example begins with.
local function commands_of(path)
  local commands = {}
  for mark, indent, text in file.read(path):match "^(.-)\n[^#-]":gmatch "([#-]+)(   +)(%C+)" do
    if #indent == 3 then
      commands[#commands + 1] = text
    elseif mark then -- it goes on
      commands[#commands] = commands[#commands] .. "\n" .. text
    end
  end
  return commands
end

local host

after_each(function()
  host:stop()
end)

describe("docs/hosts", function()

  for path in shell "ls docs/hosts/*.md":gmatch "[^\n]+" do
    it("has the page " .. path:match "[^/]+$" .. ", which works as it says", function()
      local page = blocks(path)
      host = machine.start(packages_of(page))
      local printed
      for _, block in ipairs(page) do
        if is_for_here(block) then
          local ok, result = pcall(follow, host, block, printed)
          assert(ok, ("%s:%d:\n%s"):format(path, block.line, tostring(result)))
          printed = result
        end
      end
      assert.truthy(file.read(path):find "\n%[All hosts%]%(%.%./hosts%.md%)\n$")
      assert.equal("", (host:type("grep -rl " .. KEY .. " /var/log /tmp || true")))
    end)
  end
end)

describe("examples", function()
  -- Installs what the page says, and types the commands of an example. Returns what each of them prints.
  local function try(page, example)
    host = machine.start(packages_of(blocks(page)))
    for _, block in ipairs(blocks(page)) do
      if is_for_here(block) and block.code:find "make install" then
        follow(host, block)
      end
    end
    host:type("export CEKURA_API_KEY=" .. KEY)
    local printed, token = {}, nil
    for index, command in ipairs(commands_of(example)) do
      local output, status, errors = host:type((command:gsub("TOKEN", function() return token end)))
      assert.equal(0, status, command .. "\n" .. output .. errors)
      printed[index] = cjson.decode(output) or output
      token = output:match '"token":"([^"]*)"' or token
    end
    return printed
  end

  it("has nginx's, which works as it is typed", function()
    local printed = try("docs/hosts/nginx.md", "examples/nginx/nginx.conf")
    assert.equal("succeeded", printed[2].state)
    assert.equal("succeeded", printed[4].state)
    assert.equal(3, printed[5].jobs)
    assert.truthy(printed[6]:find("\ncekura_jobs_total{client=\"worker 0\"} ", 1, true), printed[6])
    assert.equal(7, #printed)
  end)

  it("has nginx's page, which works as it is typed", function()
    local printed = try("docs/hosts/nginx.md", "examples/nginx-page/nginx.conf")
    assert.truthy(printed[2]:find("5181749", 1, true), printed[2])
    assert.truthy(printed[3]:find("Improvement of a prompt", 1, true), printed[3])
    assert.equal(4, #printed)
  end)

  it("has HAProxy's, which works as it is typed", function()
    local printed = try("docs/hosts/haproxy.md", "examples/haproxy/haproxy.cfg")
    assert.equal("succeeded", printed[2].state)
    assert.truthy(printed[3] == 0 or printed[3] == "unknown\n", printed[3]) -- it counts in the background
    assert.equal(4, #printed)
  end)

  it("has Prosody's, which works as it is typed", function()
    local printed = try("docs/hosts/prosody.md", "examples/prosody/prosody.cfg.lua")
    assert.truthy(tostring(printed[4].improved_prompt):find "^Be nice", tostring(printed[4]))
    assert.equal(4, #printed)
  end)
end)
