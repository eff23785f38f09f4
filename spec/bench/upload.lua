--- Measures the memory of a program that uploads a large file: upload.lua [MEGABYTES]; see README.md.

local cekura = require "cekura"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local MEGABYTES = tonumber(arg[1]) or 200

local function own(name, pattern)
  local handle = assert(io.open("/proc/self/" .. name))
  local text = handle:read "*a"
  handle:close()
  return tonumber(text:match(pattern))
end

-- Both in MB.
local function resident()
  return own("status", "VmHWM:%s*(%d+)") / 1024
end

local function read()
  return own("io", "rchar: (%d+)") / 1024 / 1024
end

local server = simulator.start()
local path = shell "mktemp":gsub("%s", "")
shell(("head -c %dM /dev/zero > %s"):format(MEGABYTES, path))

local client = cekura.assert(server:client { timeout = 600 })
local function send(file)
  cekura.assert(client:request("POST", "/bench/", { multipart = { file = file } }))
end
send { data = "small" }
local before, read_before = resident(), read()
send { path = path }
local after, sent = resident(), read() - read_before
os.remove(path)
assert(sent >= MEGABYTES, "the file was not read to its end")
print(("%d MB uploaded: at most %.1f MB resident before, %.1f MB after; longest step %.1f ms"):format(MEGABYTES, before,
  after, client:stats().longest_step * 1000))
client:close()
server:stop()
