--- Measures the bytes of the answers to 20 polls of a `calls.evaluation`: selection.lua [BYTES], those of the
-- transcript, which a record has twice. Prints a line for a service that ignores the selection, and two for one that
-- heeds it.

local cekura = require "cekura"
local simulator = require "spec.support.simulator"

local POLLS = 20

local server = simulator.start()

-- Returns the bytes and the number of requests, and the bytes of the result.
local function measure(directive, fields)
  server:reset()
  local id = server:admin("POST", "call_logs/", { count = 1, from = os.time() - 60, to = os.time() - 60,
    agent_id = 2142, padding = tonumber(arg[1]) or 9500 }).ids[1]
  local client = server:client { headers = {
    ["X-Simulate"] = ("polls=%d; ql=%s"):format(POLLS - 1, directive) } }
  local job = cekura.assert(client:start("calls.evaluation", { call_logs = { id }, agent_id = 2142 }))
  local before = client:stats().bytes_in
  local result = cekura.assert(job:wait { interval = 0.01, timeout = 300, fields = fields })
  local bytes, polls = client:stats().bytes_in - before, job.polls
  client:close()
  return bytes, polls, #result:json()
end

for _, row in ipairs {
  { "without selection", "ignore" },
  { "with selection", "select" },
  { "with selection and fields = { \"success\" }", "select", { "success" } },
} do
  print(("%-42s %7d bytes in %d requests; the result has %d bytes"):format(row[1], measure(row[2], row[3])))
end
server:stop()
