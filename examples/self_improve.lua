-- Improves an agent's prompt from one call, and keeps every version: FOLDER/v1.txt is the first prompt, and each run
-- that changes something writes the next version.
--
--   lua5.4 examples/self_improve.lua AGENT_ID CALL_ID [FOLDER]
--
-- CALL_ID is the provider's id of the call, which may have just ended: the program waits until it is evaluated. FOLDER
-- is "prompts" by default. The key comes from CEKURA_API_KEY or ~/.cekura/config.toml.

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

-- Writes to a temporary file first: a truncated version would be taken for a prompt.
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
  io.stderr:write(("%s/v1.txt does not exist: put the agent's prompt there\n"):format(folder))
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
