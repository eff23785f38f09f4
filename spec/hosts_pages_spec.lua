--- The pages of docs/hosts, and the examples of hosts, followed to the letter on a machine that has nothing but what
-- the page installs: see spec/support/machine/page.lua. The page of Kamailio, whose packages are large, is followed by
-- spec/hosts/kamailio_page_spec.lua.

local blocks = require "spec.support.blocks"
local cjson = require "cjson.safe"
local file = require "spec.support.file"
local machine = require "spec.support.machine"
local page = require "spec.support.machine.page"
local shell = require "spec.support.shell"

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

-- What the pages have built, by their paths: their examples need not build it again.
local built = shell "mktemp -d":match "%S+"
local function built_by(path)
  return ("%s/%s"):format(built, path:match "[^/]+$")
end

teardown(function()
  shell("rm -rf " .. built)
end)

after_each(function()
  if host then
    host:stop()
  end
end)

describe("docs/hosts", function()
  for path in shell "ls docs/hosts/*.md | grep -v kamailio":gmatch "[^\n]+" do
    it("has the page " .. path:match "[^/]+$" .. ", which works as it says", function()
      host = page.follow_all(path)
      shell(("cp -a %s/root/cekura/build %s"):format(host.root, built_by(path)))
      assert.truthy(file.read(path):find "\n%[All hosts%]%(%.%./hosts%.md%)\n$")
      assert.equal("", (host:type("grep -rl " .. page.KEY .. " /var/log /tmp || true")))
    end)
  end
end)

describe("examples", function()
  -- Installs what the page says, and types the commands of an example. Returns what each of them prints.
  local function try(path, example)
    host = machine.start(page.packages(blocks(path)))
    shell(("[ ! -e %s ] || cp -a %s %s/root/cekura/build"):format(built_by(path), built_by(path), host.root))
    for _, block in ipairs(blocks(path)) do
      if page.is_for_here(block) and block.code:find "make install" then
        page.follow(host, block)
      end
    end
    host:type("export CEKURA_API_KEY=" .. page.KEY)
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
