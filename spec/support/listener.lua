-- A proxy that refuses every request and prints what it received.

local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", 0))
io.stdout:setvbuf "no"
print("port " .. select(2, server:getsockname()))
while true do
  local peer = server:accept()
  local lines = {}
  repeat
    local line = peer:receive "*l"
    lines[#lines + 1] = line
  until not line or line == ""
  local said = table.concat(lines, "\n")
  print(said)
  peer:send(("HTTP/1.1 407 No\r\nContent-Length: %d\r\nX-Said: %s\r\n\r\n%s"):format(#said, said:gsub("\n", " "), said))
  peer:close()
end
