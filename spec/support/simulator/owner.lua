--- Ends the simulator when the process that started it is gone, however that ended.

local ffi = require "ffi"

ffi.cdef "int kill(int pid, int sig);"

local owner = {}

local function exists(path)
  local file = io.open(path, "r")
  if file then
    file:close()
  end
  return file ~= nil
end

function owner.watch(pid, pid_file)
  local function look(premature)
    if premature or exists("/proc/" .. pid .. "/stat") then
      return
    end
    local file = io.open(pid_file, "r")
    local master = file and tonumber(file:read "*l")
    if file then
      file:close()
    end
    if master then
      ffi.C.kill(master, 15)
    end
  end
  ngx.timer.every(1, look)
end

return owner
