-- A program with GLib's main loop, such as one of GTK's: an improvement runs in a task, and the main loop goes on.
--
--   lua5.3 examples/glib.lua AGENT_ID CALL_LOG_ID PROMPT
--
-- The key comes from CEKURA_API_KEY or ~/.cekura/config.toml. In a GTK program, `improve` is what a button calls:
-- `button.on_clicked = function() cekura.spawn(improve, entry.text) end`.

local cekura = require "cekura"
local GLib = require "lgi".GLib

local agent_id, call_log, prompt = arg[1], tonumber(arg[2]), arg[3]
if not (agent_id and call_log and prompt) then
  local help = agent_id == "--help"
  local stream = help and io.stdout or io.stderr
  stream:write "usage: glib.lua AGENT_ID CALL_LOG_ID PROMPT\n"
  os.exit(help and 0 or 2)
end

local main_loop = GLib.MainLoop()
local client = cekura.assert(cekura.new { loop = "glib" })
local failed = false

local function improve(text)
  local job, err = client.calls:improve_prompt { agent_id = agent_id, call_logs = { call_log }, prompt = text }
  local result
  if job then
    result, err = job:wait { on_progress = function() print(job.status) end }
  end
  failed = not result
  print(result and result.improved_prompt or err)
  main_loop:quit()
end

-- Stands for a user interface, which has to go on.
GLib.timeout_add(GLib.PRIORITY_DEFAULT, 100, function()
  print "tick"
  return true
end)
cekura.spawn(improve, prompt)
main_loop:run()
os.exit(failed and 1 or 0)
