--- Where a watch keeps what it is to know after a restart: one text, and which watch holds it. The holder does the
-- work; the other watches with the same store stand by.
--
-- A file is locked as long as it is held (src/file/locked_file.h), whatever process, Lua state or spelling of its path
-- another watch comes from. Shared memory is anything with get(key) and set(key, value); where it also has
-- add(key, value, seconds) and delete(key), as ngx.shared.DICT does, it is held by a lease, which ends by itself when
-- its holder is gone. Other stores are held by one watch of this Lua state at a time.

local core = require "cekura.core"
local errors = require "cekura.errors"

local store = {}

local function has(given, name)
  local kind = type(given)
  return (kind == "table" or kind == "userdata") and type(given[name]) == "function"
end

--- Raises for what is no store.
function store.check(name, value)
  local is_path = type(value) == "string" and value ~= "" and not value:find "%z"
  if is_path or has(value, "get") and has(value, "set") then
    return value
  end
  return errors.misuse(("%s: the path of a file, or something with get and set expected, got %s"):format(name,
    value == "" and "an empty string" or type(value) == "string" and "one with a NUL byte" or type(value)))
end

-- ---- work that may take a while ----

-- What was done at once: the outcome, in place of a core's piece of work.
local function done(ok, value)
  return { ok, value }
end

--- Whether a read or a write has ended. Never blocks.
function store.is_done(work)
  return type(work) == "table" or core.is_file_work_done(work)
end

--- How it ended: true, with the text that was read (nil: nothing is kept yet), or nil and what went wrong. Blocks while
-- it is under way, some seconds at most.
---@return true? ok, string? text_or_fault
function store.result(work)
  if type(work) == "table" then
    return work[1], work[2]
  end
  return core.file_result(work)
end

-- ---- held by a watch of this Lua state ----

local holders = setmetatable({}, { __mode = "k" })

local Held = {}

function Held:hold()
  if self:is_held() then
    return "renewed"
  elseif self.table[self.key] == nil then
    self.table[self.key] = self
    return "taken"
  end
end

function Held:is_held()
  return self.table[self.key] == self
end

function Held:release()
  if self:is_held() then
    self.table[self.key] = nil
  end
end

-- ---- memory ----

local Memory = setmetatable({}, { __index = Held })
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

-- Where the directory does not exist, no watch can hold the file. This one begins without it, in memory, until the file
-- is found to have a place.
function File:hold()
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
  local work, fault = core.read_locked_file(self.file)
  return work or done(nil, fault)
end

function File:write(text)
  if not self.file then
    return done(nil, self.fault)
  end
  local work, fault = core.replace_locked_file(self.file, text)
  return work or done(nil, fault)
end

--- Keeps a text that cannot be read out of the way. Returns where; nil and what hinders it.
function File:set_aside()
  local suffix, fault = core.set_file_aside(self.file)
  return suffix and self.path .. suffix, fault
end

-- ---- shared memory ----

local Shared = setmetatable({}, { __index = Held })
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

-- Nothing that was kept before is overwritten.
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

-- No two watches have the same, also in processes that were forked from one: it is made when it is needed.
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

-- ---- all of them ----

-- nginx reckons when a value expires by the time at which it last looked at the clock.
local function look_at_clock()
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.update_time then
    ngx.update_time()
  end
end

-- A holder that was frozen for longer than its lease has lost it, also where it finds its own name yet: another may be
-- about to take it. It is taken anew then, once it has run out there.
function Leased:hold()
  look_at_clock()
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

--- Opens a store.
---@param given? any as store.check() takes it; nil: memory of this watch alone
---@param name string what its keys in shared memory begin with
---@param lease number seconds
---@return table store hold() takes it or asks whether it is held yet, and returns which: "taken" (another may have
---written to it meanwhile), "found" (the same, and it was held without a place before), "renewed", or nil, with the
---fault if it is not just another that holds it; is_held(); release(); read() and write(text) begin work for
---store.is_done() and store.result(); set_aside(text)
function store.open(given, name, lease)
  if given == nil then
    return setmetatable({ table = {}, key = 1 }, Memory)
  elseif type(given) == "string" then
    return setmetatable({ path = given, is_nowhere = false }, File)
  elseif has(given, "add") and has(given, "delete") then
    return setmetatable({ given = given, key = name, lease_key = name .. ".holder", lease = lease }, Leased)
  end
  holders[given] = holders[given] or {}
  return setmetatable({ given = given, table = holders[given], key = name }, Shared)
end

return store
