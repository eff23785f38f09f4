--- Uploads a file of zeros in a form: upload.lua URL MEGABYTES. Prints the memory of this process at most, in MB:
-- before, and then; and the longest step in milliseconds.

local cekura = require "cekura"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local waiting = require "spec.bench.support.waiting"

local url, megabytes = arg[1], tonumber(arg[2])

-- A figure of this process.
local function own(name, pattern)
  return tonumber(file.read("/proc/self/" .. name):match(pattern))
end

local function resident()
  return own("status", "VmHWM:%s*(%d+)") / 1024
end

local path = shell "mktemp":gsub("%s", "")
shell(("head -c %dM /dev/zero > %s"):format(megabytes, path))
local client = waiting.client(url, { timeout = 600 })
local function send(part)
  cekura.assert(client:request("POST", "/bench/", { multipart = { file = part } }))
end

send { data = "small" }
local before, read_before = resident(), own("io", "rchar: (%d+)")
send { path = path }
local after, read = resident(), own("io", "rchar: (%d+)") - read_before
os.remove(path)
assert(read >= megabytes * 2 ^ 20, "the file was not read to its end")
print(("%.1f %.1f %.2f"):format(before, after, client:stats().longest_step * 1e3))
client:close()
