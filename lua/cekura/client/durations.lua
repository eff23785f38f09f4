--- The durations of jobs that a client has learned, as a string from which another client goes on.
-- The string is written as a token is (cekura.job.token), with the sketch of each kind under its name. It may come from
-- anywhere: one that is not whole, or of another version, is ignored.

local core = require "cekura.core"
local token = require "cekura.job.token"

local durations = {}

local PREFIX = "durations1."

-- What is written where nothing is known. A token has at least one member.
local NOTHING = token.write({}, PREFIX)

--- What the jobs of a client have taken, by kind.
---@param client cekura.Client
---@return string text
function durations.write(client)
  return token.write(core.durations(client), PREFIX)
end

--- Begins with such a text.
---@param client cekura.Client
---@param text string
---@return cekura.ClientEvent? warning the text is ignored
function durations.read(client, text)
  local members = text == NOTHING and {} or token.read(text, PREFIX)
  if not members or not core.learn(client, members) then
    return { name = "warning", warning = "durations_ignored",
      message = "the option durations is ignored: the string is not whole, or was written by another version" }
  end
end

return durations
