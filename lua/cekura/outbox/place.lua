--- The directory of an outbox: the entries that wait, and those that were refused, which are a spool in it.

local core = require "cekura.core"
local entry = require "cekura.outbox.entry"
local errors = require "cekura.errors"
local show = require "cekura.show"

---@class cekura.outbox.Place
---@field path string absolute
---@field spool? userdata of the entries; nil: it is closed
---@field torn integer damaged entries that were met here
local Place = {}
Place.__index = Place

local place = {}

-- The size in bytes from which on a file is followed by another. A file is removed when all its entries are done.
local SEGMENT_SIZE = 4 * 1024 * 1024

local REFUSED = "/refused"

--- The error for what the disk refuses.
---@param fault string
---@return cekura.Error
function Place:fault(fault)
  return errors.new("config", show.format("outbox %s: %s", self.path, fault), { file = self.path })
end

--- Opens the directory, again if it is open. If that fails, it stays as it was.
---@return cekura.Error? err
function Place:open()
  local spool, fault = core.open_spool(self.path, SEGMENT_SIZE)
  if not spool then
    return self:fault(fault)
  end
  self:close()
  self.spool = spool
end

--- Closes the directory. May be called again.
function Place:close()
  for _, name in ipairs { "spool", "refused" } do
    if self[name] then
      core.close_spool(self[name])
      self[name] = nil
    end
  end
end

--- The spool of the refused entries.
---@return userdata? spool, string? fault
function Place:refused_spool()
  if not self.refused then
    local spool, fault = core.open_spool(self.path .. REFUSED, SEGMENT_SIZE, true)
    if not spool then
      return nil, fault
    end
    self.refused = spool
  end
  return self.refused
end

--- Stores a refused entry.
---@param text string
---@param sync boolean
---@return boolean? ok, string? fault
function Place:append_refused(text, sync)
  local spool, fault = self:refused_spool()
  if not spool then
    return nil, fault
  end
  return core.append_to_spool(spool, text, sync)
end

-- Whether any entry was ever refused. Looking must not make the directory: the disk may be full.
local function has_refused(self)
  local directory = io.open(self.path .. REFUSED .. "/.")
  if directory then
    directory:close()
  end
  return directory ~= nil
end

-- The result of `work(...)`, whose first argument is a spool that it closes, or nil and an error. The descriptors are
-- others than those of `self`, which may be closed or opened again while it waits.
local function with_spool(self, spool, fault, work, ...)
  local result, err
  if spool then
    result, fault, err = work(spool, ...)
    core.close_spool(spool)
  end
  if result == nil then
    return nil, err or self:fault(fault)
  end
  return result
end

local function count(spool, slices)
  return slices:read(core.count_spool, spool)
end

--- Counts the entries that wait.
---@param slices cekura.outbox.Slices
---@return { waiting: integer, bytes: integer, damaged: integer, oldest: number? }? counted, cekura.Error? err
function Place:count(slices)
  local spool, fault = core.copy_spool(self.spool)
  return with_spool(self, spool, fault, count, slices)
end

--- How many entries were refused.
---@param slices cekura.outbox.Slices
---@return integer? count, cekura.Error? err
function Place:count_refused(slices)
  if not has_refused(self) then
    return 0
  end
  local spool, fault = core.open_spool(self.path .. REFUSED, SEGMENT_SIZE, true)
  local counted, err = with_spool(self, spool, fault, count, slices)
  return counted and counted.waiting, err
end

-- Appends a refused entry to the others, and marks it.
local function move(refused, item, spool, sync)
  local ok, fault = core.append_to_spool(spool, entry.without_error(item.text), sync)
  if not ok then
    return nil, fault
  end
  return core.mark_in_spool(refused, item, "done")
end

-- Moves the refused entries of the lock's holder back, those that there are now: a sender may refuse some of them again
-- meanwhile. Returns how many, or nil and a fault or an error.
local function restore(refused, spool, sync, slices)
  local restored, item = 0
  local counted, fault, err = count(refused, slices)
  core.rewind_spool(refused)
  while counted and restored < counted.waiting do
    item, fault, err = slices:read(core.next_of_spool, refused)
    if item and not item.damaged then
      local ok
      ok, fault = move(refused, item, spool, sync)
      restored, err = restored + 1, ok and slices:turn()
    end
    if fault or err or not item then
      break
    end
  end
  if fault or err then
    return nil, fault, err
  end
  core.tidy_spool(refused, true)
  return restored
end

-- The same, with the lock.
local function restore_alone(refused, self, sync, slices)
  local lock, fault = core.lock_file(self.path .. REFUSED .. "/reader")
  local spool, restored, err
  if lock then
    spool, fault = core.copy_spool(self.spool)
  end
  if spool then
    restored, fault, err = restore(refused, spool, sync, slices)
    core.close_spool(spool)
  end
  if lock then
    core.release_file(lock)
  end
  return restored, fault, err
end

--- Puts the refused entries back, behind the others. Where that ends early, those that were put back stay so.
---@param sync boolean
---@param slices cekura.outbox.Slices
---@return integer? count, cekura.Error? err
function Place:restore_refused(sync, slices)
  if not has_refused(self) then
    return 0
  end
  local refused, fault = core.open_spool(self.path .. REFUSED, SEGMENT_SIZE, true)
  return with_spool(self, refused, fault, restore_alone, self, sync, slices)
end

--- Opens the directory of an outbox, and makes it where only its last name is missing.
---@param path string
---@return cekura.outbox.Place? place, cekura.Error? err of kind "config"
function place.open(path)
  local self = setmetatable({ path = core.absolute_path(path), torn = 0 }, Place)
  local err = self:open()
  if err then
    return nil, err
  end
  return self
end

return place
