--- The speed of simulated services on this machine, which divides the pauses of their clients (src/engine/engine.h:
-- engine_set_speed). A service elsewhere has none.

local clients = require "cekura.loop.clients"
local core = require "cekura.core"

local speed = {}

-- By the origin of a base URL: "http://127.0.0.1:8080".
local of_origin = {}

-- The origin of a base URL as it stands in the table. A service listens on 127.0.0.1, to which localhost leads, too;
-- the other addresses of this machine may be another's.
local function place_of(url)
  return (url:match "^%a+://[^/]*":gsub("^http://localhost", "http://127.0.0.1"):gsub(":80$", ""))
end

--- The speed of a service on this machine: that which cekura.testing has set in this Lua state, or else that in the
-- environment, where `cekura-lua sim --speed N -- COMMAND` sets it.
---@param origin string
---@return number
function speed.of(origin)
  local given = of_origin[place_of(origin)] or tonumber(os.getenv "CEKURA_LOOPBACK_SPEED")
  return given and given > 0 and given < math.huge and given or 1
end

--- Sets the speed of a service, for the clients that there are, and those to come.
---@param origin string
---@param value? number nil: as if there had been none
function speed.set(origin, value)
  local place = place_of(origin)
  of_origin[place] = value
  for _, client in ipairs(clients.list()) do
    local url = core.fields(client)._base_url
    if place_of(url) == place then
      core.set_speed(client, speed.of(origin))
    end
  end
end

return speed
