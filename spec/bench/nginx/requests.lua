--- Sends requests in an nginx worker: the work of spec/bench/sides/nginx.lua. Its answer is the microseconds of each.

local cekura = require "cekura"
local core = require "cekura.core"

-- Each way returns a function that sends one request.
local ways = {}

function ways.cosocket(asked)
  local scheme, host, port, path = asked.url:match "^(%a+)://([^:/]+):(%d+)(.*)$"
  local address = host == "localhost" and "127.0.0.1" or host
  local text = ("GET %s HTTP/1.1\r\nHost: %s:%s\r\nX-CEKURA-API-KEY: sim-key\r\n\r\n"):format(path, host, port)
  local session
  return function()
    local socket = ngx.socket.tcp()
    assert(socket:connect(address, tonumber(port), { pool_size = tonumber(asked.in_flight) }))
    if scheme == "https" and socket:getreusedtimes() == 0 then
      session = assert(socket:sslhandshake(session, host, true))
    end
    assert(socket:send(text))
    local head, length, closes = {}, nil, false
    assert(socket:receive "*l":find " 200 ")
    repeat
      local line = assert(socket:receive "*l")
      head[#head + 1] = line
      length = length or line:match "^[Cc]ontent%-[Ll]ength: (%d+)"
      closes = closes or line:lower() == "connection: close"
    until line == ""
    assert(#socket:receive(tonumber(length)) > 0)
    assert(closes and socket:close() or socket:setkeepalive())
  end
end

function ways.cekura(asked)
  local origin, path = asked.url:match "^(%a+://[^/]+)(.*)$"
  local client = cekura.assert(cekura.new {
    api_key = "sim-key", base_url = origin, config_file = false, max_in_flight = tonumber(asked.in_flight),
    ca_file = asked.ca_file ~= "" and asked.ca_file or nil,
  })
  return function()
    cekura.assert(client:request("GET", path))
  end
end

---@param asked table the query: way, url, requests, in_flight, ca_file
return function(asked)
  local requests, left = tonumber(asked.requests), tonumber(asked.requests)
  local send = ways[asked.way](asked)
  local began, processor = core.now(), os.clock()
  local callers = {}
  for index = 1, asked.in_flight do
    callers[index] = ngx.thread.spawn(function()
      while left > 0 do
        left = left - 1
        send()
      end
    end)
  end
  for _, caller in ipairs(callers) do
    assert(ngx.thread.wait(caller))
  end
  ngx.say(("%.2f %.2f"):format((core.now() - began) * 1e6 / requests, (os.clock() - processor) * 1e6 / requests))
end
