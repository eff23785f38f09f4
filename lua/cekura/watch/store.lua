--- The stores of watches. A store keeps one text, and has a lock that one watch holds at a time, while other watches
-- with the same store stand by. cekura.watch.state reads and writes the text.
--
-- A file is locked by flock (src/file/locked_file.h), across processes, Lua states and spellings of its path. Shared
-- memory is any object with get(key) and set(key, value); if it also has add(key, value, seconds) and delete(key), as
-- ngx.shared.DICT does, the lock is a lease, which expires unless it is renewed. The lock of other stores is known in
-- this Lua state only. An object with open_store(lease) opens a store of its own kind: that of a fleet is in
-- cekura.fleet.store.

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
  if is_path or has(value, "open_store") or has(value, "get") and has(value, "set") then
    return value
  end
  return errors.misuse("%s: the path of a file, the store of a fleet, or something with get and set expected, got %s",
    name, value == "" and "an empty string" or type(value) == "string" and "one with a NUL byte" or show.type(value))
end

-- ---- operations, which may take a while ----

---@class cekura.watch.Operation
---@field is_done fun(self): boolean whether it has ended; never blocks
---@field result fun(self): any, any its value, or nil and a fault: a text or an error. If it is under way, that of a
---file blocks, some seconds at most, and that of a server is nil and a fault

-- An operation that has ended when it begins.
local Done = {}
Done.__index = Done

function Done.is_done()
  return true
end

function Done:result()
  return self.value, self.more
end

local function done(value, more)
  return setmetatable({ value = value, more = more }, Done)
end

--- The operation of a store whose lock is lost.
store.lost = done

-- Work of the core on a file.
local FileWork = {}
FileWork.__index = FileWork

function FileWork:is_done()
  return core.is_file_work_done(self.work)
end

function FileWork:result()
  return core.file_result(self.work)
end

local function file_work(work, fault)
  return work and setmetatable({ work = work }, FileWork) or done(nil, fault)
end

-- ---- the lock within this Lua state ----

local locks = setmetatable({}, { __mode = "k" })

local Local = {}

function Local:acquire()
  if self:is_held() then
    return done "renewed"
  elseif self.locks[self.key] == nil then
    self.locks[self.key] = self
    return done "taken"
  end
  return done()
end

function Local:is_held()
  return self.locks[self.key] == self
end

function Local:release()
  if self:is_held() then
    self.locks[self.key] = nil
  end
  return done(true)
end

-- ---- memory ----

local Memory = setmetatable({}, { __index = Local })
Memory.__index = Memory

function Memory:read()
  return done(true, self.text)
end

function Memory:write(text)
  if not self:is_held() then
    return done()
  end
  self.text = text
  return done(true)
end

-- ---- a file ----

local File = {}
File.__index = File

local function is_locked(self)
  return self.file ~= nil and core.is_file_held(self.file)
end

-- Where the directory does not exist, no watch can lock the file. The lock then counts as held, and the state stays in
-- memory, until the directory is found.
function File:acquire()
  if is_locked(self) then
    return done "renewed"
  end
  self.path = core.absolute_path(self.path) -- the program may change its working directory
  local was_nowhere = self.is_nowhere
  local file, fault, why = core.lock_file(self.path)
  self.fault = fault and ("%s: %s"):format(self.path, fault)
  self.file, self.is_nowhere = file or nil, why == "nowhere"
  if file then
    return done(was_nowhere and "found" or "taken")
  elseif self.is_nowhere then
    return done(was_nowhere and "renewed" or "taken")
  end
  return done(nil, why ~= "busy" and self.fault or nil)
end

function File:is_held()
  return self.is_nowhere or is_locked(self)
end

function File:release()
  if self.file then
    core.release_file(self.file)
  end
  self.file, self.is_nowhere = nil, false
  return done(true)
end

function File:read()
  if not self.file then
    return done(true)
  end
  return file_work(core.read_locked_file(self.file))
end

function File:write(text)
  if self.is_nowhere then
    return done(nil, self.fault)
  elseif not is_locked(self) then
    return done()
  end
  return file_work(core.replace_locked_file(self.file, text))
end

function File:set_aside()
  local suffix, fault = core.set_file_aside(self.file)
  return done(suffix and self.path .. suffix, fault)
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
  if not self:is_held() then
    return done()
  end
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
  return done((ok ~= false and not (ok == nil and fault)) and place or nil, fault)
end

-- ---- shared memory with a lease ----

local Leased = setmetatable({}, { __index = Shared })
Leased.__index = Leased

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
  self.id = self.id or core.random_hex() -- made when it is needed, so that forked processes differ, too
  local begun = core.now()
  local how
  if self:is_held() and self.given:get(self.lease_key) == self.id then
    how = self.given:set(self.lease_key, self.id, self.lease) and "renewed"
  end
  if not how then
    how = self.given:add(self.lease_key, self.id, self.lease) and "taken"
  end
  self.held_until = how and begun + self.lease or nil
  return done(how or nil)
end

function Leased:is_held()
  return self.held_until ~= nil and core.now() < self.held_until
end

function Leased:write(text)
  if self.given:get(self.lease_key) ~= self.id then
    return done()
  end
  return Shared.write(self, text)
end

function Leased:release()
  if self:is_held() and self.given:get(self.lease_key) == self.id then
    self.given:delete(self.lease_key)
  end
  self.held_until = nil
  return done(true)
end

-- ---- the choice ----

--- Opens a store. What it returns has these methods, of which all but is_held() begin an operation:
--
--   acquire()       acquires the lock or renews it: "taken" (another watch may have written to the store meanwhile),
--                   "found" (the same, where the lock counted as held without a directory before), or "renewed"; nil,
--                   with a fault unless it only is that another watch holds it, if the lock is not held any more
--   is_held()       whether it holds the lock, as far as it knows
--   release()       releases the lock
--   read()          true and the text, or true and nothing: there is none yet
--   write(text)     true; nil without a fault: the lock is not held any more, and nothing was written
--   set_aside(text) moves a text that cannot be read: its new place
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
  elseif not has(given, "get") then
    return given:open_store(lease)
  elseif has(given, "add") and has(given, "delete") then
    return setmetatable({ given = given, key = name, lease_key = name .. ".holder", lease = lease }, Leased)
  end
  locks[given] = locks[given] or {}
  return setmetatable({ given = given, locks = locks[given], key = name }, Shared)
end

return store
