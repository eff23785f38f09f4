--- What the answer to an attempt means for an entry: a pure function of the error and of the attempts before.

local verdict = {}

local REFUSED = { invalid = true, not_found = true, gone = true }

local STOPS = { auth = "stop", config = "stop", closed = "end", cancelled = "end" }

-- The service cannot be reached or is busy, which has nothing to do with the entry.
local AWAY = { tls = true, rate_limited = true }

-- A recording that cannot be opened; one that changes while it is sent is still being written.
local function has_no_file(err)
  return err.file ~= nil and err.sent == false and err.cause == nil
end

--- The verdict:
--
--   "sent"     the service has it
--   "refused"  it never will
--   "failed"   it may have failed because of the entry, or because of the service
--   "away"     it has failed because of the service
--   "stop"     nothing can be sent
--   "end"      this side has ended the attempt
--
---@param err? cekura.Error
---@param is_doubtful boolean an earlier attempt may have arrived
---@return string
function verdict.of(err, is_doubtful)
  if not err then
    return "sent"
  elseif REFUSED[err.kind] then
    local was_there = is_doubtful and err.fields and err.fields.call_id
    return was_there and "sent" or "refused"
  elseif err.file then
    return has_no_file(err) and "refused" or "failed"
  elseif STOPS[err.kind] then
    return STOPS[err.kind]
  end
  local is_unsent = err.sent == false and (err.kind == "network" or err.kind == "timeout")
  return (is_unsent or AWAY[err.kind]) and "away" or "failed"
end

-- Errors of an attempt that was not processed, even if it has arrived.
local UNPROCESSED = { rate_limited = true, auth = true }

--- Whether an attempt with that error may have been processed. (503 with Retry-After, for one, was not.)
---@param err cekura.Error
---@return boolean
function verdict.is_doubtful(err)
  return err.sent ~= false and not UNPROCESSED[err.kind] and not (err.status == 503 and err.retry_after)
end

return verdict
