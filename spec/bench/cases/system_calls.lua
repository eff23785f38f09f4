--- System calls of a request beside those of the bare loop: 16 in flight, a static answer of 189 bytes.

local count = require "spec.bench.support.count"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"

-- What a side calls more often than the bare loop: all of it, and a list of at least 0.01 a request.
local function excess(calls, bare)
  local total, list = 0, {}
  for name, number in pairs(calls) do
    local more = number - (bare[name] or 0)
    total = total + math.max(more, 0)
    if more >= 0.01 then
      list[#list + 1] = ("%s %.2f"):format(name, more)
    end
  end
  table.sort(list)
  return total, table.concat(list, ", ")
end

local function sum(calls)
  local total = 0
  for _, number in pairs(calls) do
    total = total + number
  end
  return total
end

return function()
  local host = server.start()
  local url = host.url .. "/static/"
  local bare = count.system_calls(sides.bare, url, 16)
  local _, list = excess(bare, {})
  report.add { what = "system calls of a request", side = sides.bare.name, value = sum(bare), unit = list }
  for _, side in ipairs(sides.own) do
    local more
    more, list = excess(count.system_calls(side, url, 16), bare)
    report.add { what = "beside those of the bare loop", side = side.name, value = more, unit = list }
  end
  host:stop()
end
