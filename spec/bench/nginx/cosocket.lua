--- Requests over a cosocket of nginx's Lua, written by hand: connections are kept, head and body are read, nothing is
-- decoded.

---@param url string
---@param in_flight integer
---@return function send one request
return function(url, in_flight)
  local scheme, host, port, path = url:match "^(%a+)://([^:/]+):(%d+)(.*)$"
  local address = host == "localhost" and "127.0.0.1" or host
  local text = ("GET %s HTTP/1.1\r\nHost: %s:%s\r\nX-CEKURA-API-KEY: sim-key\r\n\r\n"):format(path, host, port)
  local session
  return function()
    local socket = ngx.socket.tcp()
    assert(socket:connect(address, tonumber(port), { pool_size = in_flight }))
    if scheme == "https" and socket:getreusedtimes() == 0 then
      session = assert(socket:sslhandshake(session, host, true))
    end
    assert(socket:send(text))
    local length, closes
    assert(socket:receive "*l":find " 200 ")
    repeat
      local line = assert(socket:receive "*l")
      length = length or line:match "^[Cc]ontent%-[Ll]ength: (%d+)"
      closes = closes or line:lower() == "connection: close"
    until line == ""
    assert(#socket:receive(tonumber(length)) > 0)
    assert(closes and socket:close() or socket:setkeepalive())
  end
end
