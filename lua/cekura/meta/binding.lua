---@meta cekura.meta.binding
-- Made by `make generate`. For editors: no program requires it.

--- Counters since the client was made.
---@class cekura.Stats
---@field requests integer tries that were sent
---@field retries integer those of them that repeated a request
---@field in_flight integer requests that are in flight now
---@field max_in_flight integer the most requests in flight at once
---@field connections integer connections that were opened
---@field jobs integer jobs that were made
---@field bytes_in integer bytes that were received
---@field retry_quota integer the rest of the quota of repetitions
---@field longest_step number seconds: the longest time that a step blocked its caller

---@class cekura.Client
local Client = {}

--- The descriptor that a host watches.
---@return integer? fd nil: the client is closed
function Client:pollfd() end

--- What the descriptor is watched for.
---@return "r" events for reading
function Client:events() end

--- Counters since the client was made.
---@return cekura.Stats stats
function Client:stats() end

---@class cekura.Job
---@field polls integer how many polls have ended
---@field elapsed number seconds since the start, until the end

---@class cekura.CallLog
local CallLog = {}

--- A field, also one that has the name of a method.
---@param name string
---@return any value nil for null and for a field that the record has not
function CallLog:get(name) end

--- The text that came, byte for byte.
---@return string text
function CallLog:json() end

--- The whole record, decoded; nulls are cekura.null.
---@return table<string, any> record
function CallLog:totable() end
