--- A short test of what was built, without busted and without the network: the test of the rockspecs and of Debian's
-- packages.
--   LUA spec/smoke.lua
-- It tests the core that `luarocks make` has built in this checkout; without one, the module that this Lua finds.

local ROCK = "build/rock/rock/"
local built = io.open(ROCK .. "cekura/core.so")
if built then
  built:close()
  package.cpath = ROCK .. "?.so;" .. package.cpath
  package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
end
package.path = package.path .. ";./?.lua"

local cekura = require "cekura"

-- Runs a command with the modules that this program has.
local function run(command)
  local suffix = _VERSION:match "%d.*":gsub("%.", "_") -- Lua prefers LUA_PATH_5_4 to LUA_PATH
  local pipe = assert(io.popen(("env -u LUA_PATH_%s -u LUA_CPATH_%s LUA_PATH='%s' LUA_CPATH='%s' %s 2>&1"):format(
    suffix, suffix, package.path, package.cpath, command)))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function client(url)
  return cekura.assert(cekura.new { api_key = "sim-key", base_url = url, config_file = false })
end

local TESTS = {
  { "the version", function()
    assert(cekura._VERSION == require "cekura.version")
  end },
  { "what the API offers", function()
    assert(#cekura.operations() > 100 and #cekura.kinds() > 30)
  end },
  { "a call log from text", function()
    local call = cekura.call_log '{"id": 7, "status": "success", "agent_name": "Zoë"}'
    assert(call.id == 7 and call.agent_name == "Zoë")
  end },
  { "an unknown name", function()
    local ok, err = pcall(function() return client "http://127.0.0.1:1".cals end)
    assert(not ok and tostring(err):find("calls", 1, true), err)
  end },
  { "a port where nothing listens", function()
    local call, err = client "http://127.0.0.1:1".calls:get(7, { timeout = 5 })
    assert(call == nil and err.kind == "network", err)
  end },
  { "tasks", function()
    local order = {}
    cekura.run(function()
      local task = cekura.spawn(function()
        cekura.sleep(0.01)
        order[#order + 1] = "task"
      end)
      order[#order + 1] = "main"
      task:join()
    end)
    assert(table.concat(order, " ") == "main task")
  end },
}

-- Debian has no argparse for Lua 5.5.
if pcall(require, "argparse") then
  TESTS[#TESTS + 1] = { "the command", function()
    local output = run(("%s bin/cekura-lua version"):format(arg[-1]))
    assert(output:find(cekura._VERSION, 1, true), output)
  end }
end

TESTS[#TESTS + 1] = { "a prompt improvement, by the simulator of the API", function()
  local service = assert(require "cekura.testing".start())
  local ok, err = pcall(function()
    local job = cekura.assert(client(service.url).calls:improve_prompt { call_logs = { 1 }, prompt = "Be brief." })
    assert(cekura.assert(job:wait { interval = 0.02 }).improved_prompt:find "Be brief")
  end)
  service:stop()
  assert(ok, err)
end }

local failed = 0
for _, test in ipairs(TESTS) do
  local ok, err = pcall(test[2])
  failed = failed + (ok and 0 or 1)
  print(ok and "ok" or "not ok", test[1] .. (ok and "" or ": " .. tostring(err)))
end
print(("%d passed, %d failed"):format(#TESTS - failed, failed))
os.exit(failed == 0 and 0 or 1)
