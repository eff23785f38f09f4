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
    local spool, fault = core.open_spool(self.path .. REFUSED, SEGMENT_SIZE)
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

--- How many entries were refused.
---@return integer? count, cekura.Error? err
function Place:count_refused()
  if not has_refused(self) then
    return 0
  end
  local spool, fault = self:refused_spool()
  local counted
  if spool then
    counted, fault = core.count_spool(spool)
  end
  if not counted then
    return nil, self:fault(fault)
  end
  return counted.waiting
end

-- Moves the refused entries of the lock's holder back. Returns how many, or nil and a fault.
local function restore(self, spool, sync)
  local count = 0
  core.rewind_spool(spool)
  while true do
    local item, fault = core.next_of_spool(spool)
    if item and not item.damaged then
      local ok
      ok, fault = core.append_to_spool(self.spool, entry.without_error(item.text), sync)
      if ok then
        ok, fault = core.mark_in_spool(spool, item, "done")
        count = count + 1
      end
      if not ok then
        return nil, fault
      end
    elseif not item then
      core.tidy_spool(spool, true)
      return not fault and count or nil, fault
    end
  end
end

--- Puts the refused entries back, behind the others.
---@param sync boolean
---@return integer? count, cekura.Error? err
function Place:restore_refused(sync)
  if not has_refused(self) then
    return 0
  end
  local spool, fault = self:refused_spool()
  local lock, count
  if spool then
    lock, fault = core.lock_file(self.path .. REFUSED .. "/reader")
  end
  if lock then
    count, fault = restore(self, spool, sync)
    core.release_file(lock)
  end
  if not count then
    return nil, self:fault(fault)
  end
  return count
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
