local cekura = require "cekura"
local report = require "spec.bench.support.report"
local simulator = require "spec.support.simulator"

local case = {
  title = "Selections",
  about = [[
The bytes of the answers to 20 polls of one `calls.evaluation`, whose call log has 30 KB. A service may ignore the
selection of fields, or heed it. They do not depend on the machine.]],
  ratio = "of ignored",
}

local POLLS = 20

-- Returns the bytes and the number of requests.
local function measure(server, directive, fields)
  server:reset()
  local id = server:admin("POST", "call_logs/", { count = 1, from = os.time() - 60, to = os.time() - 60,
    agent_id = 2142, padding = 9500 }).ids[1]
  local client = server:client { headers = {
    ["X-Simulate"] = ("polls=%d; ql=%s"):format(POLLS - 1, directive) } }
  local job = cekura.assert(client:start("calls.evaluation", { call_logs = { id }, agent_id = 2142 }))
  local before = client:stats().bytes_in
  cekura.assert(job:wait { interval = 0.01, timeout = 300, fields = fields })
  local bytes = client:stats().bytes_in - before
  client:close()
  return bytes, job.polls
end

function case.run()
  local server, ignored = simulator.start { nginx = true }, nil
  for _, row in ipairs {
    { "the service ignores the selection", "ignore" },
    { "the service heeds it", "select" },
    { "the service heeds it, fields = { \"success\" }", "select", { "success" } },
  } do
    local bytes, polls = measure(server, row[2], row[3])
    ignored = ignored or bytes
    report.add { what = row[1], side = "cekura, " .. _VERSION, value = bytes, unit = "bytes", ratio = bytes / ignored,
      remark = polls .. " requests" }
  end
  server:stop()
end

return case
