--- Adapters: the tables that loops are, of this package or of a program (`loop =`). cekura.loop documents their shape.

local errors = require "cekura.errors"

local adapter = {}

-- For a program whose table is built on one of this package's: `setmetatable({ spawn = … }, { __index = own })`.
local functions = {}

function functions.park(waiter, seconds, idle)
  return waiter:park(seconds, idle)
end

function functions.wake(waiter)
  return waiter:wake()
end

-- The waiters of a program's own adapter may lack it.
function functions.defer_cancel(waiter)
  if waiter.defer_cancel then
    waiter:defer_cancel()
  end
end

local metatable = { __index = functions }

--- Marks a table as a loop whose waiters park and wake by themselves.
---@param loop table
---@return table loop
function adapter.new(loop)
  return setmetatable(loop, metatable)
end

-- ---- a program's table of functions ----

---@class cekura.Loop the adapter of a loop; the source of cekura.loop documents each function
---@field name? string
---@field waiter fun(): any
---@field park fun(waiter: any, seconds?: number, idle?: boolean): "woken"|"timeout"|"cancelled"|"closing"
---@field wake fun(waiter: any)
---@field defer_cancel? fun(waiter: any)
---@field attach fun(client: cekura.Client)
---@field detach? fun(client: cekura.Client)
---@field spawn fun(fn: function, ...: any): cekura.Task
---@field sleep fun(seconds: number)
---@field run fun(fn: function, ...: any): ...: any
---@field tick? fun(seconds?: number): number?
---@field defer? fun(fn: fun()): boolean
---@field step fun(client: cekura.Client)
---@field timeout fun(client: cekura.Client): number?
---@field log? fun(message: string)
---@field running? fun(): cekura.Loop of the one that chooses by where a task runs: the one here

local SHAPE = { "waiter", "park", "wake", "attach", "spawn", "sleep", "run", "step", "timeout" }

-- The waiter of such a table, as an object.
local Waiter = {}
Waiter.__index = Waiter

function Waiter:park(seconds, idle)
  return self.functions.park(self.waiter, seconds, idle)
end

function Waiter:wake()
  return self.functions.wake(self.waiter)
end

function Waiter:defer_cancel()
  local defer = self.functions.defer_cancel or functions.defer_cancel
  defer(self.waiter)
end

-- The program's waiter has the other fields, since it is what on_lost() is called with.
function Waiter:__newindex(name, value)
  self.waiter[name] = value
  if name == "on_lost" then
    self.waiter.on_gone = value -- what the shape calls it
  end
end

local function wrap(given)
  local loop = {}
  function loop.waiter()
    return setmetatable({ functions = given, waiter = given.waiter() }, Waiter)
  end
  return setmetatable(loop, { __index = given })
end

--- The loop of a table: itself where its waiters are objects, else one around it. Raises where a function is missing.
---@param given table
---@return table loop
function adapter.of(given)
  if getmetatable(given) == metatable then
    return given
  end
  for _, name in ipairs(SHAPE) do
    if type(given[name]) ~= "function" then
      errors.misuse("loop: the adapter has no function %s", name)
    end
  end
  return wrap(given)
end

return adapter
