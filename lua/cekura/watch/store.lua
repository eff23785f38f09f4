--- Where a watch keeps what it is to know after a restart: one text, and who holds it. Whoever holds a store does the
-- work; others who have the same one stand by.
--
-- A file is written beside its place and renamed. Shared memory is anything with get(key) and set(key, value); one
-- that has add(key, value, seconds) and delete(key), too, as ngx.shared.DICT has, is held by a lease, which ends by
-- itself when its holder is gone. Other stores are held by one watch of this process at a time.

local core = require "cekura.core"
local errors = require "cekura.errors"

local store = {}

local function has(given, name)
  local kind = type(given)
  return (kind == "table" or kind == "userdata") and type(given[name]) == "function"
end

--- Raises for what is no store.
function store.check(name, value)
  if type(value) == "string" and value ~= "" or has(value, "get") and has(value, "set") then
    return value
  end
  return errors.misuse(("%s: the path of a file, or something with get and set expected, got %s"):format(name,
    value == "" and "an empty string" or type(value)))
end

-- ---- held by a watch of this process ----

local holders = { by_path = {}, by_store = setmetatable({}, { __mode = "k" }) }

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
  return self.text
end

function Memory:write(text)
  self.text = text
  return true
end

-- ---- a file ----

local File = setmetatable({}, { __index = Held })
File.__index = File

local NO_SUCH_FILE = 2

function File:read()
  local file, fault, code = io.open(self.path, "rb")
  if not file then
    if code == NO_SUCH_FILE then
      return nil
    end
    return nil, fault
  end
  local text
  text, fault = file:read "*a"
  file:close()
  return text, text == nil and fault or nil
end

function File:write(text)
  local new = self.path .. ".new"
  local file, fault = io.open(new, "wb")
  if not file then
    return nil, fault
  end
  local ok
  ok, fault = file:write(text)
  local closed, close_fault = file:close()
  if not ok or not closed then
    os.remove(new)
    return nil, fault or close_fault
  end
  return os.rename(new, self.path)
end

--- Keeps a text that cannot be read out of the way. Returns where.
function File:set_aside()
  local place = self.path .. ".bad"
  return os.rename(self.path, place) and place
end

-- ---- shared memory ----

local Shared = setmetatable({}, { __index = Held })
Shared.__index = Shared

function Shared:read()
  local text, fault = self.given:get(self.key)
  if text == nil then
    return nil, fault
  end
  return tostring(text)
end

function Shared:write(text)
  local ok, fault = self.given:set(self.key, text)
  if ok == false or ok == nil and fault then
    return nil, fault
  end
  return true
end

function Shared:set_aside(text)
  local place = self.key .. ".bad"
  local ok = self.given:set(place, text)
  return ok ~= false and place
end

-- ---- shared memory with a lease ----

local Leased = setmetatable({}, { __index = Shared })
Leased.__index = Leased

function Leased:hold()
  local begun = core.now()
  local how
  if self.given:get(self.lease_key) == self.id then
    how = self.given:set(self.lease_key, self.id, self.lease) and "renewed"
  else
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

-- No two watches have the same, also in processes that were forked from one.
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

--- Opens a store.
---@param given? any as store.check() takes it; nil: memory of this watch alone
---@param name string what its keys in shared memory begin with
---@param lease number seconds
---@return table store read(), write(text), set_aside(text), is_held(), release(), and hold(), which takes it or renews
---that, and tells which: "taken" (somebody else may have written to it meanwhile), "renewed", or nil: another holds it
function store.open(given, name, lease)
  if given == nil then
    return setmetatable({ table = {}, key = 1 }, Memory)
  elseif type(given) == "string" then
    return setmetatable({ path = given, table = holders.by_path, key = given }, File)
  elseif has(given, "add") and has(given, "delete") then
    return setmetatable({ given = given, key = name, lease_key = name .. ".holder", lease = lease,
      id = unique_id() }, Leased)
  end
  holders.by_store[given] = holders.by_store[given] or {}
  return setmetatable({ given = given, table = holders.by_store[given], key = name }, Shared)
end

return store
