--- Measures the wall time of client:request() in microseconds: request.lua URL REQUESTS IN_FLIGHT

local cekura = require "cekura"
local core = require "cekura.core"

local url, requests, in_flight = arg[1], tonumber(arg[2]), tonumber(arg[3])
local origin, path = url:match "^(%a+://[^/]+)(.*)$"

local client = cekura.assert(cekura.new {
  api_key = "sim-key", base_url = origin, config_file = false, max_in_flight = in_flight,
})
local left, began = requests, core.now()
cekura.run(function()
  for _ = 1, in_flight do
    cekura.spawn(function()
      while left > 0 do
        left = left - 1
        cekura.assert(client:request("GET", path))
      end
    end)
  end
end)
print(("%.2f"):format((core.now() - began) * 1e6 / requests))
