--- What the specs of watches share: a simulator, watches that are stopped after each spec, and a record of what their
-- handlers did.

local atomic = require "cekura.loop.atomic"
local cekura = require "cekura"
local core = require "cekura.core"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local supervisor = require "cekura.watch.supervisor"

local watching = {
  LIST = "/observability/v2/call-logs/",
  START = "/observability/v1/call-logs/improve_prompt_bg/",
  PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/",
  OFTEN = 0.05, -- seconds between two scans
  LONG_AGO = 20 * 86400,
  FIRST = { "call_id", "eq", "sess-1" }, -- 5181749, a success
}

-- Seconds; enough for a busy machine.
local LIMIT = 60

--- The shared memory of a host, with the methods of ngx.shared.DICT and expiry.
---@param plain? boolean only get and set
function watching.shared(plain)
  local values, dict = {}, {}
  function dict.get(_, key)
    local value = values[key]
    if value and (not value.until_ or core.now() < value.until_) then
      return value.text, 0
    end
    return nil
  end
  function dict.set(_, key, text, seconds)
    values[key] = { text = text, until_ = seconds and core.now() + seconds }
    return true, nil, false
  end
  if not plain then
    function dict:add(key, text, seconds)
      if self:get(key) ~= nil then
        return false, "exists", false
      end
      return self:set(key, text, seconds)
    end
    function dict.delete(_, key)
      values[key] = nil
    end
  end
  return dict
end

--- The supervisor of the watch that a function declares.
---@param declare fun()
---@return cekura.watch.Supervisor
function watching.supervisor_of(declare)
  local new, made = supervisor.new, nil
  function supervisor.new(...)
    made = new(...)
    return made
  end
  declare()
  supervisor.new = new
  return made
end

---@class spec.Watching
---@field server table the simulator
---@field recorded string[] the lines that handlers recorded
---@field problems table[] what on_error got
---@field folder string empty at the beginning of each spec
---@field watches table[] the watches that were declared
---@field supervisors table<table, cekura.watch.Supervisor> by watch
local Watching = {}

-- A client of the simulator; the directives determine the life of its jobs.
function Watching:living(directives, options)
  options = options or {}
  options.headers = { ["X-Simulate"] = directives or "polls=0" }
  self.clients[#self.clients + 1] = self.server:client(options)
  return self.clients[#self.clients]
end

-- Handlers may be interrupted, see spec/interrupt_spec.lua.
local add = atomic(function(list, item)
  list[#list + 1] = item
end)

-- Records a line.
function Watching:record(line)
  add(self.recorded, line)
end

-- The on_error of watches that are declared without one.
function Watching:on_error(err, where)
  add(self.problems, { where = where, err = err, kind = err.kind, message = err.message })
end

-- Returns a handler that records its name and the id of the call, which is its argument number `index`.
function Watching:note(name, index)
  return function(...)
    self.record(("%s %d"):format(name, select(index, ...).id))
  end
end

function Watching:entry(changes)
  local given = {
    on_evaluated = self.note("evaluated", 1), on_improved = self.note("improved", 2),
    on_nothing_to_do = self.note("nothing_to_do", 2), on_failed = self.note("failed", 2),
  }
  for name, value in pairs(changes) do
    given[name] = value
  end
  return given
end

function Watching:agent(changes)
  local given = self.entry { agent_id = 2142, since = os.time() - watching.LONG_AGO, prompt = "Be nice." }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return given
end

function Watching:declare(given)
  given.client = given.client or self.living()
  given.every = given.every or watching.OFTEN
  given.on_error = given.on_error or self.on_error
  local watch
  local inner = watching.supervisor_of(function()
    watch = cekura.watch(given)
  end)
  self.watches[#self.watches + 1], self.supervisors[watch] = watch, inner
  return watch
end

-- The watches, in words.
function Watching:shown()
  local lines = {}
  for index, watch in ipairs(self.watches) do
    local persistence = self.supervisors[watch].persistence
    lines[index] = ("%s, %s"):format(tostring(watch:status()),
      persistence and persistence.store:is_held() and "locks the store" or "no lock")
  end
  return table.concat(lines, "; ")
end

function Watching:eventually(what, is_so)
  local deadline = core.now() + LIMIT
  while not is_so() do
    if core.now() > deadline then
      error(("never: %s; recorded: %s; problems: %s; watches: %s"):format(what, table.concat(self.recorded, ", "),
        self.problems[1] and self.problems[1].message or "none", self.shown()), 3)
    end
    cekura.sleep(0.02)
  end
end

function Watching:requests(method, path)
  local found = {}
  for _, each in ipairs(self.server:requests()) do
    if each.method == method and each.path == path then
      found[#found + 1] = each
    end
  end
  return found
end

-- Waits for further scans.
function Watching:await_scans(path)
  local before = #self.requests("GET", path or watching.LIST)
  self.eventually("further scans", function()
    return #self.requests("GET", path or watching.LIST) >= before + 4
  end)
end

-- Counts how often each line was recorded.
function Watching:counted()
  local counts = {}
  for _, line in ipairs(self.recorded) do
    counts[line] = (counts[line] or 0) + 1
  end
  return counts
end

function Watching:has_recorded(line)
  return function()
    return self.counted()[line] ~= nil
  end
end

function Watching:stop(watch) -- luacheck: no self
  watch:stop()
  watch:wait()
  assert(watch:status().state == "stopped")
end

-- How many jobs the service has started.
function Watching:made()
  return self.server:admin("GET", "jobs/").made
end

--- Sets up a simulator and watches for the specs of a `describe`; pass busted's functions. The result has the methods
-- above as plain functions.
---@return spec.Watching
function watching.during(setup, teardown, before_each, after_each)
  local self = { server = simulator.during(setup, teardown) }
  for name, method in pairs(Watching) do
    self[name] = function(...)
      return method(self, ...)
    end
  end

  before_each(function()
    self.server:reset()
    self.clients, self.watches, self.recorded, self.problems = {}, {}, {}, {}
    self.supervisors = {}
    self.folder = shell "mktemp -d":gsub("%s+$", "")
  end)

  after_each(function()
    for _, watch in ipairs(self.watches) do
      watch:stop()
      watch:wait()
    end
    for _, client in ipairs(self.clients) do
      client:close()
    end
    shell("rm -rf " .. self.folder)
  end)

  return self
end

return watching
