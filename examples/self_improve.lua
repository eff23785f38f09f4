-- Improves an agent's prompt from one call, and keeps the versions: prompts/v1.txt is the prompt to begin with,
-- and each run writes the next version, if something has changed.
--
--   lua5.4 examples/self_improve.lua AGENT_ID CALL_ID [FOLDER]
--
-- CALL_ID is the provider's id of the call; it may have ended just now: its evaluation is waited for. The key comes
-- from CEKURA_API_KEY or ~/.cekura/config.toml.

local cekura = require "cekura"

local USAGE = "usage: self_improve.lua AGENT_ID CALL_ID [FOLDER]\n"

local function wrong_usage()
  io.stderr:write(USAGE)
  os.exit(2)
end

for _, word in ipairs(arg) do
  if word == "--help" or word == "-h" then
    io.write(USAGE)
    os.exit(0)
  end
end

local agent_id, call_id, folder = arg[1], arg[2], arg[3] or "prompts"
if not call_id or arg[4] or agent_id:find "^%-" then
  wrong_usage()
end

local function read(version)
  local file = io.open(("%s/v%d.txt"):format(folder, version), "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

-- The whole file or none: a version that was cut short would be taken for a prompt.
local function write(version, text)
  local path = ("%s/v%d.txt"):format(folder, version)
  local file = assert(io.open(path .. ".new", "wb"))
  assert(file:write(text))
  assert(file:close())
  assert(os.rename(path .. ".new", path))
  return path
end

local version, prompt = 0, nil
repeat
  version = version + 1
  local text = read(version)
  prompt = text or prompt
until not text
if not prompt then
  io.stderr:write(("there is no %s/v1.txt: put the agent's prompt there\n"):format(folder))
  os.exit(1)
end

local client = cekura.assert(cekura.new())
local improvement, err = client.calls:self_improve {
  agent_id = agent_id, call_id = call_id, prompt = prompt, on_progress = function(job)
    print(("%s: %s after %.1f s"):format(job.kind, tostring(job.status), job.elapsed))
  end,
}
if not improvement then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
elseif improvement.state == "nothing_to_do" then
  print("Nothing to do: " .. improvement.reason)
else
  local path = write(version, improvement.improved_prompt)
  print(("Wrote %s: %s"):format(path, improvement.summary_of_changes or "no summary was given"))
end
client:close()
