--- docs/hosts/kamailio.md, followed to the letter on a machine that has nothing but what the page installs.

local file = require "spec.support.file"
local page = require "spec.support.machine.page"

local PAGE = "docs/hosts/kamailio.md"

local PROCESSES = "readlink /proc/[0-9]*/exe | grep kamailio || true"

describe(PAGE, function()
  it("works as it says", function()
    local host = page.follow_all(PAGE)
    local found = host:type("grep -rl " .. page.KEY .. " /var/log /tmp /var/lib/cekura || true")
    local running = host:type(PROCESSES)
    local _, status = host:type "service kamailio stop"
    local left = host:type(PROCESSES)
    local _, sent_status = host:type(file.read(PAGE):match "\nExecStart=([^\n]+)" .. " --until-empty")
    host:stop()
    assert.equal("", found)
    assert.truthy(running:find "kamailio")
    assert.equal(0, status)
    assert.equal("", left)
    assert.equal(0, sent_status)
  end)
end)
