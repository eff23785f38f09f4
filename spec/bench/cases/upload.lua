local cekura = require "cekura"
local file = require "spec.support.file"
local report = require "spec.bench.support.report"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Uploads",
  about = [[
The memory of a program that uploads a file of 200 MB in a form: what it had at most before, and then.]],
}

-- A figure of this process.
local function own(name, pattern)
  return tonumber(file.read("/proc/self/" .. name):match(pattern))
end

local function add_memory(what)
  report.add { what = what, side = "cekura, " .. _VERSION, value = own("status", "VmHWM:%s*(%d+)") / 1024, unit = "MB" }
end

function case.run()
  local server, megabytes = simulator.start(), turns.amount(200)
  local path = shell "mktemp":gsub("%s", "")
  shell(("head -c %dM /dev/zero > %s"):format(megabytes, path))
  local client = server:client { timeout = 600 }
  local function send(part)
    cekura.assert(client:request("POST", "/bench/", { multipart = { file = part } }))
  end
  send { data = "small" }
  file.write("/proc/self/clear_refs", "5") -- the highest memory so far counts anew
  add_memory "before"
  local read_before = own("io", "rchar: (%d+)")
  send { path = path }
  add_memory(("%d MB uploaded"):format(megabytes))
  os.remove(path)
  assert(own("io", "rchar: (%d+)") - read_before >= megabytes * 2 ^ 20, "the file was not read to its end")
  report.add { what = "longest step", side = "cekura, " .. _VERSION, value = client:stats().longest_step * 1000,
    unit = "ms" }
  client:close()
  server:stop()
end

return case
