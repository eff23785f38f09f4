--- A client of DNS, as far as specs in DNS servers need one.

local file = require "spec.support.file"
local socket = require "socket"

local dns = { REFUSED = 5 }

--- Whether a server listens on a UDP port of 127.0.0.1.
---@param port integer
function dns.listens(port)
  return file.read "/proc/net/udp":find(("0100007F:%04X "):format(port), 1, true) ~= nil
end

--- Asks the server on a port of 127.0.0.1 for the address of a name (RFC 1035, section 4).
---@param port integer
---@param name string "x.test"
---@return integer? code of the answer, 4.1.1; nil if none comes
function dns.query(port, name)
  local labels = name:gsub("([^.]+)%.?", function(label)
    return string.char(#label) .. label
  end)
  local peer = assert(socket.udp())
  peer:setpeername("127.0.0.1", port)
  peer:settimeout(60)
  peer:send("\18\52\1\0\0\1\0\0\0\0\0\0" .. labels .. "\0\0\1\0\1")
  local answer = peer:receive()
  peer:close()
  return answer and answer:byte(4) % 16
end

return dns
