-- Watches the calls of an agent: logs each evaluated call, and improves the agent's prompt from each failed one. It
-- writes the improved prompts beside the prompt for review, and does not change the agent.
--
--   prompts/2142.txt              the prompt of agent 2142, which must exist
--   prompts/2142-5181750.txt      the prompt that was improved from call 5181750
--   prompts/watch.json            the store, from which the next start goes on; watch.json.lock lets one process use it
--
-- As a script, it runs until it is interrupted:
--
--   lua5.4 examples/watch.lua [AGENT_ID [SECONDS]]
--
-- Hosts load it unchanged: Neovim with dofile(), HAProxy and Prosody with their own directive for a Lua file, nginx in
-- init_worker_by_lua_file. One nginx worker watches, and the others stand by. The API key comes from CEKURA_API_KEY or
-- ~/.cekura/config.toml.

local cekura = require "cekura"

local arg = rawget(_G, "arg")
local is_script = arg ~= nil and tostring(arg[0]):find "watch%.lua$" ~= nil
local agent_id = is_script and arg[1] or "2142"
local every = is_script and arg[2] or 60

if is_script then
  local usage = "usage: watch.lua [AGENT_ID [SECONDS]]\n"
  for _, word in ipairs(arg) do
    if word == "--help" or word == "-h" then
      io.write(usage)
      os.exit(0)
    end
  end
  every = tonumber(every) or 0
  if arg[3] or agent_id:find "^%-" or every <= 0 then
    io.stderr:write(usage)
    os.exit(2)
  end
end

local folder = "prompts/"

local function log(...)
  io.stderr:write(("%s %s\n"):format(os.date "%H:%M:%S", string.format(...)))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Writes to a temporary file first: a truncated text would look like a prompt.
local function write(path, text)
  local file = assert(io.open(path .. ".new", "wb"))
  assert(file:write(text))
  assert(file:close())
  assert(os.rename(path .. ".new", path))
end

local watch = cekura.watch {
  every = every,                               -- seconds between two scans
  limits = { jobs = 2, per_hour = 10 },        -- each improvement costs credits
  store = folder .. "watch.json",

  on_error = function(err, where)              -- errors of the service, the store, or a handler below
    log("%s: %s", where, err.message)
  end,

  agents = {
    {
      agent_id = agent_id,
      lookback = 6 * 3600,                     -- every call is recorded and evaluated within this time

      on_evaluated = function(call)
        local failed = {}
        for metric in call:metrics() do
          failed[#failed + 1] = metric.passed == false and metric.name or nil
        end
        log("call %s: %s%s", call.id, call.status, failed[1] and ", not passed: " .. table.concat(failed, ", ") or "")
      end,

      improve = function(call)
        return call.success == false
      end,

      prompt = function(id)                    -- read for each improvement, because the file may have changed
        return read(folder .. id .. ".txt")
      end,

      on_improved = function(result, call, entry)
        local path = ("%s%s-%s.txt"):format(folder, entry.agent_id, call.id)
        write(path, result.improved_prompt)
        log("call %s: wrote %s: %s", call.id, path, result.summary_of_changes or "no summary was given")
      end,

      on_nothing_to_do = function(result, call)
        log("call %s: nothing to do: %s", call.id, result.reason)
      end,

      on_failed = function(err, call)
        log("call %s: no improvement: %s", call.id, err.message)
      end,
    },
  },

  -- Single calls can be watched as well:
  -- calls = { { id = 5181749, on_evaluated = function(call) … end } },
}

if is_script then
  cekura.assert(watch:wait())
end
