-- Improves an agent's prompt from its call logs, and shows the progress.
--
--   lua5.4 examples/improve_prompt.lua AGENT_ID CALL_LOGS PROMPT_FILE [IMPROVED_FILE]
--
-- CALL_LOGS is a list of ids (101,102), "all", or a number of calls (first:12). The improved prompt is printed, and
-- written to IMPROVED_FILE. If the wait ends early, the program prints the token that takes the job up again. The key
-- comes from CEKURA_API_KEY or ~/.cekura/config.toml.

local cekura = require "cekura"

local USAGE = "usage: improve_prompt.lua AGENT_ID CALL_LOGS PROMPT_FILE [IMPROVED_FILE]\n"

local function wrong_usage(message)
  io.stderr:write(message and message .. "\n" or "", USAGE)
  os.exit(2)
end

for _, word in ipairs(arg) do
  if word == "--help" or word == "-h" then
    io.write(USAGE)
    os.exit(0)
  end
end

local function fail(message)
  io.stderr:write(tostring(message), "\n")
  os.exit(1)
end

local function read_call_logs(text)
  local first = text:match "^first:([1-9]%d*)$"
  if text == "all" then
    return text
  elseif first then
    return { first = tonumber(first) }
  end
  local ids = {}
  for id in (text .. ","):gmatch "([^,]*)," do
    if not id:find "^%d+$" then
      wrong_usage("CALL_LOGS: ids, \"all\" or \"first:12\", not " .. text)
    end
    ids[#ids + 1] = tonumber(id)
  end
  return ids
end

local function read_file(path)
  local file, fault = io.open(path, "rb")
  local text = file and file:read "*a" or fail(fault)
  file:close()
  return text
end

local function write_file(path, text)
  local file, fault = io.open(path, "wb")
  if not file then
    fail(fault)
  end
  file:write(text)
  file:close()
end

-- Whether standard output is a terminal; Lua itself has no such function.
local function on_terminal()
  local status = os.execute "test -t 1"
  return status == true or status == 0
end

-- Shows the job's progress. A terminal gets one line, which is redrawn as time passes; a file or a pipe gets a line for
-- each change.
local function show_progress(job)
  if not on_terminal() then
    return function()
      print(("%s after %.1f s"):format(job.status or "started", job.elapsed))
    end, function() end
  end
  local function draw()
    io.write(("\r\27[K%s  %.1f s"):format(job.status or "started", job.elapsed))
    io.flush()
  end
  local ticker = cekura.spawn(function()
    while true do
      draw()
      cekura.sleep(0.1)
    end
  end)
  return draw, function()
    ticker:cancel()
    draw()
    io.write "\n"
  end
end

local agent_id, prompt_file, improved_file = arg[1], arg[3], arg[4]
if not prompt_file or arg[5] or agent_id:find "^%-" then
  wrong_usage()
end
local call_logs = read_call_logs(arg[2])

cekura.run(function()
  local client, err = cekura.new()
  if not client then
    fail(err)
  end
  local job
  job, err = client.calls:improve_prompt {
    agent_id = tonumber(agent_id) or agent_id,
    call_logs = call_logs,
    prompt = read_file(prompt_file),
  }
  if not job then
    fail(err)
  end

  local on_progress, done = show_progress(job)
  local result
  result, err = job:wait { timeout = 150, on_progress = on_progress }
  done()
  if not result then
    io.stderr:write("To resume the job: client:resume(\"", job:token(), "\")\n")
    fail(err)
  elseif job.state == "nothing_to_do" then
    print("Nothing to improve: " .. result.reason)
    return
  end
  print("Improved prompt: " .. result.improved_prompt)
  print("Summary of changes: " .. tostring(result.summary_of_changes))
  if improved_file then
    write_file(improved_file, result.improved_prompt)
    print("Written to " .. improved_file)
  end
end)
