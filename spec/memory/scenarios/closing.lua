--- A client is closed while requests are in flight, jobs are polled and tasks are parked: first by the program, then by
-- the collector, and at last by lua_close.

local cekura = require "cekura"

local times = 0

return function(url)
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false, retries = 1, max_in_flight = 2 }
  if not client then
    return nil, err
  end
  local job
  job, err = client:start("calls.improve_prompt", { call_logs = { 1 }, agent_id = 2142, prompt = "endless" })
  if not job then
    return nil, err
  end
  local ends = { 0, 0 }
  for place = 1, 4 do
    cekura.spawn(function()
      local _, request_err = client:request(place % 2 == 0 and "GET" or "POST", "/never/", { body = "x" })
      ends[1] = ends[1] + (request_err.kind == "closed" and 1 or 0)
    end)
  end
  cekura.spawn(function()
    local _, wait_err = job:wait { interval = 0.002, timeout = 10 }
    ends[2] = ends[2] + (wait_err.kind == "closed" and 1 or 0)
  end)
  cekura.sleep(0.01)
  times = times + 1
  if times == 1 then
    client:close()
    cekura.sleep(0)
  end
  return true
end
