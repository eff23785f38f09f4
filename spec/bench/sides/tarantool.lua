--- Sends requests by Tarantool's http.client: in fibers, with connections that are kept.

local clock = require "clock"
local fiber = require "fiber"
local http = require "http.client"
local json = require "json"
local read_page = require "spec.bench.support.page"

local url, requests, in_flight = arg[1], tonumber(arg[2]), tonumber(arg[3])

local client = http.new { max_connections = in_flight }
local options = {
  headers = { ["X-CEKURA-API-KEY"] = "sim-key" }, keepalive_idle = 60, keepalive_interval = 30,
  ca_file = os.getenv "CA_FILE",
}
local left = requests

local function caller()
  while left > 0 do
    left = left - 1
    local answer = client:get(url, options)
    assert(answer.status == 200 and answer.headers["content-type"] and #answer.body > 0)
    read_page(answer.body, json.decode)
  end
end

local began, processor = clock.monotonic(), clock.proc()
local fibers = {}
for index = 1, in_flight do
  fibers[index] = fiber.new(caller)
  fibers[index]:set_joinable(true)
end
for _, each in ipairs(fibers) do
  assert(each:join())
end
print((clock.monotonic() - began) * 1e6 / requests, (clock.proc() - processor) * 1e6 / requests)
os.exit(0)
