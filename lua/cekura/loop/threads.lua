--- Adapters for hosts that have threads of their own: coroutines which the host resumes, each when what it waits for
-- has come. Who waits for a request or a job waits in his thread for a signal; a thread beside them, the pump, goes on
-- as long as the engine has something to do, steps it, and so has the signals given. What a host has to bring:
--
--   here()                raises where there can be no waiting; may yield
--   is_plain()            optional: whether it is none of its threads that calls, but code whose wait may block it
--   signal() -> s         something that one thread waits for
--   wait(s, seconds, waited)
--                         yields until it is notified, or so long; he who waits has waited so many seconds already
--   notify(s)             from wherever Lua runs
--   start(fn)             runs fn(leave) in a thread, once whoever started it waits; does not yield. leave(), where the
--                         host can end a thread that waits: ends the one that calls it, and never returns
--   in_coroutine          optional: a thread may wait in a coroutine that it has made, which yields to it; then there
--                         is a leave() for each
--   start_pump(fn)        runs fn() in a thread that is to outlive the one that calls
--   every(seconds, fn)    optional, for a host that drops what start() was given: calls fn() again and again
--   watch(client)         for the pump: returns a function that waits until client:pollfd() is readable, or, where
--                         something else steps the client, until something has come of it, and may return earlier; and
--                         optionally one that ends it, also while the other waits. `ticks` makes one for hosts that
--                         cannot watch a descriptor
--   linger                optional: seconds that a pump stays after its last work, where its start is dear
--   is_closing()          optional: whether the host is ending, and only waits for what still runs
--   is_gone(s)            optional: whether the thread that waited for it was ended by the host
--   later(fn)             optional: calls fn() once what runs now has had its turn
--   scope()               optional: something that is another for threads that may get each other's coroutine
--   log(message)          where errors go that nobody else hears of

local adapter = require "cekura.loop.adapter"
local advance = require "cekura.loop.dispatch"
local atomic = require "cekura.loop.atomic"
local core = require "cekura.core"
local own = require "cekura.loop.own"
local tasks = require "cekura.loop.tasks"
local yields = require "cekura.loop.yieldable"

local threads = {}

---@class cekura.loop.Threads what an adapter of such a host works with
---@field host table
---@field pumps table<cekura.Client, table>
---@field parked table<table, boolean> waiters that wait
---@field task_of table<thread, cekura.Task>
---@field stepping? thread the coroutine that steps
---@field looked number when the threads that the host has ended were looked for last
local Threads = {}
Threads.__index = Threads

local WEAK_KEYS = { __mode = "k" }

-- ---- calls of functions that wait ----

-- What a coroutine yields that is to be left where it is.
local LEFT = {}

local function relay(co, ok, ...)
  if coroutine.status(co) == "dead" then
    return ok, ...
  elseif (...) == LEFT then
    return false
  end
  return relay(co, coroutine.resume(co, coroutine.yield(...)))
end

-- pcall, in a coroutine of its own where Lua cannot yield across pcall.
local protected = yields and pcall or function(fn, ...)
  local co = coroutine.create(fn)
  return relay(co, coroutine.resume(co, ...))
end

local function leave_coroutine()
  while true do
    coroutine.yield(LEFT)
  end
end

-- Seconds. Waiting is sliced, so that the end of the host, and of a pump, is seen. As long as no pump runs, each waiter
-- steps by itself. A pump looks so often after those who are gone, and is thought lost when it does not.
local SLICE, WITHOUT_PUMP, BEAT, LOST = 2, 0.005, 0.5, 3

-- Seconds that each wait takes of a task that counts as ended, in a host that cannot end its thread.
local PAUSE = 1

-- Seconds between two looks at what a host may have dropped.
local LOOK = 3

-- How many steps are made before a deadline is held against what has come meanwhile.
local STEPS = 64

local FIRST_TICK, LAST_TICK = 0.001, 0.02

--- Makes a host's watch() for one that can sleep, and no more: it looks again and again, after pauses of 1 ms that
-- grow to 20 ms as long as nothing happens.
---@param sleep fun(seconds: number)
---@return fun(client: cekura.Client): fun()
function threads.ticks(sleep)
  return function(client)
    return function()
      local pause = FIRST_TICK
      while not core.is_closed(client) and core.due(client) ~= 0 and not core.wait({ client }, 0) do
        sleep(pause)
        pause = math.min(2 * pause, LAST_TICK)
      end
    end
  end
end

-- ---- stepping ----

-- What is called from a step, an event handler, runs on behalf of whoever happens to step. One that lets the host
-- yield, which it should not, must not keep others from waiting meanwhile.
Threads.step = atomic(function(self, client)
  self.stepping = coroutine.running()
  local ok, raised = pcall(self.host.is_plain and own.step or advance, client)
  self.stepping = nil
  if not ok then
    self.host.log("cekura: " .. tostring(raised))
  end
  return ok
end)

-- The host has ended the thread that waits, or runs the task.
local function let_go(waiter)
  if waiter.on_lost then
    waiter:on_lost()
  end
  if waiter.body then -- a task
    waiter.cancelled = true
    tasks.finish(waiter, false)
  end
end

-- A waiter that has been woken is not back yet, so it is gone only when it is missed twice.
Threads.look_after_gone = atomic(function(self)
  local is_gone = self.host.is_gone
  if not is_gone or core.now() - self.looked < BEAT then
    return
  end
  self.looked = core.now()
  local gone = {}
  for waiter in pairs(self.parked) do
    local missing = is_gone(waiter.signal)
    if missing and waiter.missed then
      gone[#gone + 1] = waiter
    end
    waiter.missed = missing
  end
  for _, waiter in ipairs(gone) do
    self.parked[waiter] = nil
    let_go(waiter)
  end
end)

-- Until there is nothing to do any more, or another has taken over.
function Threads:pump(client, state)
  local host = self.host
  local wait, stop = host.watch(client)
  state.stop, state.running = stop, true
  while self.pumps[client] == state and not core.is_closed(client) do
    local now = core.now()
    state.beat = now
    if core.is_busy(client) then
      state.used = now
    elseif now - state.used >= self.linger then
      break
    end
    core.alarm(client, state.used == now and BEAT or self.linger)
    wait()
    if not self:step(client) then -- what hinders it may last
      host.wait(host.signal(), BEAT, 0)
    end
    self:look_after_gone()
    tasks.look_after()
  end
  if stop then
    stop()
  end
end

Threads.notify_all = atomic(function(self)
  for waiter in pairs(self.parked) do
    self.host.notify(waiter.signal)
  end
end)

Threads.start_pump = atomic(function(self, client)
  local lost = self.pumps[client]
  local state = { beat = core.now(), used = core.now() }
  self.pumps[client] = state
  if lost and lost.stop then
    lost.stop()
  end
  self.host.start_pump(function()
    local ok, raised = protected(self.pump, self, client, state)
    if self.pumps[client] == state then
      self.pumps[client] = nil
    end
    if not ok then
      self.host.log("cekura: " .. tostring(raised))
    end
    self:notify_all() -- one of them starts another, if it is needed
  end)
  return state
end)

-- Sends what was asked for, and has a pump go on with it. Returns whether one runs.
function Threads:drive()
  local driven = true
  for _, client in ipairs(own.clients()) do
    if core.due(client) == 0 then
      self:step(client)
    end
    if core.is_busy(client) then
      local state = self.pumps[client]
      if not state or core.now() - state.beat > LOST then
        state = self:start_pump(client)
      end
      state.used = core.now()
      driven = driven and state.running
    end
  end
  return driven
end

-- Takes in what has come.
Threads.catch_up = atomic(function(self)
  for _, client in ipairs(own.clients()) do
    local steps = 0
    while core.is_busy(client) and steps < STEPS and (steps == 0 or core.due(client) == 0) do
      self:step(client)
      steps = steps + 1
    end
  end
end)

-- ---- waiting ----

function Threads:current()
  local task = self.task_of[coroutine.running() or self] -- Lua 5.1's main program is no coroutine
  return task and (not self.host.scope or task.scope == self.host.scope()) and task or nil
end

-- Ends the thread of a task that counts as ended.
function Threads:leave(task)
  if task.leave then
    task.leave()
  end
  self.host.wait(self.host.signal(), PAUSE, 0)
  tasks.refuse()
end

-- A thread of the host's that waits.
local Waiter = {}
Waiter.__index = Waiter

function Threads:waiter()
  local host, task = self.host, self:current()
  tasks.look_after()
  if not task and host.is_plain and host.is_plain() then
    return own.waiter()
  elseif self.stepping and self.stepping == coroutine.running() then
    error("cekura: an event handler cannot wait: have cekura.spawn start a task that does", 0)
  elseif task and tasks.check(task) then
    self:leave(task)
  end
  host.here()
  own.check_yield()
  return task or setmetatable({ signal = host.signal(), threads = self, why = false }, Waiter)
end

function Waiter:wake()
  if not self.why then
    self.why = "woken"
    if self.threads.parked[self] then
      self.threads.host.notify(self.signal)
    end
  end
end

local function is_closing(self, idle)
  return idle and self.host.is_closing and self.host.is_closing()
end

-- Returns how long to wait now; nil: the waiter was woken.
Threads.begin_slice = atomic(function(self, waiter)
  local slice = self:drive() and SLICE or WITHOUT_PUMP
  if waiter.why then
    return nil
  end
  self.parked[waiter] = true
  return slice
end)

Threads.end_slice = atomic(function(self, waiter)
  self.parked[waiter], waiter.missed = nil, nil
  self:look_after_gone()
  tasks.look_after()
end)

-- Yields until the waiter is woken or the time is over, and looks up now and then.
function Threads:wait(waiter, seconds, idle)
  local began, waited = core.now(), 0
  while not waiter.why and not is_closing(self, idle) and waited < seconds do
    local slice = self:begin_slice(waiter)
    if slice then
      self.host.wait(waiter.signal, math.min(slice, seconds - waited), waited)
      self:end_slice(waiter)
    end
    waited = core.now() - began
  end
  if not waiter.why then
    self:catch_up()
  end
end

local end_wait = atomic(function(waiter, otherwise)
  local why = waiter.why or otherwise
  waiter.why = nil
  return tasks.to_be_told(waiter) and "cancelled" or why
end)

function Waiter:park(seconds, idle)
  if tasks.to_be_told(self) then
    return "cancelled"
  end
  self.threads:wait(self, seconds or own.VERY_LONG, idle)
  return end_wait(self, is_closing(self.threads, idle) and "closing" or "timeout")
end

-- ---- tasks ----

local function trace(task, ...)
  local ok, traceback = pcall(debug.traceback, ...)
  task.traceback = ok and traceback:gsub("^\n", "")
end

local function call_in_coroutine(self, task)
  local co = coroutine.create(task.body)
  self.task_of[co] = task
  task.leave = leave_coroutine
  local function ended(ok, ...)
    if not ok and coroutine.status(co) == "dead" then
      trace(task, co)
    end
    return ok, ...
  end
  return ended(relay(co, coroutine.resume(co)))
end

local function call_here(self, task)
  self.task_of[coroutine.running()] = task
  return xpcall(task.body, function(raised)
    trace(task, "", 4)
    return raised
  end)
end

local finish = atomic(tasks.finish)

-- A host may have been handed the task twice.
function Threads:run_task(task, leave)
  if not tasks.begin(task) then
    return
  end
  local co = coroutine.running()
  -- Where the host ends the thread, its stack is collected.
  local lost = core.guard(function()
    if task.state ~= "done" then
      tasks.lose(task)
    end
  end)
  task.scope = self.host.scope and self.host.scope()
  task.state, task.leave = "running", leave or false
  local in_coroutine = self.host.in_coroutine or not yields
  finish(task, (in_coroutine and call_in_coroutine or call_here)(self, task))
  self.task_of[co] = nil
  core.spend(lost)
end

function Threads:launch(task)
  local host = self.host
  if not task.signal then
    task.signal, task.threads = host.signal(), self
  end
  host.start(function(leave)
    self:run_task(task, leave)
  end)
  if host.every and not self.looks then
    self.looks = pcall(host.every, LOOK, tasks.look_after)
  end
end

function Threads:failed(task)
  local function report()
    tasks.report(task)
  end
  if self.host.later then
    self.host.later(report)
  else
    report()
  end
end

-- ---- the adapter ----

-- Without a thread of the host's, there is the own loop.
local function either(self, fn, own_fn)
  return function(...)
    local is_plain = self.host.is_plain
    local plain = is_plain and not self:current() and is_plain()
    return (plain and own_fn or fn)(...)
  end
end

local function bind(self, name)
  return function(...)
    return self[name](self, ...)
  end
end

--- Makes the adapter of a host.
---@param name string
---@param host table
---@return table adapter in the shape that is described in cekura.loop
function threads.new(name, host)
  local self = setmetatable({ host = host, linger = host.linger or 0, pumps = setmetatable({}, WEAK_KEYS),
    parked = setmetatable({}, WEAK_KEYS), task_of = setmetatable({}, WEAK_KEYS), looked = 0, looks = false }, Threads)
  local loop = adapter.new { name = name, attach = own.attach, step = own.step, timeout = own.timeout, log = host.log,
    waiter = bind(self, "waiter") }
  local spawn, run
  spawn, run, loop.sleep = tasks.of {
    waiter = loop.waiter,
    park = Waiter.park,
    wake = Waiter.wake,
    log = host.log,
    hands_over = true,
    current = bind(self, "current"),
    launch = bind(self, "launch"),
    failed = bind(self, "failed"),
  }
  loop.spawn, loop.run = either(self, spawn, own.spawn), either(self, run, own.run)

  function loop.detach(client)
    own.detach(client)
    local state = self.pumps[client]
    if state and state.stop then
      state.stop()
    end
  end

  return loop
end

return threads
