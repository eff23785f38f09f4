--- What one request of a side takes, counted: the difference of two runs, one with 2,000 requests and one with 4,000,
-- so that the start of the program is left out. The program's clock is slowed as the program is, see
-- spec/bench/programs/slow_clock.c. To read it is a system call, which is left out, since elsewhere it is none.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

local count = {}

local FEW, MANY = 2000, 4000

local PRELOAD = "LD_PRELOAD=" .. shell "pwd":match "[^\n]+" .. "/build/bench/slow_clock.so"

-- The tools, with the name of the file that they write.
local CALLGRIND = "env " .. PRELOAD .. " valgrind -q --tool=callgrind --callgrind-out-file=%s"
-- With --seccomp-bpf, a call that is left out does not stop the program.
local STRACE = "strace -E " .. PRELOAD .. " --seccomp-bpf -e trace=\\!clock_gettime -c -f -U calls,name -o %s"

-- Runs the program under a wrapper that writes to a file, and returns what it wrote.
local function under(wrapper, side, request)
  local path = os.tmpname()
  sides.send(side, request, wrapper:format(path))
  local text = file.read(path)
  os.remove(path)
  return text
end

local function difference(wrapper, side, url, in_flight, read)
  local function run(requests)
    return read(under(wrapper, side, { url = url, count = requests, in_flight = in_flight }))
  end
  return run(FEW), run(MANY)
end

--- The instructions of a request, by callgrind: those of the process, without the kernel's.
---@return number
function count.instructions(side, url, in_flight)
  local few, many = difference(CALLGRIND, side, url, in_flight, function(text)
    return tonumber(text:match "\nsummary: (%d+)" or text:match "\ntotals: (%d+)")
  end)
  return (many - few) / (MANY - FEW)
end

-- A wait with a signal mask, and one without, count as the same.
local SAME = { epoll_pwait = "epoll_wait" }

-- The same once. The number of epoll_ctl and epoll_wait depends on who is faster, the side or the server.
local function system_calls_once(side, url, in_flight)
  local few, many = difference(STRACE, side, url, in_flight, function(text)
    local calls = {}
    for number, name in text:gmatch "(%d+) ([%w_]+)\n" do
      calls[SAME[name] or name] = tonumber(number)
    end
    calls.total = nil
    return calls
  end)
  local each = {}
  for name, number in pairs(many) do
    each[name] = (number - (few[name] or 0)) / (MANY - FEW)
  end
  return each
end

--- The system calls of a request, by strace: for each call the median of three measurements.
---@return table<string, number> calls by name
function count.system_calls(side, url, in_flight)
  local found = {}
  for measurement = 1, 3 do
    for name, number in pairs(system_calls_once(side, url, in_flight)) do
      found[name] = found[name] or { 0, 0, 0 }
      found[name][measurement] = number
    end
  end
  for name, numbers in pairs(found) do
    found[name] = turns.median(numbers)
  end
  return found
end

return count
