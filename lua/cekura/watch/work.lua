--- A piece of work that a watch does in the background: the scan of an entry, or an improvement. Each runs in a task.
-- What is to be done is left to cekura.watch.scan and cekura.watch.improvement, and when, to cekura.watch.schedule.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local handler = require "cekura.watch.handler"

---@class cekura.watch.Work
---@field watch cekura.watch.Supervisor
---@field state cekura.watch.State that of the watch when the work began
---@field entry cekura.watch.Entry
---@field item? cekura.watch.Item of an improvement
---@field uncount? function of an improvement's start: it does not count any more
---@field on_end fun(ok: boolean?, err: any) called once, at the end
---@field asked number when the host was asked to run the task
---@field running? boolean the host has begun to run it
---@field task? table
---@field busy? boolean a handler or a start is under way, which is completed even when the watch is stopped
---@field ended? boolean
local Work = {}
Work.__index = Work

local work = {}

--- Whether the work is to do nothing further: the watch was stopped, or has lost the state that the work began with.
function Work:is_over()
  return self.ended or self.watch.stopping or self.watch.persistence.state ~= self.state
end

--- Whether the next handler or start may begin. Asks the store and waits for its answer, because only the store shows a
-- process that was frozen that it has lost its lease.
function Work:may_proceed()
  return not self:is_over() and self.watch.persistence:is_current(self.state) and not self:is_over()
end

--- Saves the state that the work has changed, and waits for that.
---@return boolean? is_saved
function Work:save()
  return self.watch.persistence:save(self.state)
end

--- Calls a function of the entry, if it has that function.
---@param name string
---@return any value, cekura.Error? interrupted
function Work:call(name, ...)
  local fn = self.entry[name]
  if fn ~= nil then
    return handler.call(self.watch.loop, self.watch.report, self.entry.path .. "." .. name, fn, ...)
  end
end

--- Kinds of errors that a proxy may have caused, or a state that passes: they do not settle how a request went.
Work.DOUBTFUL = { protocol = true, invalid = true }

-- Seconds between two requests; each pause is twice the one before.
local FIRST_PAUSE, LONGEST_PAUSE = 5, 60

--- Repeats a request while its error is doubtful and there is time for a further pause.
---@param seconds number the time that there is
---@param request fun(left: number): any, cekura.Error? gets the seconds that are left
---@return any value, cekura.Error? err
function Work:retry(seconds, request)
  local deadline = core.now() + seconds
  local pause = math.min(FIRST_PAUSE, self.entry.every or self.watch.declared.every)
  while true do
    local value, err = request(math.max(0, deadline - core.now()))
    if value or not self.DOUBTFUL[err.kind] or core.now() + pause > deadline then
      return value, err
    end
    self.watch.loop.sleep(core.quickened(self.watch.client, pause))
    pause = math.min(2 * pause, LONGEST_PAUSE)
  end
end

-- ---- tasks ----

-- The task has ended, or the work was cancelled before the host ran it, whichever comes first.
local finish = atomic(function(self, ok, err)
  if not self.ended then
    self.ended = true
    self.on_end(ok, err)
  end
end)

--- Ends the work unless it is busy. Work that the host has not begun to run, which may be short of threads, is over at
-- once and does nothing later.
function Work:cancel()
  if self.busy then
    return
  elseif self.task then
    self.task:cancel()
  end
  if not self.running then
    finish(self)
  end
end

-- Spawns a task; nil and the raised value if the host can start no more.
local function spawn(loop, fn)
  local ok, task = pcall(loop.spawn, fn)
  return ok and task or nil, task
end

--- Makes a piece of work of its fields and begins it, in a task that another one joins.
---@param fields table watch, state, entry, on_end, …
---@param run fun(work: cekura.watch.Work): boolean?, any
function work.begin(fields, run)
  local self, loop = setmetatable(fields, Work), fields.watch.loop
  self.asked = core.now()
  local function begin()
    self.running = true
    if not self:is_over() then
      return run(self)
    end
  end
  local outer, raised = spawn(loop, function()
    local fault
    self.task, fault = spawn(loop, begin)
    if self.task then
      finish(self, self.task:join())
    else
      finish(self, nil, fault)
    end
  end)
  if not outer then
    finish(self, nil, raised)
  end
end

return work
