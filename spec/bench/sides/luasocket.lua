--- Sends requests by LuaSocket's http.request(), which opens a connection for each, one at a time.

local http = require "socket.http"
local socket = require "socket"

local url, requests = arg[1], tonumber(arg[2])

local began, processor = socket.gettime(), os.clock()
for _ = 1, requests do
  local body = {}
  local _, status, head = http.request {
    url = url, headers = { ["X-CEKURA-API-KEY"] = "sim-key" }, sink = require("ltn12").sink.table(body),
  }
  assert(status == 200 and head["content-type"] and #table.concat(body) > 0)
end
print((socket.gettime() - began) * 1e6 / requests, (os.clock() - processor) * 1e6 / requests)
