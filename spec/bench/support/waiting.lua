--- Jobs that are waited for, in the programs that measure what a waiting job takes.

local cekura = require "cekura"

local waiting = {}

local PATH = "/observability/v1/call-logs/create_scenarios_progress/?progress_id="

--- A client of one of the folders of spec/bench/support/server.lua.
---@param url string
---@param options? table
---@return cekura.Client
function waiting.client(url, options)
  local all = { api_key = "sim-key", base_url = url, config_file = false }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return cekura.assert(cekura.new(all))
end

-- Park and Miller's generator, for the same ids on every Lua.
local seed = 1

--- An id that is never the same.
---@param length integer
---@return string
function waiting.random_id(length)
  local parts = {}
  for index = 1, math.ceil(length / 6) do
    seed = seed * 16807 % 2147483647
    parts[index] = ("%06x"):format(seed % 2 ^ 24)
  end
  return table.concat(parts):sub(1, length)
end

--- Makes jobs, whose polls have URLs of 130 bytes.
---@param client cekura.Client
---@param url string the client's
---@param count integer
---@return cekura.Job[]
function waiting.jobs(client, url, count)
  local jobs = {}
  for index = 1, count do
    jobs[index] = cekura.assert(client:job("calls.create_scenarios", waiting.random_id(130 - #url - #PATH)))
  end
  return jobs
end

--- Sleeps until the client has sent so many requests.
---@param client cekura.Client
---@param count integer
function waiting.sent(client, count)
  while client:stats().requests < count do
    cekura.sleep(0.02)
  end
end

return waiting
