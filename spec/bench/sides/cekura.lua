--- Sends requests by client:request(): cekura.lua URL REQUESTS IN_FLIGHT; see spec/bench/support/sides.lua.

local cekura = require "cekura"
local core = require "cekura.core"

local url, requests, in_flight = arg[1], tonumber(arg[2]), tonumber(arg[3])
local origin, path = url:match "^(%a+://[^/]+)(.*)$"

local client = cekura.assert(cekura.new {
  api_key = "sim-key", base_url = origin, config_file = false, max_in_flight = in_flight, ca_file = os.getenv "CA_FILE",
})
local left, began, processor = requests, core.now(), os.clock()

local function caller()
  while left > 0 do
    left = left - 1
    cekura.assert(client:request("GET", path))
  end
end

cekura.run(function()
  for _ = 1, in_flight do
    cekura.spawn(caller)
  end
end)
print(("%.2f %.2f"):format((core.now() - began) * 1e6 / requests, (os.clock() - processor) * 1e6 / requests))
client:close()
