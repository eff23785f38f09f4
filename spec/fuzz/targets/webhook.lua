--- Bodies of webhooks: the result is an event or `nil, err`, and a job that waits for the record ends by it or goes on.

local cekura = require "cekura"
local core = require "cekura.core"
local promise = require "spec.fuzz.promise"

local KEY, SECRET = "sk-5eCr3t-8f14e45f", "whs-3f2b"
local client = cekura.assert(cekura.new { api_key = KEY, base_url = "http://127.0.0.1:1", config_file = false,
  loop = "own" })
local receive = client:webhook { secret = SECRET }

local STATES = { pending = true, running = true, needs_input = true, succeeded = true, nothing_to_do = true,
  failed = true, cancelled = true, gone = true }

local function check_event(event, body)
  promise.holds(type(event.type) == "string" and type(event.duplicate) == "boolean", "an event")
  local about = event.call_log
  promise.holds((about ~= nil) == (event.type:match "^[^.]*" == "call_log"), "a call log, of an event about one")
  if about then
    promise.holds(core.type(about) == "call_log" and body:find(about:json(), 1, true), "the record, as it came")
  else
    promise.same(event.data, core.decode(body).data, "data")
  end
end

return function(body)
  local jobs = { client:job("calls.evaluation", 95), client:job("results.run", 95), client:job("results.run", "a/b") }
  local event, err = receive({ ["x-cekura-secret"] = SECRET }, body)
  if event then
    check_event(event, body)
  else
    promise.failed(event, err, "protocol", body)
  end
  for _, job in ipairs(jobs) do
    promise.holds(STATES[job.state], "a state: %s", tostring(job.state))
    promise.holds(event or job.state == "pending", "no end by what is not an event")
  end
  for _, headers in ipairs { {}, { ["X-Cekura-Secret"] = body .. "x" } } do
    event, err = receive(headers, body)
    promise.failed(event, err, "auth", body)
  end
end
