--- Sends requests in an nginx worker: the work of spec/bench/sides/nginx.lua. Its answer is the microseconds of each.

local cekura = require "cekura"
local core = require "cekura.core"
local cosocket = require "spec.bench.nginx.cosocket"

-- Each way returns a function that sends one request.
local ways = {}

function ways.cosocket(asked)
  return cosocket(asked.url, tonumber(asked.in_flight))
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
