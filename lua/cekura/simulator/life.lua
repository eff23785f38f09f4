--- The life of a piece of background work: it waits, runs, and ends in one of several ways. The header X-Simulate of
-- the request that starts it chooses the life; see README.md.

local check = require "cekura.simulator.check"
local clock = require "cekura.simulator.clock"

local life = {}
life.__index = life

local NO_ENDS = { start = true, queued = true, running = true }

--- The header X-Simulate of a request, "life=failed; polls=2", as a table.
function life.directives(request)
  local found = {}
  for name, value in (request.headers["x-simulate"] or ""):gmatch "([%w_]+)=([^;%s]+)" do
    found[name] = tonumber(value) or value
  end
  return found
end

--- A new life, by the directives of the request that starts it.
---@param request table
---@param ends table<string, any> the ends that this kind of work supports; "completed" is the default
---@return table? life
---@return table? refusal
function life.begin(request, ends)
  local asked = life.directives(request)
  local ending = asked.life or "completed"
  if ending ~= "endless" and (NO_ENDS[ending] or not ends[ending]) then
    return nil, check.bad_request("There is no life " .. ending)
  end
  return setmetatable({
    ending = ending,
    polls = 0,
    polls_to_end = asked.polls or 2,
    seconds = asked.seconds,
    started = clock.seconds(),
    asked = asked,
  }, life)
end

--- Whether it has ended: after a number of polls, or a number of seconds after its start.
function life:over()
  if self.ending == "endless" then
    return false
  elseif self.seconds then
    return clock.worked(self.started) >= self.seconds
  end
  return self.polls > self.polls_to_end
end

--- Its phase, without counting a poll: "queued", "running" or its end.
function life:phase()
  if self:over() then
    return self.ending
  end
  return self.polls <= 1 and "queued" or "running"
end

--- Counts a poll; returns the phase.
function life:poll()
  self.polls = self.polls + 1
  return self:phase()
end

--- How much of it is done, from 0 to 1; endless work never reaches 1.
function life:share()
  if self:over() then
    return 1
  elseif self.seconds then
    return math.min(0.99, clock.worked(self.started) / self.seconds)
  end
  return math.min(0.99, self.polls / (self.polls_to_end + 1))
end

--- Ends it now, in that way.
function life:finish(ending)
  self.ending, self.seconds, self.polls_to_end = ending, nil, -1
end

--- Ends its wait for an answer.
function life:resume()
  self.ending, self.polls, self.started = "completed", 1, clock.seconds()
end

return life
