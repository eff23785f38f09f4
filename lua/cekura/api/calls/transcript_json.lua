--- The parameter transcript_json of calls:send and calls:update.

local params = require "cekura.api.params"

--- Checks the transcript that is sent, where its format is known. Lists stay lists.
---@param what string "send" or "update"
---@param sent table the parameters
---@param default_type? string the format if they name none
local function transcript_json(what, sent, default_type)
  local turns = sent.transcript_json
  if type(turns) ~= "table" then
    return
  end
  local own = (sent.transcript_type or default_type) == "cekura" and next(turns) ~= nil
  if own or next(turns) == nil or #turns > 0 then
    sent.transcript_json = params.value(own and "transcript" or "list", what .. ": transcript_json", turns)
  end
end

return transcript_json
