local call_logs = require "spec.bench.support.call_logs"
local file = require "spec.support.file"
local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Call logs",
  about = [[
Call logs as records beside call logs that lua-cjson decodes. The input is 1,000 invented call logs of 20 to 50 KB
with all 33 members: turns with times and tool calls, the same as text, metrics with explanations, metadata. One
word in nine has an escape or a character beyond ASCII; half of the call logs have a space after each colon and
comma. The time is the processor's for each, with garbage collection; of each, id, status and duration are read. The
memory is that of each of the call logs when all of them are kept, beside their texts.]],
  ratio = "over lua-cjson",
}

local CALL_LOGS = 1000

local function time(lua)
  local line = own.lines(lua, "fields", turns.rounds, turns.amount(CALL_LOGS))[1]
  report.add { what = "three fields", side = "cekura, " .. lua, value = tonumber(line[2]), unit = "µs",
    ratio = tonumber(line[4]), remark = ("lua-cjson %s µs"):format(report.number(tonumber(line[3]))) }
  report.goal("fields " .. lua, tonumber(line[4]))
end

-- The resident memory varies by less than the page that it is counted in, so it is measured once.
local function memory(lua, path)
  local counted, resident = {}, {}
  for _, way in ipairs { "cjson", "records" } do
    counted[way], resident[way] = own.figures(lua, "record_memory", way, path)
  end
  for _, row in ipairs { { "memory, by Lua's count", counted }, { "resident memory", resident } } do
    local kilobytes = row[2]
    report.add { what = row[1], side = "cekura, " .. lua, value = kilobytes.records, unit = "KB",
      ratio = kilobytes.records / kilobytes.cjson, remark = ("lua-cjson %s KB"):format(report.number(kilobytes.cjson)) }
  end
end

function case.run()
  local texts = call_logs(turns.amount(CALL_LOGS), 1)
  local sizes = {}
  for index, text in ipairs(texts) do
    sizes[index] = #text
  end
  file.temporary(table.concat(sizes, " ") .. "\n" .. table.concat(texts), function(path)
    for _, lua in ipairs(own.luas) do
      time(lua)
      memory(lua, path)
    end
  end)
end

return case
