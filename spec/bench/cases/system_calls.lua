local count = require "spec.bench.support.count"
local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"

local case = {
  title = "System calls of a request",
  about = [[
By strace, of all threads: 4,000 requests less 2,000, divided. 16 in flight, static answers of 189 bytes. For the
module, those that it makes more often than the bare loop. The clock is slowed as for the instructions.]],
}

-- What a side calls more often than another: all of it, and a list of at least 0.01 a request.
local function excess(calls, others)
  local total, list = 0, {}
  for name, number in pairs(calls) do
    local more = number - (others[name] or 0)
    total = total + math.max(more, 0)
    if more >= 0.01 then
      list[#list + 1] = ("%s %.2f"):format(name, more)
    end
  end
  table.sort(list)
  return total, table.concat(list, ", ")
end

function case.run()
  local host = server.start()
  local bare
  for _, side in ipairs(sides.with()) do
    local calls = count.system_calls(side, host.url .. "/static/", 16)
    local total, list = excess(calls, bare or {})
    report.add { what = bare and "beside those of bare" or "all", side = side.name, value = total, unit = "calls",
      remark = list }
    if bare then
      report.goal("system calls " .. side.name:match "%S+$", total)
    end
    bare = bare or calls
  end
  host:stop()
end

return case
