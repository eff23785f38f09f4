--- What a campaign has shown, counted at the service, at the handlers and in Redis.

local file = require "spec.support.file"

local count = {}

local function lines_of(campaign, name)
  return file.read(campaign.files .. "/" .. name):gmatch "([^\n]+)\n"
end

local function add(to, name, amount)
  to[name] = (to[name] or 0) + (amount or 1)
end

local function size(list)
  local number = 0
  for _ in pairs(list) do
    number = number + 1
  end
  return number
end

-- How often the service has processed each job.
local function starts_of(campaign)
  local starts = {}
  for line in lines_of(campaign, "starts") do
    add(starts, tonumber(line:match "^%d+"))
  end
  return starts
end

-- The calls of handlers for each job, in their order.
local function calls_of(campaign)
  local calls = {}
  for line in lines_of(campaign, "handled") do
    local number, how, pid, at = line:match "^%S+ (%d+) (%S+) (%d+) ([%d.]+)$"
    number = tonumber(number)
    calls[number] = calls[number] or {}
    table.insert(calls[number], { how = how, pid = tonumber(pid), at = tonumber(at) })
  end
  return calls
end

-- Why a handler was called again after this call.
local function why_again(campaign, call)
  for _, killed in ipairs(campaign.killed) do
    if killed.pid == call.pid and killed.at >= call.at and killed.at - call.at < 10 then
      return "killed"
    end
  end
  for _, at in ipairs(campaign.cuts or {}) do
    if math.abs(at - call.at) < 5 then
      return "forgotten"
    end
  end
  for _, fault in ipairs(campaign.faults) do
    if (fault.kind == "pause" or fault.kind == "redis" or fault.kind == "cut") and call.at >= fault.at - 5
      and call.at <= fault.ended + 5 then
      return "silent"
    end
  end
  return "unexplained"
end

local function count_calls(campaign, calls, found)
  found.again, found.differing = {}, 0
  for number in pairs(campaign.tasks) do
    local list = calls[number] or {}
    found.calls = found.calls + #list
    for index = 1, #list - 1 do
      add(found.again, why_again(campaign, list[index]))
      found.differing = found.differing + (list[index].how ~= list[#list].how and 1 or 0)
    end
  end
end

-- Where the workers were that were killed: the states of their tasks then.
local function states_of(campaign, found)
  local of_task = {}
  found.states, found.not_seen = {}, 0
  for _, killed in ipairs(campaign.killed) do
    found.not_seen = found.not_seen + (killed.tasks and 0 or 1)
    for _, task in ipairs(killed.tasks or {}) do
      add(found.states, task.state or "none")
      of_task[task.id] = of_task[task.id] or {}
      of_task[task.id][task.state or "none"] = killed.host
    end
  end
  return of_task
end

local function was_cut(campaign, at)
  for _, cut in ipairs(campaign.cuts or {}) do
    if at < cut + 0.1 and at > cut - 3 then
      return true
    end
  end
  return false
end

--- Counts.
---@param campaign table
---@return table found
function count.of(campaign)
  local starts, calls = starts_of(campaign), calls_of(campaign)
  local found = { jobs = size(campaign.tasks), calls = 0, started = size(starts), twice = {}, lost = {},
    lost_in_tail = 0, outcomes = {}, unknown = {}, arrived = {}, polls = 0, poisoned = 0, differ = {}, told = 0,
    not_told = {} }
  count_calls(campaign, calls, found)
  local state_of = states_of(campaign, found)
  for _ in lines_of(campaign, "polls") do
    found.polls = found.polls + 1
  end
  for number, times in pairs(starts) do
    if times > 1 then
      found.twice[#found.twice + 1] = number
    end
  end
  for number, task in pairs(campaign.tasks) do
    local last = calls[number] and calls[number][#calls[number]]
    local how = last and last.how:match "^[^/]*"
    local in_redis = campaign.outcomes[number]
    if last then
      add(found.outcomes, last.how)
    elseif in_redis == "raised" then
      found.poisoned = found.poisoned + 1
    else
      found.lost[#found.lost + 1] = number
      found.lost_in_tail = found.lost_in_tail + (was_cut(campaign, task.at) and 1 or 0)
    end
    if last and in_redis ~= how then
      found.differ[#found.differ + 1] = ("%d: %s, %s"):format(number, tostring(in_redis), how)
    end
    if how == "unknown_outcome" then
      local host = (state_of[task.id] or {}).intent
      local why = last.how == "unknown_outcome/request" and "the service cut the connection"
        or host and "killed between intent and token: " .. host:gsub(" %d", "")
        or "another: killed while Redis was away, or silent for longer than the lease"
      add(found.unknown, why)
      add(found.arrived, why, starts[number] and 1 or 0)
    end
    if campaign.waits[number] then
      if campaign.waits[number] == in_redis then
        found.told = found.told + 1
      else
        found.not_told[#found.not_told + 1] = ("%d: %s"):format(number, campaign.waits[number])
      end
    end
  end
  return found
end

local function row(name, value, more)
  print(("  %-58s %8s  %s"):format(name, value, more or ""))
end

local function list(values)
  table.sort(values)
  return table.concat(values, "; ", 1, math.min(#values, 10))
end

local function rows(values, format, more)
  local names = {}
  for name in pairs(values) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    row(format:format(name), values[name], more and more(name))
  end
end

local WHY = { killed = "its worker was killed in it", silent = "its worker was silent while Redis was away",
  forgotten = "Redis had forgotten its end", unexplained = "unexplained" }

--- Prints a table.
function count.print(campaign, found)
  local happened = {}
  for _, fault in ipairs(campaign.faults) do
    add(happened, fault.kind)
  end
  print(("appendfsync %s: %.0f s"):format(campaign.fsync, campaign.took))
  rows(happened, "faults: %s")
  row("jobs whose submission was acknowledged", found.jobs)
  row("jobs lost", #found.lost, campaign.cuts and ("%d were acknowledged in the 3 s before a cut; %s"):format(
    found.lost_in_tail, list(found.lost)) or list(found.lost))
  row("jobs whose start was processed", found.started)
  row("jobs whose start was processed twice", #found.twice, list(found.twice))
  rows(found.outcomes, "outcome at the handler: %s")
  row("poisoned", found.poisoned)
  rows(found.unknown, "unknown: %s", function(name)
    return ("of which the start was processed: %d"):format(found.arrived[name])
  end)
  row("calls of handlers", found.calls)
  rows(found.again, "called again: %s", function(name)
    return WHY[name]
  end)
  row("calls with another outcome than the last", found.differing)
  row("outcomes that fleet:result() gives otherwise", #found.differ, list(found.differ))
  row("waits since the submission that got the outcome", found.told)
  row("waits that did not", #found.not_told, list(found.not_told))
  rows(found.states, "tasks of killed workers: %s")
  row("kills whose tasks were not seen, since Redis was away", found.not_seen)
  row("polls", found.polls, ("%.2f for each job"):format(found.polls / found.jobs))
  row("tasks that the fleet still has", #campaign.stuck, table.concat(campaign.stuck, "\n    ", 1,
    math.min(#campaign.stuck, 10)))
  if not campaign.is_empty and campaign.stats then
    row("", ("waiting %d, running %d"):format(campaign.stats.waiting, campaign.stats.running))
  end
end

--- What is wrong; an empty list if nothing is. A Redis that has forgotten what it acknowledged only must not have lost
-- what was acknowledged before.
---@return string[]
function count.faults(campaign, found)
  local wrong = {}
  local function must(is_right, what)
    wrong[#wrong + 1] = not is_right and what or nil
  end
  must(#found.lost == found.lost_in_tail, "jobs were lost")
  if campaign.cuts then
    return wrong
  end
  must(campaign.is_empty, "the fleet is not empty")
  must(#found.twice == 0, "starts were processed twice")
  must(not found.outcomes.wrong, "a job got the result of another")
  must(not found.again.unexplained, "handlers were called again for no reason")
  must(#found.differ == 0 and found.differing == 0, "outcomes differ")
  must(#found.not_told == 0, "waits did not get the outcome")
  return wrong
end

return count
