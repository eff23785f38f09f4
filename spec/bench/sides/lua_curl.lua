--- Sends requests by Debian's lua-curl 0.3.0, which has no multi interface: one at a time.

local cjson = require "cjson"
local curl = require "curl"
local read_page = require "spec.bench.support.page"
local socket = require "socket"

local url, requests = arg[1], tonumber(arg[2])

local easy = curl.easy_init()
local head, body = {}, {}
easy:setopt(curl.OPT_URL, url)
easy:setopt(curl.OPT_HTTPHEADER, { "X-CEKURA-API-KEY: sim-key" })
easy:setopt(curl.OPT_NOSIGNAL, 1)
easy:setopt(curl.OPT_HEADERFUNCTION, function(line)
  head[#head + 1] = line
  return #line
end)
easy:setopt(curl.OPT_WRITEFUNCTION, function(bytes)
  body[#body + 1] = bytes
  return #bytes
end)
if os.getenv "CA_FILE" then
  easy:setopt(curl.OPT_CAINFO, os.getenv "CA_FILE")
end

local began, processor = socket.gettime(), os.clock()
for _ = 1, requests do
  head, body = {}, {}
  assert(easy:perform())
  local text = table.concat(body)
  assert(head[1]:find " 200 " and #text > 0)
  read_page(text, cjson.decode)
end
print((socket.gettime() - began) * 1e6 / requests, (os.clock() - processor) * 1e6 / requests)
