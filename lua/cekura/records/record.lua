--- Records from the answers to requests. A record keeps its JSON text and decodes a field when it is read; what the
-- fields of a call log mean is in cekura.records.call_log.

local core = require "cekura.core"
local response = require "cekura.http.response"

local record = {}

--- The record that an answer is.
---@param reply cekura.Response
---@return cekura.CallLog? call, cekura.Error? err of kind "protocol"
function record.of_reply(reply)
  local call, fault = core.new_record(reply.body, reply._client)
  if call then
    return call
  end
  return nil, response.protocol_error(reply, ("the answer is not a JSON object (%s)"):format(fault))
end

--- The records that an answer is a list of.
---@param reply cekura.Response
---@return cekura.CallLog[]? calls, cekura.Error? err of kind "protocol"
function record.list_of_reply(reply)
  local calls, fault = core.new_records(reply.body, reply._client)
  if calls then
    return setmetatable(calls, core.array_mt)
  end
  return nil, response.protocol_error(reply, ("the answer is not a list of JSON objects (%s)"):format(fault))
end

return record
