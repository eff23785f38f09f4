--- Calls for the specs of reports about a period, and their pages.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local period = require "cekura.report.period"
local tally = require "cekura.report.period.tally"
local times = require "cekura.records.times"

local period_cases = {}

local DAY = 86400

--- A time on the first day of all these periods, and of the next ones: 2026-11-01.
period_cases.FROM = times.epoch "2026-11-01T00:00:00Z"

--- The numbers of calls, whose fields are tables, from `from` on for so many days.
---@param calls table[]
---@param days integer
---@param redact? fun(text: string): string
---@return cekura.report.Tally
function period_cases.tally(calls, days, redact)
  local numbers = tally.new { from = period_cases.FROM, to = period_cases.FROM + days * DAY,
    redact = redact or function(text) return text end }
  for _, fields in ipairs(calls) do
    numbers:add(cekura.assert(cekura.call_log(encode(fields, "call"))))
  end
  return numbers
end

local NOTHING = setmetatable({}, core.array_mt)

local function metric(id, name, passed)
  return { id = id, name = name, eval_type = "binary", passed = passed }
end
period_cases.metric = metric

--- A call on a day, from 1.
---@param day integer
---@param success boolean? nil: it is not evaluated
---@param metrics? table[]
---@param more? table further fields
---@return table
function period_cases.call(day, success, metrics, more)
  local fields = { id = 1, timestamp = times.text(period_cases.FROM + (day - 1) * DAY + 3600),
    status = success == nil and "evaluating" or success and "success" or "failure", success = success,
    duration = "01:10", call_ended_reason = "customer-ended-call", metrics = metrics or NOTHING }
  for name, value in pairs(more or {}) do
    fields[name] = value
  end
  return fields
end

-- Numbers from 0 to 1 that look random, and are the same on every Lua.
local function numbers_from(seed)
  return function()
    seed = (seed * 16807) % 2147483647
    return seed / 2147483647
  end
end

local REASONS = { "customer-ended-call", "agent-ended-call", "silence-timed-out", "voicemail",
  "assistant-forwarded-call", "pipeline-error-openai-llm-failed-with-a-very-long-name-without-a-blank",
  "max-duration-reached" }

-- One call of many: some metrics apply to some calls, and the first two fail together.
local function random_call(random, day, metric_count)
  local metrics, success, bad = {}, true, random() < 0.15
  for number = 1, metric_count do
    if random() < 0.9 then
      local passed = random() > (number <= 2 and bad and 0.8 or 0.3 / number)
      metrics[#metrics + 1] = metric(500 + number, number % 5 == 0
        and ("Metric %d, whose name is long, as people describe what they want to see in it"):format(number)
        or "Metric " .. number, passed)
      success = success and passed
    end
  end
  metrics[#metrics + 1] = { id = 900, name = "Seconds to the first word", eval_type = "numeric", score = random() * 4 }
  local seconds = math.floor(math.exp(random() + random() + random() + random() + random()) * 12)
  local is_evaluated = random() > 0.05
  if not is_evaluated then
    success, metrics = nil, NOTHING
  end
  return period_cases.call(day, success, metrics, {
    id = math.floor(random() * 1e7), duration = ("%02d:%02d"):format(math.floor(seconds / 60), seconds % 60),
    call_ended_reason = REASONS[math.floor(random() ^ 2 * #REASONS) + 1],
    status = is_evaluated and (success and "success" or "failure") or random() < 0.7 and "evaluating" or "pending" })
end

--- Many calls, as they may be: fewer at the weekend, and none on one day.
---@param days integer
---@param metric_count integer
---@param per_day integer
---@return table[]
function period_cases.many(days, metric_count, per_day)
  local random, calls = numbers_from(days * 1000 + metric_count), {}
  for day = 1, days do
    local count = day % 7 < 2 and per_day / 10 or day == 10 and 0 or per_day * (0.5 + random())
    for _ = 1, math.max(days == 1 and 1 or 0, math.floor(count)) do
      calls[#calls + 1] = random_call(random, day, metric_count)
    end
  end
  return calls
end

--- The page of such calls.
---@param calls table[]
---@param days integer
---@param about? cekura.report.About
---@return string
function period_cases.page(calls, days, about)
  return period.html(period_cases.tally(calls, days), about or { title = "Calls of Lakeside Dental receptionist",
    facts = { { "Agent", "2142" } } })
end

return period_cases
