--- What was measured on: the machine, the versions and the date, as lines of Markdown.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local turns = require "spec.bench.support.turns"

local PACKAGES = "libcurl4 libcurl4t64 lua5.1 lua5.4 luajit luajit2 lua-cjson nginx-light nginx libnginx-mod-http-lua "
  .. "prosody lua-curl lua-http lua-socket tarantool python3-aiohttp python3-httpx wrk"

local function versions()
  local list = {}
  local output = shell("dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n' 2>/dev/null " .. PACKAGES)
  for name, version in output:gmatch "%f[^\n\0]installed (%S+) (%S+)" do
    list[#list + 1] = name .. " " .. version
  end
  return table.concat(list, ", ")
end

local function load()
  return file.read "/proc/loadavg":match "%S+"
end

local load_before, began = load(), os.time()

---@return string
return function()
  local cores = shell "nproc":match "%d+"
  local model = (file.read "/proc/cpuinfo" or ""):match "model name%s*: ([^\n]+)" or shell "uname -m":match "%S+"
  local memory = file.read "/proc/meminfo":match "MemTotal:%s*(%d+)"
  local commit = shell "git describe --always --dirty":match "%S+"
  return table.concat({
    ("- %s, commit %s; rounds: %d%s; %.0f minutes"):format(os.date "!%Y-%m-%d", commit, turns.rounds,
      turns.quick and "; QUICK: a tenth of the work" or "", (os.time() - began) / 60),
    ("- %s cores of %s, %.1f GB; Linux %s; load %s before, %s after"):format(cores, model, memory / 1e6,
      shell "uname -r":match "%S+", load_before, load()),
    "- " .. versions(),
  }, "\n")
end
