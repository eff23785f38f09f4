-- Submits prompt improvements to a fleet, one for each call log, and waits for them. Workers on any hosts do them: see
-- worker.lua. The same call log is improved once in a week, however often this runs.
--
--   lua5.4 examples/fleet/submit.lua [--no-wait] AGENT_ID PROMPT_FILE CALL_LOG...
--
-- The fleet is in the Redis of REDIS_URL (redis://127.0.0.1). No API key is needed here.

local cekura = require "cekura"
local fleets = require "cekura.fleet"

local USAGE = "usage: submit.lua [--no-wait] AGENT_ID PROMPT_FILE CALL_LOG...\n"

local words, waits = {}, true
for _, word in ipairs(arg) do
  if word == "--help" or word == "-h" then
    io.write(USAGE)
    os.exit(0)
  elseif word == "--no-wait" then
    waits = false
  else
    words[#words + 1] = word
  end
end
local agent_id, prompt_file = words[1], words[2]
if not words[3] or agent_id:find "^%-" then
  io.stderr:write(USAGE)
  os.exit(2)
end
local file = assert(io.open(prompt_file, "rb"))
local prompt = file:read "*a"
file:close()

local fleet = cekura.assert(fleets.new { redis = os.getenv "REDIS_URL" or "redis://127.0.0.1", name = "prompts" })

-- The key makes a repeated submission return the task that is there already.
local function submit(call_log)
  return cekura.assert(fleet:submit("calls.improve_prompt",
    { agent_id = agent_id, call_logs = { call_log }, prompt = prompt },
    { key = ("agent %s, call log %s"):format(agent_id, call_log) }))
end

local failed = 0

local function wait(call_log, id)
  local result, err = fleet:result(id)
  failed = failed + (result and 0 or 1)
  print(("call log %s: %s"):format(call_log, result and (result.summary_of_changes or result.reason) or tostring(err)))
end

cekura.run(function()
  for index = 3, #words do
    local id = submit(words[index])
    print(("call log %s: task %s"):format(words[index], id))
    if waits then
      cekura.spawn(wait, words[index], id)
    end
  end
end)
os.exit(failed == 0 and 0 or 1)
