--- The pace that the workers of a fleet have in common: an endpoint that has answered 429 to one is held by all.

local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local kinds = require "cekura.api.kinds"

---@class cekura.fleet.Pace
---@field client cekura.Client
---@field serial integer of the last 429 that was shared, see core.holds()
---@field unknown table<string, true> kinds that this process does not know
---@field held_until number by core.now(): nothing is held later, as far as is known
local Pace = {}
Pace.__index = Pace

local pace = {}

--- Makes one for a worker.
---@param client cekura.Client
---@return cekura.fleet.Pace
function pace.new(client)
  return setmetatable({ client = client, serial = select(2, core.holds(client)), unknown = {}, held_until = 0 }, Pace)
end

local function note(self, seconds)
  self.held_until = math.max(self.held_until, core.now() + seconds)
end

--- Holds an endpoint that has answered 429 to another worker.
---@param name string see core.holds()
---@param seconds number
function Pace:hold(name, seconds)
  if core.hold(self.client, name, seconds) then
    note(self, seconds)
  end
end

--- The endpoints that have answered 429 to this worker since the last call.
---@return { endpoint: string, seconds: number }[]
function Pace:new_holds()
  local list, serial = core.holds(self.client, self.serial)
  self.serial = serial
  local added = {}
  for _, held in ipairs(list) do
    if held.seconds > 0 then
      added[#added + 1] = held
      note(self, held.seconds)
    end
  end
  return added
end

--- How long no job of a kind can be started.
---@param kind string one that is known
---@param is_direct? boolean
---@return number seconds
function Pace:held(kind, is_direct)
  local declaration = kinds[kind]
  local text = not is_direct and declaration.start or declaration.direct
  local seconds = text and core.held(self.client, text:match "^%u+", endpoint.common_path(text)) or 0
  note(self, seconds)
  return seconds
end

--- The kinds that this process does not know, with a space before and after each.
---@return string
function Pace:unknown_kinds()
  local text = " "
  for kind in pairs(self.unknown) do
    text = text .. kind .. " "
  end
  return text
end

--- The kinds whose endpoint is held, of which no task is to be started, and "KIND/direct" for direct jobs of a kind.
---@return string[] kinds, number seconds until that may be less; huge: it will not
function Pace:refused()
  local list, soonest = {}, math.huge
  for kind in pairs(core.now() < self.held_until and kinds or {}) do
    for _, suffix in ipairs { "", "/direct" } do
      local seconds = self:held(kind, suffix ~= "")
      if seconds > 0 then
        list[#list + 1] = kind .. suffix
        soonest = math.min(soonest, seconds)
      end
    end
  end
  return list, soonest
end

return pace
