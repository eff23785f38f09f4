--- The options of testing.record() and testing.replay().

local check = require "cekura.check"
local errors = require "cekura.errors"
local new_client = require("cekura.client").new
local json = require "cekura.simulator.json"
local show = require "cekura.show"

errors.own(debug.getinfo(1, "S").source)

local recording = {}

---@class cekura.testing.RecordOptions
---@field api_key? string of the real service; as the next six, see cekura.new()
---@field base_url? string
---@field config_file? string|false
---@field allow_http? boolean
---@field ca_file? string
---@field proxy? string|false
---@field connect_timeout? number
---@field timeout? number seconds that the service may take for an answer; 1000 if nil
---@field port? integer a free one if nil or 0
---@field speed? number see the service's member
---@field keep_headers? string[] names of headers of replies that are kept beside those of HTTP that clients act by
---@field keep_binary? boolean keep bodies of replies that are not text. Nothing is taken out of them, so they are left
---out if nil
---@field redact? fun(text: string): string gets each text before it is kept, for what is secret in this service alone.
---It runs in another Lua state, so it uses nothing but its parameter and globals

---@class cekura.testing.ReplayOptions
---@field port? integer a free one if nil or 0
---@field speed? number see the service's member
---@field ignore? string[] names of parameters, and of members of bodies, that may differ from what was recorded
---@field redact? fun(text: string): string that of the recording

local OF_CLIENT = { "api_key", "base_url", "config_file", "allow_http", "ca_file", "proxy",
  "connect_timeout", "timeout" }

local RECORD = { port = true, speed = true, keep_headers = true, keep_binary = true, redact = true }
for _, name in ipairs(OF_CLIENT) do
  RECORD[name] = true
end

local REPLAY = { port = true, speed = true, ignore = true, redact = true }

local function texts(name, value)
  if value == nil then
    return nil
  end
  local list = json.list()
  for index = 1, check.list(name, value) do
    list[index] = check.text(show.format("%s[%d]", name, index), value[index])
  end
  return list
end

-- A function as a text that another Lua state can load.
local function dumped(name, value)
  if value == nil then
    return nil
  elseif type(value) ~= "function" then
    errors.misuse("%s: function expected, got %s", name, show.type(value))
  end
  local upvalue = debug.getupvalue(value, 1)
  if upvalue == "_ENV" then
    upvalue = debug.getupvalue(value, 2)
  end
  local ok, text = pcall(string.dump, value)
  if upvalue or not ok then
    errors.misuse("%s: a Lua function expected that uses no local variables from outside: %s", name,
      upvalue or tostring(text))
  end
  return text
end

--- The settings of cekura.testing.recorder; nil and an error if there can be no client of the service.
---@return table? settings, cekura.Error? err
function recording.record(file, options, check_port)
  check.text("file", file)
  options = check.options("options", options, RECORD)
  check_port(options.port)
  check.seconds("speed", options.speed)
  local client = { timeout = 1000 }
  for _, name in ipairs(OF_CLIENT) do
    if options[name] ~= nil then
      client[name] = options[name]
    end
  end
  local settings = {
    file = file, client = client, headers = texts("keep_headers", options.keep_headers),
    binary = check.flag("keep_binary", options.keep_binary), redact = dumped("redact", options.redact),
  }
  local made, err = new_client(client) -- checks the others
  if not made then
    return nil, err
  end
  made:close()
  return settings
end

--- The settings of cekura.testing.replayer.
---@return table
function recording.replay(file, options, check_port)
  options = check.options("options", options, REPLAY)
  check_port(options.port)
  check.seconds("speed", options.speed)
  return { file = check.text("file", file), ignore = texts("ignore", options.ignore),
    redact = dumped("redact", options.redact) }
end

return recording
