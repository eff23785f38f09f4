-- Searches the memory of a process whose client is closed for the key.

local file = require "spec.support.file"
local memory = require "spec.support.memory"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- Longer than vector registers: the last bytes of a copy may remain in registers, and on the stack where the system
-- saves those.
local KEY = "sk-very-secret"
for number = 1000, 1040 do
  KEY = KEY .. number
end
local PART = KEY:sub(6) -- what is left if the beginning was overwritten

-- Reads the key from a file without making it a string, runs the given code, closes, collects, and waits.
local PROGRAM = [[
local cekura = require "cekura"
local act = loadstring or load
do
  local client = cekura.assert(cekura.new { base_url = "URL", config_file = "key.toml", ca_file = CA, retries = 0 })
  assert(act("local client = ...; " .. [==[ACTION]==]))(client)
  client:close()
end
collectgarbage()
collectgarbage()
print "closed"
io.stdout:flush()
while true do
  os.execute "sleep 0.2"
end
]]

local REQUESTS = [[
  for _ = 1, 5 do
    assert(client:request("GET", "/observability/v1/call-logs/5181749/"))
  end
  client:request("POST", "/nowhere/", { headers = { ["X-Own"] = "1" }, body = "{}" })
  local job = assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
  assert(job:wait { interval = 0.02 })
]]

describe("the memory of a process that has closed its client", function()
  local server = simulator.during(setup, teardown, { tls = true })
  local here = shell "pwd":match "[^\n]+"
  local running

  before_each(function()
    server:reset()
    server:admin("POST", "key/", { key = KEY })
  end)

  after_each(function()
    running:stop "KILL"
  end)

  -- Where the key is found in a process that ran this code.
  local function left_by(action, url, key_line)
    local values = { URL = url, CA = url:find "^https" and ("%q"):format(server.ca_file) or "nil", ACTION = action }
    local command = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/%s/?.so;;' %s program.lua")
      :format(here, here, here, lua, lua)
    running = process.start(command, function(self)
      return self:output():find("closed", 1, true)
    end, function(dir)
      file.write(dir .. "/program.lua", (PROGRAM:gsub("%u+", values)))
      file.write(dir .. "/key.toml", key_line or ('# the key\n[auth]\n  api_key = "%s" # it\nother = 1\n'):format(KEY))
    end)
    assert.equal("closed\n", running:output())
    return memory.find(running.pid, PART)
  end

  it("is searched completely: a string that is kept is found", function()
    assert.is_true(#left_by(("kept = 'sk-' .. %q"):format(KEY:sub(4)), server.url) > 0)
  end)

  it("does not contain the key if nothing was sent", function()
    assert.same({}, left_by("", server.url))
    assert.same({}, left_by("kept = client", server.url)) -- closed, but not collected
    running:stop "KILL"
    assert.same({}, left_by("", server.url, ("# more\n"):rep(5000) .. 'api_key = "' .. KEY .. '"'))
    running:stop "KILL"
    assert.same({}, left_by("", server.url, "'api_key'='" .. KEY .. "'\r\n[other]\r\napi_key = \"" .. KEY .. "\""))
    running:stop "KILL"
    assert.same({}, left_by("", server.url, 'auth = { name = "x", api_key = "' .. KEY .. '" }\n'
      .. 'other.api_key = \"\"\"\n' .. KEY .. '\"\"\"'))
  end)

  for _, scheme in ipairs { "http", "https" } do
    it(("contains the key only in what libcurl has sent and freed: %s"):format(scheme), function()
      local left = left_by(REQUESTS, scheme == "http" and server.url or server.tls_url)
      for _, found in ipairs(left) do
        assert.equal("\r\n", found.after:sub(1, 2)) -- this module's copies end in NUL, the file's in a quote
      end
      assert.is_true(#left <= 2 * #server:requests(), #left .. " of them")
    end)
  end
end)
