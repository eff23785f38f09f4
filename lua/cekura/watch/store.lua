--- The stores of watches. A store keeps one text, and has a lock that one watch holds at a time, while other watches
-- with the same store stand by. cekura.watch.state reads and writes the text.
--
-- A file is locked by flock (src/file/locked_file.h), across processes, Lua states and spellings of its path. Shared
-- memory is any object with get(key) and set(key, value); if it also has add(key, value, seconds) and delete(key), as
-- ngx.shared.DICT does, the lock is a lease, which expires unless it is renewed. The lock of other stores is known in
-- this Lua state only.

local core = require "cekura.core"
local errors = require "cekura.errors"
local show = require "cekura.show"

local store = {}

local function has(given, name)
  local kind = type(given)
  if kind ~= "table" and kind ~= "userdata" then
    return false
  end
  local ok, value = pcall(function() -- a userdata need not have an __index
    return given[name]
  end)
  return ok and type(value) == "function"
end

--- Raises for a value that cannot be a store.
function store.check(name, value)
  local is_path = type(value) == "string" and value ~= "" and not value:find "%z"
  if is_path or has(value, "get") and has(value, "set") then
    return value
  end
  return errors.misuse("%s: the path of a file, or something with get and set expected, got %s",
    name, value == "" and "an empty string" or type(value) == "string" and "one with a NUL byte" or show.type(value))
end

-- ---- reads and writes, which may take a while ----

-- The operation of a store that completes at once: its outcome, in place of an operation of the core.
local function done(ok, value)
  return { ok, value }
end

--- Whether a read or a write has ended. Never blocks.
function store.is_done(operation)
  return type(operation) == "table" or core.is_file_work_done(operation)
end

--- The outcome of a read or a write: true and the text that was read (nil: there is none yet), or nil and the fault.
-- Blocks while the operation is under way, some seconds at most.
---@return true? ok, string? text_or_fault
function store.result(operation)
  if type(operation) == "table" then
    return operation[1], operation[2]
  end
  return core.file_result(operation)
end

-- ---- the lock within this Lua state ----

local locks = setmetatable({}, { __mode = "k" })

local Local = {}

function Local:acquire()
  if self:is_held() then
    return "renewed"
  elseif self.locks[self.key] == nil then
    self.locks[self.key] = self
    return "taken"
  end
end

function Local:is_held()
  return self.locks[self.key] == self
end

function Local:release()
  if self:is_held() then
    self.locks[self.key] = nil
  end
end

-- ---- memory ----

local Memory = setmetatable({}, { __index = Local })
Memory.__index = Memory

function Memory:read()
  return done(true, self.text)
end

function Memory:write(text)
  self.text = text
  return done(true)
end

-- ---- a file ----

local File = {}
File.__index = File

-- Where the directory does not exist, no watch can lock the file. The lock then counts as held, and the state stays in
-- memory, until the directory is found.
function File:acquire()
  if self:is_held() then
    return "renewed"
  end
  self.path = core.absolute_path(self.path) -- the program may change its working directory
  local was_nowhere = self.is_nowhere
  local file, fault, why = core.lock_file(self.path)
  self.fault = fault and ("%s: %s"):format(self.path, fault)
  self.file, self.is_nowhere = file or nil, why == "nowhere"
  if file then
    return was_nowhere and "found" or "taken"
  elseif self.is_nowhere then
    return was_nowhere and "renewed" or "taken"
  end
  return nil, why ~= "busy" and self.fault or nil
end

function File:is_held()
  return self.file ~= nil and core.is_file_held(self.file)
end

function File:release()
  if self.file then
    core.release_file(self.file)
  end
  self.file, self.is_nowhere = nil, false
end

function File:read()
  if not self.file then
    return done(true)
  end
  local operation, fault = core.read_locked_file(self.file)
  return operation or done(nil, fault)
end

function File:write(text)
  if not self.file then
    return done(nil, self.fault)
  end
  local operation, fault = core.replace_locked_file(self.file, text)
  return operation or done(nil, fault)
end

--- Sets a text that cannot be read aside. Returns its place; nil and the fault.
function File:set_aside()
  local suffix, fault = core.set_file_aside(self.file)
  return suffix and self.path .. suffix, fault
end

-- ---- shared memory ----

local Shared = setmetatable({}, { __index = Local })
Shared.__index = Shared

function Shared:read()
  local text, fault = self.given:get(self.key)
  if text == nil and fault then
    return done(nil, fault)
  end
  return done(true, text ~= nil and tostring(text) or nil)
end

function Shared:write(text)
  local ok, fault = self.given:set(self.key, text)
  if ok == false or ok == nil and fault then
    return done(nil, fault)
  end
  return done(true)
end

-- A text that was set aside before is not overwritten.
function Shared:set_aside(text)
  local place, number = self.key .. ".bad", 1
  while self.given:get(place) ~= nil do
    number = number + 1
    place = ("%s.bad.%d"):format(self.key, number)
  end
  local ok, fault = self.given:set(place, text)
  return (ok ~= false and not (ok == nil and fault)) and place or nil, fault
end

-- ---- shared memory with a lease ----

local Leased = setmetatable({}, { __index = Shared })
Leased.__index = Leased

-- No two watches have the same id. It is made when it is needed, so that forked processes differ, too.
local function unique_id()
  local file = io.open("/dev/urandom", "rb")
  local bytes = file and file:read(12)
  if file then
    file:close()
  end
  return bytes and (bytes:gsub(".", function(char)
    return ("%02x"):format(char:byte())
  end)) or ("%s %.6f"):format(tostring({}), core.date())
end

-- nginx computes when a value expires from the time that it has cached.
local function update_clock()
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.update_time then
    ngx.update_time()
  end
end

-- A process that was frozen for longer than its lease has lost the lease, even where the store still has its id:
-- another may be about to acquire it. It acquires the lease again once that has expired in the store.
function Leased:acquire()
  update_clock()
  self.id = self.id or unique_id()
  local begun = core.now()
  local how
  if self:is_held() and self.given:get(self.lease_key) == self.id then
    how = self.given:set(self.lease_key, self.id, self.lease) and "renewed"
  end
  if not how then
    how = self.given:add(self.lease_key, self.id, self.lease) and "taken"
  end
  self.held_until = how and begun + self.lease or nil
  return how or nil
end

function Leased:is_held()
  return self.held_until ~= nil and core.now() < self.held_until
end

function Leased:release()
  if self:is_held() and self.given:get(self.lease_key) == self.id then
    self.given:delete(self.lease_key)
  end
  self.held_until = nil
end

-- ---- the choice ----

--- Opens a store. What it returns has these methods:
--
--   acquire()       acquires the lock or renews it, and returns "taken" (another watch may have written to the store
--                   meanwhile), "found" (the same, where the lock counted as held without a directory before),
--                   "renewed", or nil, with a fault unless it only is that another watch holds it
--   is_held()       whether it holds the lock, as far as it knows
--   release()       releases the lock
--   read(), write(text)   begin an operation, for store.is_done() and store.result()
--   set_aside(text) moves a text that cannot be read
--
---@param given? any as store.check() takes it; nil: memory of this watch alone
---@param name string what its keys in shared memory begin with
---@param lease number seconds
---@return table
function store.open(given, name, lease)
  if given == nil then
    return setmetatable({ locks = {}, key = 1 }, Memory)
  elseif type(given) == "string" then
    return setmetatable({ path = given, is_nowhere = false }, File)
  elseif has(given, "add") and has(given, "delete") then
    return setmetatable({ given = given, key = name, lease_key = name .. ".holder", lease = lease }, Leased)
  end
  locks[given] = locks[given] or {}
  return setmetatable({ given = given, locks = locks[given], key = name }, Shared)
end

return store
