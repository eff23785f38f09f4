--- Starts spec/support/tls_peer.py, which documents the arguments.

local process = require "spec.support.process"
local shell = require "spec.support.shell"

local tls_peer = {}

--- Starts a peer.
---@param arguments string
---@return table process with `port`
function tls_peer.start(arguments)
  local here = shell "pwd":match "[^\n]+"
  local self = process.start(("python3 %s/spec/support/tls_peer.py %s"):format(here, arguments), function(self)
    return self:output():find "port %d+\n"
  end)
  self.port = tonumber(self:output():match "port (%d+)")
  return self
end

return tls_peer
