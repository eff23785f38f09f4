--- The configuration file: settings, or an error of kind "config" without the key.

require "cekura"
local config_file = require "cekura.client.config_file"
local options = require "cekura.client.options"
local promise = require "spec.fuzz.promise"
local uri = require "cekura.http.uri"

-- Stands wherever the input says KEY, and nowhere else by chance.
local KEY = "sk-5eCr3t-8f14e45f"

local path = os.tmpname()

-- Whether a fault shows the key. It may show names of settings and of tables, never values.
local function tells_key(text, fault)
  if not fault:find(KEY, 1, true) then
    return false
  end
  for line in text:gmatch "[^\n]+" do
    local name = line:match "^%s*%[" and line or line:match "^[^=]*"
    if name:find(KEY, 1, true) then
      return false
    end
  end
  return true
end

local function check_parse(text)
  local settings, fault = config_file.parse(text)
  if not settings then
    promise.holds(fault:find "^line %d+: ", "the number of the line: %s", fault)
    promise.holds(not tells_key(text, fault), "a fault without the key: %s", fault)
    return
  end
  local seen = {}
  for _, setting in ipairs(settings) do
    local name = setting.table .. "\n" .. setting.key
    promise.holds(not seen[name] and type(setting.table) == "string" and setting.key ~= "", "a setting")
    promise.holds(setting.value ~= nil and not tostring(setting.value):find "%z", "a value without NUL")
    seen[name] = true
  end
  return settings
end

local WANTED = { api_url = "string", default_project_id = "string number" }

local function check_read(text, settings)
  local found, fault = config_file.read(path, false, options.settings)
  if not found then
    promise.holds(fault:find(path, 1, true) and not tells_key(text, fault), "the path, not the key: %s", fault)
    return
  end
  promise.holds(settings, "what is malformed is not read")
  for name, kind in pairs(WANTED) do
    local value, given = found[name], false
    promise.holds(value == nil or kind:find(type(value), 1, true) and value ~= "", "%s has its type", name)
    for _, setting in ipairs(settings) do
      given = given or setting.key == name and setting.value == value
    end
    promise.holds(value == nil or given, "%s stands in the file", name)
  end
  local key = found.api_key -- a text only where it is written in an unusual way, or too short
  promise.holds(type(key) ~= "string" or #key < 8 or text:find "[^\n\r\t !-%[%]-~]", "the key is a secret")
  promise.holds(type(found.signed_in) == "boolean", "signed in or not")
  if found.default_project_id ~= nil then
    promise.holds(uri.text("id", found.default_project_id):find "^[^%c]*", "an id")
  end
end

local function check_resolve(text)
  local resolved, err = options.resolve { config_file = path, loop = "own" }
  if not resolved then
    promise.failed(resolved, err, "config", text)
    promise.holds(not tells_key(text, tostring(err)), "an error without the key: %s", tostring(err))
    return
  end
  promise.holds(resolved.fields._base_url:find "^https?://[^/]", "a base URL")
  promise.holds(resolved.engine.secure or resolved.engine.loopback, "no plain http to another host")
end

return function(text)
  text = text:gsub("KEY", (KEY:gsub("%%", "%%%%")))
  local settings = check_parse(text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  check_read(text, settings)
  check_resolve(text)
  os.remove(path)
end
