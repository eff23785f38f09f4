--- What a watch does beside its own task: looks and improvements, each in a task, and the functions of the
-- declaration, each in one, too, since PUC Lua 5.1 cannot wait inside pcall.

local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local errors = require "cekura.errors"
local report = require "cekura.watch.report"

local unpack = table.unpack or unpack -- luacheck: ignore 143

---@class cekura.watch.Work
---@field watch cekura.Watch
---@field state cekura.watch.State that it began with
---@field entry cekura.watch.Entry
---@field item? cekura.watch.Item of an improvement
---@field take_back? function takes back that its start was counted
---@field busy? boolean what it does now comes to its end, also when the watch is stopped
---@field asked number when the host was asked to run it
---@field running? boolean the host does
local Work = {}
Work.__index = Work

local work = {}

--- Whether it is to do nothing further: the watch was stopped, or another holds the store now.
function Work:is_over()
  return self.ended or self.watch.stopping or self.watch.kept.state ~= self.state
end

--- Whether the next handler or start may begin: the store is asked, since a process that was frozen finds out only by
-- that.
function Work:may_go_on()
  return not self:is_over() and self.watch.kept:holds(self.state)
end

-- Its end, whichever comes first: that of its task, or that it was cancelled before the host ran it.
local finish = atomic(function(self, ok, err)
  if not self.ended then
    self.ended = true
    self.done(ok, err)
  end
end)

--- Ends it, if it waits for something that can be waited for again. One that the host has not begun yet is over at once
-- and will do nothing: the host may be short of threads.
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

--- Kinds of errors that may be a proxy's answer, or about to be mended.
Work.SENSELESS = { protocol = true, invalid = true }

-- Seconds until it is asked again; each pause is twice the one before.
local FIRST_PAUSE, LONGEST_PAUSE = 5, 60

--- Asks for something until the answer makes sense, or there is no time for another pause.
---@param seconds number that there are
---@param ask fun(left: number): any, cekura.Error? told how many are left
---@return any value, cekura.Error? err
function Work:ask_on(seconds, ask)
  local deadline = core.now() + seconds
  local pause = math.min(FIRST_PAUSE, self.entry.every or self.watch.declared.every)
  while true do
    local value, err = ask(math.max(0, deadline - core.now()))
    if value or not self.SENSELESS[err.kind] or core.now() + pause > deadline then
      return value, err
    end
    self.watch.loop.sleep(pause)
    pause = math.min(2 * pause, LONGEST_PAUSE)
  end
end

-- Has the host run a task; nil and what it raised if it can start no more.
local function spawn(loop, fn)
  local ok, task = pcall(loop.spawn, fn)
  if ok then
    return task
  end
  return nil, task
end

--- Begins a piece of work. `done(ok, err)` is called after its end, whatever that was.
---@param loop table
---@param fields table the work's own
---@param run fun(work: cekura.watch.Work): boolean?, any
---@param done fun(ok: boolean?, err: any)
function work.begin(loop, fields, run, done)
  local self = setmetatable(fields, Work)
  self.asked, self.done = core.now(), done
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
  return self
end

local function is_cancelled(raised)
  return errors.is(raised) and raised.kind == "cancelled"
end

--- Calls a function of the declaration, which may wait, and may raise.
---@param loop table
---@param tell fun(err: cekura.Error, where: string) told what it raised
---@param where string its path
---@param fn function
---@return any value what it returned; nil if it raised
---@return cekura.Error? interrupted it was cancelled: it is to be called again
function work.call(loop, tell, where, fn, ...)
  local co
  local arguments = { n = select("#", ...), ... }
  local task = loop.spawn(function()
    co = coroutine.running()
    return true, fn(unpack(arguments, 1, arguments.n))
  end)
  local ok, value = task:join()
  if ok then
    return value
  elseif is_cancelled(value) then
    task:cancel()
    return nil, value
  end
  tell(report.raised(value, where, co), where)
  return nil
end

return work
