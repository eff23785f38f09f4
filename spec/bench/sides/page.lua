--- Fetches a page of call logs by client.calls:list(): page.lua fields|all URL PAGES IN_FLIGHT, and reads three fields
-- of each call log, or decodes all of it.

local cekura = require "cekura"
local core = require "cekura.core"

local all, url, pages, in_flight = arg[1] == "all", arg[2], tonumber(arg[3]), tonumber(arg[4])

local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = url, config_file = false })
local left, began, processor = pages, core.now(), os.clock()

local function caller()
  while left > 0 do
    left = left - 1
    for _, call in ipairs(cekura.assert(client.calls:list()).results) do
      call = all and call:totable() or call
      assert(call.id and call.status and call.duration)
    end
  end
end

cekura.run(function()
  for _ = 1, in_flight do
    cekura.spawn(caller)
  end
end)
print(("%.2f %.2f"):format((core.now() - began) * 1e6 / pages, (os.clock() - processor) * 1e6 / pages))
client:close()
