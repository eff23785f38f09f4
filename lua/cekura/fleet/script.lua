--- Scripts that run in the Redis server, where each is atomic.

---@class cekura.fleet.Script
---@field text string
---@field sha? string the SHA-1 of the text, as the server has computed it
local Script = {}
Script.__index = Script

local script = {}

--- Makes a script of its Lua text, which the server runs.
---@param text string
---@return cekura.fleet.Script
function script.new(text)
  return setmetatable({ text = text }, Script)
end

--- Runs it. It is sent as a whole only to a server that does not have it yet.
---@param redis cekura.Redis
---@param prefix string what the names of all keys begin with, its KEYS[1]
---@param ... string|number its ARGV
---@return any? reply, cekura.Error? err as redis:command() gives them
function Script:run(redis, prefix, ...)
  if not self.sha then
    local sha, err = redis:command("SCRIPT", "LOAD", self.text)
    if not sha then
      return nil, err
    end
    self.sha = sha
  end
  local reply, err = redis:command("EVALSHA", self.sha, 1, prefix, ...)
  if err and err.kind == "invalid" and err.message:find("NOSCRIPT", 1, true) then -- the server was restarted
    return redis:command("EVAL", self.text, 1, prefix, ...)
  end
  return reply, err
end

return script
