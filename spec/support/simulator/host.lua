--- Serves the simulated service by nginx: makes the request's table, and sends the reply as it asks.

local api = require "cekura.simulator.api"
local clock = require "cekura.simulator.clock"

clock.seconds = ngx.now

-- ---- the request ----

local function read_body()
  ngx.req.read_body()
  local path = ngx.req.get_body_file()
  if not path then
    return ngx.req.get_body_data()
  end
  local file = assert(io.open(path, "rb"))
  local body = file:read "*a"
  file:close()
  return body
end

local function read_request()
  return {
    method = ngx.req.get_method(), path = ngx.var.uri, uri = ngx.var.request_uri, scheme = ngx.var.scheme,
    query = ngx.req.get_uri_args(), headers = setmetatable(ngx.req.get_headers(), nil), body = read_body(),
    at = ngx.now(), connection = tonumber(ngx.var.connection), resumed = ngx.var.ssl_session_reused == "r",
  }
end

-- ---- the reply ----

local function hang_up()
  return ngx.exit(444)
end

local function send_raw(bytes)
  local socket = assert(ngx.req.socket(true))
  socket:send(bytes)
  return hang_up()
end

-- An answer of which only a part is sent.
local function cut(reply)
  local lines = { ("HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n"):format(reply.status, #reply.body) }
  for name, value in pairs(reply.headers) do
    lines[#lines + 1] = name .. ": " .. value .. "\r\n"
  end
  return table.concat(lines) .. "\r\n" .. reply.body:sub(1, reply.cut)
end

-- Returns false if the reply is forgotten.
local function wait_for_release(reply)
  while true do
    local waits, forgotten = api.waits(reply)
    if not waits then
      return not forgotten
    end
    ngx.sleep(0.005)
  end
end

local function send_body(reply)
  if not reply.slow then
    ngx.print(reply.body)
    return
  end
  for index = 1, #reply.body do
    ngx.print(reply.body:sub(index, index))
    ngx.flush(true)
    ngx.sleep(reply.slow)
  end
end

local function send(reply)
  if reply.delay then
    ngx.sleep(reply.delay)
  end
  if reply.drop or reply.hold and not wait_for_release(reply) then
    return hang_up()
  elseif reply.raw then
    return send_raw(reply.raw)
  elseif reply.cut then
    return send_raw(cut(reply))
  end
  ngx.status = reply.status
  for name, value in pairs(reply.headers) do
    ngx.header[name] = value
  end
  if reply.status == 204 then
    return ngx.exit(reply.status)
  end
  ngx.header["Content-Length"] = not reply.chunked and #reply.body or nil
  send_body(reply)
  return ngx.exit(ngx.OK)
end

return function()
  return send(api.answer(read_request()))
end
