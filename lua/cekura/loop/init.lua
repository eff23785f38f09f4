--- The choice of a loop. Each loop is an adapter, a table of functions:
--
--   waiter() -> w        the waiter of the calling task or thread; raises where the host cannot wait
--   w:park([seconds [, idle]])
--                        waits until w is woken or the time is over; returns "woken", "timeout" or "cancelled". It may
--                        return "woken" spuriously: callers check their condition. An idle wait, for a job or a sleep,
--                        may be long, and returns "closing" when the host ends
--   w:wake()             from any coroutine, also before w:park(), which then returns at once
--   w:defer_cancel()     if w:park() returned "cancelled" in this wait, makes it do so again in the next one, because
--                        this wait ends with its result
--   attach(client)       from now on the client's engine is stepped by this loop
--   detach(client)       optional: the client is being closed
--   spawn(fn, ...)       runs fn beside the caller; returns a task with join() and cancel()
--   sleep(seconds), run(fn, ...)
--   tick(seconds)        optional, where there is no loop: implements cekura.step()
--   running() -> loop    optional: the loop that runs the caller, where that depends on the caller
--   defer(fn)            optional, for a host that loads programs before it runs: calls fn() once it runs, and returns
--                        true; or returns false if it runs already
--   step(client), timeout(client)   implement client:step() and client:timeout()
--   adopt()              optional: attaches the clients that were made before "auto" found this loop
--   log(message)         logs errors that are not reported elsewhere; optional for an adapter of a program
--
-- A host that ends the coroutine of a waiter, so that w:park() never returns, calls w:on_lost() if it exists.
--
-- An adapter that a program passes as `loop =` has functions in place of the methods: park(w [, seconds [, idle]]),
-- wake(w) and, where park() may return "cancelled", defer_cancel(w). Its waiters are tables of any kind, in which
-- on_lost has the name on_gone; see cekura.loop.adapter.
--
-- Few programs need a complete adapter. For a host that calls back when a descriptor is readable, cekura.loop.hosted
-- makes one from one or two functions, `loop = { watch = …, after = … }`; for a host with threads, cekura.loop.threads
-- makes one from a few more.

local adapter = require "cekura.loop.adapter"
local check = require "cekura.check"
local errors = require "cekura.errors"
local hosted = require "cekura.loop.hosted"
local own = require "cekura.loop.own"

-- The hosts, in the order in which "auto" looks for them. A host is detected by what only it gives a program, never by
-- a module that merely is loaded: a script may have loaded luv and never run its loop.
--
--   detect()     whether this Lua state is in that host; without it, "auto" never chooses the host
--   beside_own   a program may have this loop and the own one, once it has loaded that module: detect() says for each
--                call which one runs
--   preload      the adapter is loaded with this module: the host may go into a chroot afterwards
---@class cekura.loop.HostRow
---@field name string
---@field module string its adapter
---@field detect? fun(): boolean?
---@field beside_own? string the name of its module, which a program that has this loop has loaded
---@field preload? boolean
---@type cekura.loop.HostRow[]
local HOSTS = {
  { name = "ngx", module = "cekura.loop.ngx", detect = function()
    local ngx = rawget(_G, "ngx")
    return type(ngx) == "table" and type(ngx.get_phase) == "function" and type(ngx.timer) == "table"
  end },
  { name = "haproxy", module = "cekura.loop.haproxy", preload = true, detect = function()
    local haproxy = rawget(_G, "core")
    return type(haproxy) == "table" and type(haproxy.register_task) == "function"
      and type(haproxy.msleep) == "function"
  end },
  { name = "luv", module = "cekura.loop.luv", detect = function() -- Neovim
    local vim = rawget(_G, "vim")
    return type(vim) == "table" and type(vim.schedule) == "function" and (vim.uv or vim.loop) ~= nil
  end },
  { name = "prosody", module = "cekura.loop.prosody", detect = function()
    local prosody = rawget(_G, "prosody") -- prosodyctl has one too, of another type, and no loop that runs
    return type(prosody) == "table" and prosody.process_type == "prosody"
  end },
  { name = "cqueues", module = "cekura.loop.cqueues", beside_own = "cqueues", detect = function()
    return package.loaded.cqueues.running() -- a controller resumes the code that calls
  end },
  { name = "glib", module = "cekura.loop.glib", beside_own = "lgi", detect = function()
    return package.loaded.lgi.GLib.main_depth() > 0 -- the main loop calls the code that calls
  end },
  { name = "own", module = "cekura.loop.own" },
}

local by_name, BESIDE_OWN, loaded = {}, {}, package.loaded
for _, row in ipairs(HOSTS) do
  by_name[row.name] = row
  if row.beside_own then
    BESIDE_OWN[row.beside_own] = row
  end
  if row.preload and row.detect() then
    require(row.module)
  end
end

local host -- the row of the host that this Lua state is in; false: none; nil: not looked for yet

local function find_host()
  for _, row in ipairs(HOSTS) do
    if host == nil and row.detect and not row.beside_own and row.detect() then
      host = row
    end
  end
  host = host or false
  return host
end

-- ---- outside of any host ----

-- The loop that runs the code that calls.
local function running()
  for library, row in next, BESIDE_OWN do
    if loaded[library] and row.detect() then
      local loop = require(row.module)
      if loop.adopt then
        loop.adopt()
      end
      return loop
    end
  end
  return own
end

local auto

local function make_auto()
  local made = adapter.new { name = "auto", attach = own.attach, step = own.step, timeout = own.timeout,
    log = own.log }
  for _, name in ipairs { "spawn", "sleep", "run" } do
    made[name] = function(...)
      return running()[name](...)
    end
  end
  function made.waiter()
    return running().waiter()
  end
  made.running = running
  function made.detach(client)
    own.detach(client)
    for _, row in pairs(BESIDE_OWN) do
      if loaded[row.module] then
        loaded[row.module].detach(client)
      end
    end
  end
  auto = made -- now that it is whole: memory may end before
  return auto
end

-- ---- tables that a program gives ----

-- Adapters by the host that they are made of: clients of one host share its adapter. Weak values, because an adapter
-- refers to its host: on Lua 5.1 and LuaJIT, weak keys alone would keep both for ever.
local adapters = setmetatable({}, { __mode = "v" })

-- A table with `watch` or `after` describes a host; any other is an adapter.
local function of_table(given)
  if given.watch == nil and given.after == nil then
    return adapter.of(given)
  elseif type(given.watch) ~= "function" then
    errors.misuse "loop: the host has no function watch"
  end
  check.callback("loop: after", given.after)
  local made = adapters[given] or hosted.new(given.name or "host", given)
  adapters[given] = made
  return made
end

--- The adapter of that name ("auto", "own", "ngx", …), of a table with an adapter's functions, or of one that describes
-- a host, see cekura.loop.hosted. Raises for anything else.
---@param choice? string|table
---@return table
local function choose(choice)
  if choice == nil then
    choice = "auto"
  end
  local row = choice == "auto" and find_host() or by_name[choice]
  if row then
    local found, loop = pcall(require, row.module)
    return found and loop
      or errors.misuse("loop: there is no %s here: %s", row.name, tostring(loop):match "[^\n]*")
  elseif choice == "auto" then
    return auto or make_auto()
  elseif type(choice) == "table" then
    return of_table(choice)
  elseif type(choice) == "string" then
    check.known("loop", "loop", choice, by_name)
  end
  return errors.misuse("loop: \"auto\", \"own\", the name of a host or an adapter expected, got %s", choice)
end

return choose
