---@meta cekura.meta.binding
-- Made by `make generate`. For editors: no program requires it.

---@class cekura.Client
local Client = {}

--- The descriptor that a host watches.
---@return integer? fd nil: the client is closed
function Client:pollfd() end

--- What the descriptor is watched for.
---@return "r" events for reading
function Client:events() end

---@class cekura.Job
---@field polls integer how many polls have ended
---@field elapsed number seconds since the start, until the end
