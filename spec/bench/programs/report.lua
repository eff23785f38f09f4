--- Makes a report of the calls that a simulator has of one agent: report.lua URL. Prints the seconds that it took,
-- those of the processor, the memory of this process at most, in MB, and the size of the page in KB.

local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"

local dir = shell "mktemp -d":match "%S+"
file.write(dir .. "/config", ('api_key = "sim-key"\napi_url = "%s"\n'):format(arg[1]))
shell(("chmod 600 %s/config"):format(dir))
local began, processor = core.now(), os.clock()
local status = require "cekura.command" { "calls", "report", "--agent-id", "2142", "--from", "30d", "--quiet",
  "--config-file", dir .. "/config", "--html", dir .. "/page.html", "--csv", dir .. "/numbers.csv" }
assert(status == 0, status)
print(("%.1f %.2f %.1f %.0f"):format(core.now() - began, os.clock() - processor,
  tonumber(file.read "/proc/self/status":match "VmHWM:%s*(%d+)") / 1024, #file.read(dir .. "/page.html") / 1024))
shell("rm -rf " .. dir)
