--- The own loop: tasks are coroutines, and whoever has to wait keeps everything going.

local adapter = require "cekura.loop.adapter"
local advance = require "cekura.loop.dispatch"
local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local queue = require "cekura.loop.queue"
local tasks = require "cekura.loop.tasks"
local timers = require "cekura.loop.timers"
local yields = require "cekura.loop.yieldable"

local own = adapter.new { name = "own" }

-- What a task yields to park; anything else is a yield of the program's own, and only lets others go
-- first.
local PARK = {}

-- The tasks by coroutine: nothing else may hold one that is parked.
local alive = {} -- luacheck: ignore 241
local ready = queue.new()
local due = timers.new()
-- The clients that are open, each at its own place. Weak by value, not by key: a key that is being finalized is still
-- found, a value is not.
local clients, last_place = setmetatable({}, { __mode = "v" }), 0
local current -- the task that is running
local resuming = false -- the task whose turn it is: taken from `ready`, and not yet parked, ready again or done
local depth = 0 -- how many drives and steps are running, one inside the other
local host -- the adapter of the host whose loop this one lives in, see own.live_in(); nil: none
local tell_host -- called with the seconds until a task is due

-- ---- tasks ----

-- Seconds until this loop has something to do; nil: only when a client has.
local function next_due()
  if ready.first then
    return 0
  end
  local at = due:due()
  return at and math.max(0, at - core.now())
end

-- Seconds, longer than anybody waits: a host whose loop ends when nothing but descriptors is left to look at is to
-- go on for what waits without an end.
own.VERY_LONG = 30 * 86400

local function earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

-- A host that only watches descriptors learns by them of tasks, too; and of whom it is to resume, also where it has no
-- memory for a timer.
local function tell_hosts()
  if depth > 0 then
    return
  end
  local seconds = earlier(next_due(), host and host.next_due())
  for _, client in pairs(clients) do
    core.alarm(client, seconds)
  end
  if tell_host then
    tell_host(seconds or next(alive) and own.VERY_LONG or nil)
  end
end

local function log(message)
  (host or own).log(message)
end

local undoom

-- Nothing holds the coroutine any more: it is collected, wherever it waits.
local function let_go(task)
  alive[task.co] = nil
  due:remove(task)
  task.co = false
end

-- Seconds that a task which was cancelled may go on with yields of its own, and neither wait nor end.
local PATIENCE = 1

local function yielded(task)
  if task.cancelled then
    task.patience = task.patience or core.now() + PATIENCE
    if core.now() > task.patience then
      tasks.finish(task, false)
      return let_go(task)
    end
  end
  ready:put(task)
end

local function resumed(task, co, ok, ...)
  if coroutine.status(co) == "dead" then
    if not ok then
      local traced, traceback = pcall(debug.traceback, co)
      task.traceback = traced and traceback
    end
    if task.doomed then
      undoom(task)
    end
    let_go(task)
    return tasks.finish(task, ok, ...)
  elseif task.state == "done" then
    return let_go(task)
  elseif (...) ~= PARK then
    return yielded(task)
  elseif task.why then -- since it looked
    ready:put(task)
  else
    task.state = "parked"
  end
end

local function back_to(before, ...)
  current = before
  return ...
end

local function resume(task)
  local co = task.co
  if task.state == "done" then
    return tasks.settle(task), co and let_go(task)
  elseif not task.begun then
    tasks.begin(task)
  end
  if task.interrupted then
    if coroutine.status(co) == "dead" then -- its results were lost with the turn
      let_go(task)
      return tasks.finish(task, false, "not enough memory")
    end
    task.interrupted = false
  end
  local before = current
  current = task
  task.state = "running"
  if task.on_lost and coroutine.status(co) == "dead" then
    task:on_lost() -- it was killed where it waited: by coroutine.close(), say
  end
  resumed(task, co, back_to(before, coroutine.resume(co)))
end

-- Those that failed since the last report.
local failed = queue.new()

local function report_failed()
  local task = failed:take(failed.turns)
  while task do
    tasks.report(task)
    task = failed:take(failed.turns)
  end
end

-- Runs the tasks that are ready now. One may wait as plain code does, in a coroutine of its own, and come here again.
local function run_ready()
  local last, outer = ready.turns, resuming
  resuming = ready:take(last)
  while resuming do
    resume(resuming)
    resuming = ready:take(last)
  end
  resuming = outer
  report_failed()
end

local function deeper(fn, ...)
  depth = depth + 1
  return fn(...)
end

-- Calls a function that runs tasks. A task whose turn was cut short because memory ran out gets another turn.
local function protected(fn, ...)
  local outer_depth, outer, caller = depth, resuming, current
  local ok, raised = core.try(deeper, fn, ...)
  depth, current = outer_depth, caller
  if resuming ~= outer then
    resuming.interrupted = true
    ready:put(resuming)
    resuming = outer
  end
  return ok, raised
end

-- How many steps are made before a deadline is held against what has come meanwhile.
local STEPS = 64

-- An event handler that yields out of it would leave everybody standing: it cannot.
local function go_on(client, seconds)
  core.uninterrupted(advance, client, seconds)
end

--- Takes in what has come: the program may have done something else for long.
function own.catch_up()
  for _, client in ipairs(own.clients()) do
    local steps = 0
    while core.is_busy(client) and steps < STEPS and (steps == 0 or core.due(client) == 0) do
      go_on(client)
      steps = steps + 1
    end
  end
end

local function fire_due()
  local now, at = core.now(), due:due()
  if not at or at > now then
    return
  end
  own.catch_up()
  local waiter = due:pop(now)
  while waiter do
    waiter.why = "timeout"
    if waiter.co then
      waiter.state = "ready"
      ready:put(waiter)
    end
    waiter = due:pop(now)
  end
end

-- Has the task run when whoever launched it waits.
local function launch(task)
  task.co = coroutine.create(task.body)
  alive[task.co] = task
  ready:put(task)
  tell_hosts()
end

-- ---- waiting ----

-- Whether a wait of the function that called the caller would have to yield where Lua 5.1 cannot.
local function is_behind_c(level)
  if yields then
    return false
  end
  level = level + 1
  local frame = debug.getinfo(level, "Sn")
  while frame do
    if frame.what == "C" or frame.name == "(for generator)" then
      return true
    end
    level = level + 1
    frame = debug.getinfo(level, "Sn")
  end
  return false
end

-- Where a coroutine cannot yield, Lua says so in words that help nobody.
local function check_yield()
  if is_behind_c(3) then
    error("cekura: Lua 5.1 cannot wait inside pcall, a metamethod or the iterator of a `for`: call it directly"
      .. " (local next = cekura.each(jobs); next())", 0)
  end
end

-- ---- tasks that count as ended ----

-- Seconds that a wait takes in a task that cannot be ended: so it may go on for ever, and takes no processor.
local PAUSE = 1

local Plain -- the waiters of plain code

-- From now on every instruction of the task's coroutine raises, also where it catches that: so it comes to its end.
-- LuaJIT has one hook for all coroutines.
local function doom(task)
  local co = task.co
  task.doomed = { debug.gethook() }
  debug.sethook(co, function()
    if coroutine.running() == co then
      tasks.refuse()
    end
  end, "", 1)
end

function undoom(task)
  if rawget(_G, "jit") then
    debug.sethook(task.doomed[1], task.doomed[2], task.doomed[3])
  end
end

-- A wait of such a task, in a coroutine of its own or where Lua 5.1 cannot yield.
local function refuse(task)
  if task.co and not task.doomed then
    doom(task)
  else
    Plain.new(false):park(PAUSE)
  end
  tasks.refuse()
end

-- Where the coroutine of a task waits once the task counts as ended.
local function stay(task)
  if is_behind_c(3) then
    refuse(task)
  end
  while true do
    coroutine.yield(PARK)
  end
end

-- What cannot wait is refused here, before it has begun anything that it would have to wait for.
function own.waiter()
  tasks.look_after()
  local task = current
  if task and coroutine.running() == task.co then
    if tasks.check(task) then
      stay(task)
    end
    check_yield()
    return task
  end
  if task and tasks.check(task) then
    refuse(task)
  end
  return Plain.new(task or false) -- plain code, or a coroutine of the program's own
end

local wake_task = atomic(function(task)
  if task.inner then -- a coroutine of the task's own waits, as plain code
    task.inner.why = "woken"
  end
  if task.why == "timeout" and task.state == "ready" then
    return -- it is on its way
  end
  task.why = "woken"
  if task.state == "parked" then
    ready:put(task) -- first: where this raises, for want of memory, the task keeps its deadline
    due:remove(task)
    task.state = "ready"
    tell_hosts()
  end
end)

-- Returns why there is nothing to wait for; nil: there is.
local begin_wait = atomic(function(task, seconds)
  if tasks.to_be_told(task) then
    return "cancelled"
  elseif task.why then
    local why = task.why
    task.why = false
    return why
  end
  due:remove(task) -- where an earlier wait has left it that raised
  if seconds then
    due:insert(task, core.now() + seconds)
  end
end)

local end_wait = atomic(function(task)
  due:remove(task)
  local why = task.why
  task.why = false
  return tasks.to_be_told(task) and "cancelled" or why or "woken"
end)

-- It is the loop that has the task parked, once it has yielded: others may run, and wake it, before.
local function park_task(task, seconds)
  local why = begin_wait(task, seconds)
  if why then
    return why
  end
  coroutine.yield(PARK)
  return end_wait(task)
end

-- Everything that could make progress now; false if there is nothing at all.
local function wait_for_any(seconds)
  local busy = {}
  for _, client in pairs(clients) do
    if core.is_busy(client) then
      busy[#busy + 1] = client
    end
  end
  if #busy == 1 then
    go_on(busy[1], seconds or math.huge)
  elseif #busy > 1 then
    for _, client in ipairs(busy) do
      core.alarm(client) -- whose time this wait knows of
      local client_due = core.due(client)
      if client_due and (not seconds or client_due < seconds) then
        seconds = client_due
      end
    end
    core.wait(busy, seconds)
    for _, client in ipairs(busy) do
      go_on(client)
    end
  elseif seconds then
    core.wait(busy, seconds)
  else
    return false
  end
  return true
end

-- Keeps everything going until `waiter` has been woken.
local function drive(waiter)
  while true do
    fire_due()
    run_ready()
    if waiter.why then
      return
    end
    if not wait_for_any(next_due()) then
      error("cekura: everything waits, and nothing is left that could wake it", 0)
    end
  end
end

Plain = {}
Plain.__index = Plain

function Plain.new(task)
  return setmetatable({ why = false, task = task }, Plain)
end

function Plain.wake(waiter)
  waiter.why = "woken"
end

function Plain.park(waiter, seconds)
  local task = waiter.task
  if task and tasks.to_be_told(task) then
    return "cancelled"
  end
  if seconds then
    due:insert(waiter, core.now() + seconds)
  end
  local before = task and task.inner
  if task then
    task.inner = waiter
  end
  local ok, raised = protected(drive, waiter)
  due:remove(waiter)
  if task then
    task.inner = before
  end
  tell_hosts()
  if not ok then
    error(raised, 0)
  end
  local why = waiter.why
  waiter.why = false
  return task and tasks.to_be_told(task) and "cancelled" or why
end

-- Whoever calls: also a coroutine of the host's, where there is a host.
local function caller()
  return (host or own).waiter()
end

own.spawn, own.run, own.sleep = tasks.of {
  waiter = caller,
  park = park_task,
  wake = wake_task,
  log = log,
  launch = launch,
  failed = function(task)
    failed:put(task)
  end,
  current = function()
    return current
  end,
}

--- Where errors go that nobody else hears of.
---@param message string
function own.log(message)
  io.stderr:write(message, "\n")
end

-- ---- clients ----

own.attach = atomic(function(client)
  tasks.look_after()
  last_place = last_place + 1
  clients[last_place] = client
  core.fields(client)._place = last_place
end)

--- The client is being closed: whoever waits does not look at it any more. May be called again.
own.detach = atomic(function(client)
  local fields = core.fields(client)
  if fields._place then
    clients[fields._place] = nil
    fields._place = nil
  end
end)

--- All clients that are not closed, as a list: while it is gone through, some may come and go.
function own.clients()
  local list = {}
  for _, client in pairs(clients) do
    list[#list + 1] = client
  end
  return list
end

-- Calls what lets tasks run; what is due then, hosts are told afterwards.
local function run_inside(fn, ...)
  tasks.look_after()
  local ok, raised = protected(fn, ...)
  tell_hosts()
  if not ok then
    error(raised, 0)
  end
end

local function step(client)
  advance(client)
  fire_due()
  run_ready()
  if core.due(client) == 0 then
    advance(client) -- what the tasks have asked for goes out at once
  end
end

--- One step for a host that polls the client: the engine's, and the tasks that became ready.
function own.step(client)
  run_inside(step, client)
end

-- ---- programs that only tick ----

-- A round of what is due, and of what that asks for.
local function round()
  own.catch_up()
  fire_due()
  run_ready()
  for _, client in ipairs(own.clients()) do
    if core.due(client) == 0 then
      go_on(client) -- what the tasks have asked for goes out at once
    end
  end
end

-- Seconds until something is due; nil: nothing will be.
local function any_due()
  local seconds = next_due()
  for _, client in ipairs(own.clients()) do
    seconds = earlier(seconds, core.due(client))
  end
  return seconds
end

--- Does one round of what is due, of all clients, timers and tasks; see cekura.step.
---@param seconds? number waits so long for something to become due
---@return number? seconds until something is due
function own.tick(seconds)
  if seconds and seconds > 0 then
    wait_for_any(math.min(seconds, next_due() or seconds))
  end
  run_inside(round)
  return any_due()
end

-- ---- a host around this loop ----

--- Lets the loop live in a host's.
---@param around table whose waiters may be coroutines of the host's; next_due(): seconds until one is to be resumed
---@param tell fun(seconds: number?) told when own.turn() is to be called next; nil: not before this is told again
function own.live_in(around, tell)
  host, tell_host = around, tell
end

local function turn()
  fire_due()
  run_ready()
end

--- Runs the tasks that are due.
function own.turn()
  run_inside(turn)
end

--- Has the descriptors of all clients, and the host, know when something is due. Whoever yields to the host, and not
-- to this loop, calls it before: what he has asked for is to go out.
own.tell_hosts = tell_hosts

--- Whether a coroutine is a task of this loop.
function own.is_task(co)
  return alive[co] ~= nil
end

--- Raises where Lua 5.1 cannot yield.
own.check_yield = check_yield

--- Seconds until a step is due; nil: only when the descriptor is readable.
function own.timeout(client)
  local engine, loop = core.due(client), next_due()
  return earlier(engine, loop)
end

return own
