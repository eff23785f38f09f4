--- Sends requests by lua-http, whose http.request opens a connection for each; so here each caller keeps one open and
-- sends its requests as streams of it, as long as the server keeps it open.

local cjson = require "cjson"
local client = require "http.client"
local cqueues = require "cqueues"
local headers = require "http.headers"
local read_page = require "spec.bench.support.page"
local tls = require "http.tls"
local store = require "openssl.x509.store"

local url, requests, in_flight = arg[1], tonumber(arg[2]), tonumber(arg[3])
local scheme, host, port, path = url:match "^(%a+)://([^:/]+):(%d+)(.*)$"

local context
if os.getenv "CA_FILE" then
  context = tls.new_client_context()
  context:setStore(store.new():add(os.getenv "CA_FILE"))
end

local function connect()
  return assert(client.connect { host = host, port = tonumber(port), tls = scheme == "https", ctx = context })
end

local request = headers.new()
request:append(":method", "GET")
request:append(":authority", host .. ":" .. port)
request:append(":path", path)
request:append(":scheme", scheme)
request:append("x-cekura-api-key", "sim-key")

local left = requests

local function caller()
  local connection = connect()
  while left > 0 do
    left = left - 1
    local stream = assert(connection:new_stream())
    assert(stream:write_headers(request, true))
    local answer = assert(stream:get_headers())
    local body = assert(stream:get_body_as_string())
    assert(answer:get ":status" == "200" and #body > 0)
    read_page(body, cjson.decode)
    stream:shutdown()
    if answer:get "connection" == "close" then
      connection:close()
      connection = connect()
    end
  end
  connection:close()
end

local loop = cqueues.new()
for _ = 1, in_flight do
  loop:wrap(caller)
end
local began, processor = cqueues.monotime(), os.clock()
assert(loop:loop())
print((cqueues.monotime() - began) * 1e6 / requests, (os.clock() - processor) * 1e6 / requests)
