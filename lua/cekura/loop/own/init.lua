--- The own loop: tasks are coroutines, and plain code that waits runs them, and steps the clients.

local adapter = require "cekura.loop.adapter"
local clients = require "cekura.loop.clients"
local core = require "cekura.core"
local dispatch = require "cekura.loop.dispatch"
local scheduler = require "cekura.loop.own.scheduler"
local tasks = require "cekura.loop.tasks"
local waiter = require "cekura.loop.own.waiter"

local own = adapter.new { name = "own", waiter = waiter.new, attach = clients.attach,
  detach = clients.detach }

--- Where errors go that nothing else shows.
---@param message string
function own.log(message)
  io.stderr:write(message, "\n")
end

own.spawn, own.run, own.sleep = tasks.of {
  Waiter = waiter.Task,
  waiter = function()
    return scheduler.outer.waiter()
  end,
  log = function(message)
    scheduler.outer.log(message)
  end,
  launch = scheduler.launch,
  failed = scheduler.failed,
  current = scheduler.current,
}

-- ---- in a program that steps ----

-- Calls a function that runs tasks, and sets the alarms for the work that is due next.
local function run(fn, ...)
  tasks.check()
  local ok, raised = scheduler.protected(fn, ...)
  scheduler.rearm()
  if not ok then
    error(raised, 0)
  end
end

local function step(client)
  local ends_at = core.now() + scheduler.SLICE
  dispatch(client)
  scheduler.run_due(ends_at)
  if core.due(client) == 0 and core.now() < ends_at then
    dispatch(client) -- the requests of the tasks are sent at once
  end
end

--- One step for a host that polls the client: the engine's, and the tasks that became ready.
---@param client cekura.Client
function own.step(client)
  run(step, client)
end

--- Seconds until a step is due; nil: only when the descriptor is readable.
---@param client cekura.Client
---@return number?
function own.timeout(client)
  return clients.earlier(core.due(client), scheduler.next_due())
end

local function round()
  clients.settle()
  scheduler.run_due()
  clients.settle() -- the requests of the tasks are sent at once
end

--- Does the work that is due, once, for all clients, timers and tasks; see cekura.step().
---@param seconds? number waits so long for something to become due
---@return number? seconds until something is due
function own.tick(seconds)
  if seconds and seconds > 0 then
    clients.wait(math.min(seconds, scheduler.next_due() or seconds))
  end
  run(round)
  return clients.next_due(scheduler.next_due())
end

-- ---- in the loop of a host ----

--- Runs the tasks that are due.
function own.run_due()
  run(scheduler.run_due)
end

local function nothing() end

local NO_OUTER = { waiter = waiter.new, next_due = nothing, notify = nothing, log = function(message)
  own.log(message)
end }

--- Embeds this loop in another; nil: in none.
---@param outer? cekura.loop.Outer
function own.embed(outer)
  scheduler.outer = outer or NO_OUTER
end

own.embed(nil)

return own
