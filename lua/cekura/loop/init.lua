--- Who waits: the choice of a loop. Each is an adapter, a table of functions:
--
--   waiter() -> w        somebody who can be woken: the task or thread that calls; raises where the
--                        host cannot wait
--   park(w [, seconds [, idle]])
--                        waits until w is woken or the time is over; returns "woken", "timeout" or
--                        "cancelled". It may return "woken" for no reason: callers look again. Who is
--                        idle waits for what may take long, and gets "closing" when the host ends
--   wake(w)              from any coroutine, also before park(), which then returns at once
--   attach(client)       from now on the client's engine is stepped by this loop
--   detach(client)       optional: the client is being closed
--   spawn(fn, ...)       runs fn beside the caller; returns a task with join() and cancel()
--   sleep(seconds), run(fn, ...)
--   tick(seconds)        optional, where there is no loop: what cekura.step() does
--   defer(fn)            optional, for a host that loads programs before it runs: calls fn() once it does, and returns
--                        true; or false, where it runs
--   step(client), timeout(client)   what client:step() and client:timeout() do
--   log(message)         where errors go that nobody else hears of; optional for an adapter of a program's own
--
-- A host that ends somebody who waits, so that he never comes back from park(), calls w:on_gone() if that is there.
--
-- Few write all that. For a host that calls back when a descriptor is readable, cekura.loop.hosted makes an adapter
-- of two functions; for one with threads of its own, cekura.loop.threads of a few more.

local adapter = require "cekura.loop.adapter"
local errors = require "cekura.errors"
local own = require "cekura.loop.own"

local NAMES = { own = "cekura.loop.own", luv = "cekura.loop.luv", ngx = "cekura.loop.ngx",
  cqueues = "cekura.loop.cqueues", prosody = "cekura.loop.prosody", haproxy = "cekura.loop.haproxy" }

-- A host is known by what only it gives a program, never by a module that merely is loaded: a script may have
-- loaded luv and never run its loop.
local function is_neovim()
  local vim = rawget(_G, "vim")
  return type(vim) == "table" and type(vim.schedule) == "function" and (vim.uv or vim.loop) ~= nil
end

local function is_nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and type(ngx.get_phase) == "function" and type(ngx.timer) == "table"
end

-- prosodyctl has the same global, of another type, and no loop that runs.
local function is_prosody()
  local prosody = rawget(_G, "prosody")
  return type(prosody) == "table" and prosody.process_type == "prosody"
end

local function is_haproxy()
  local haproxy = rawget(_G, "core")
  return type(haproxy) == "table" and type(haproxy.register_task) == "function" and type(haproxy.msleep) == "function"
end

local found

local function find_host()
  found = found or is_nginx() and "ngx" or is_haproxy() and "haproxy" or is_neovim() and "luv"
    or is_prosody() and "prosody" or "none"
  return found
end

-- Where there is no host, the threads of cqueues have their controllers, and everything else the own loop. A program
-- may have both; who calls is known by the controller that is running.
local function here()
  local cqueues = package.loaded.cqueues
  return require(NAMES[cqueues and cqueues.running() and "cqueues" or "own"])
end

if is_haproxy() then -- it may go into a chroot afterwards, where there is no such file
  require(NAMES.haproxy)
end

local auto

local function make_auto()
  local made = adapter.new { name = "auto", attach = own.attach, step = own.step, timeout = own.timeout,
    log = own.log }
  for _, name in ipairs { "waiter", "spawn", "sleep", "run" } do
    made[name] = function(...)
      return here()[name](...)
    end
  end
  function made.tick(seconds)
    local tick = here().tick or errors.misuse "this host has a loop, which does what is due"
    return tick(seconds)
  end
  function made.detach(client)
    own.detach(client)
    local beside = package.loaded[NAMES.cqueues]
    if beside then
      beside.detach(client)
    end
  end
  auto = made -- now that it is whole: memory may end before
  return auto
end

--- The adapter of that name ("auto", "own", "ngx", …), or the table itself if it has an adapter's functions. Raises for
-- anything else.
---@param choice? string|table
---@return table
local function choose(choice)
  if choice == nil or choice == "auto" then
    choice = find_host()
    if choice == "none" then
      return auto or make_auto()
    end
  end
  if NAMES[choice] then
    local found_it, loop = pcall(require, NAMES[choice])
    if found_it then
      return loop
    end
    return errors.misuse(("loop: there is no %s here: %s"):format(choice, tostring(loop):match "[^\n]*"))
  elseif type(choice) == "table" then
    return adapter.of(choice)
  end
  return errors.misuse(("loop: \"auto\", \"own\", the name of a host or an adapter expected, got %s"):format(
    tostring(choice)))
end

return choose
