--- The configuration file: settings, or an error of kind "config" without the key.

require "cekura"
local config_file = require "cekura.client.config_file"
local options = require "cekura.client.options"
local promise = require "spec.fuzz.promise"
local uri = require "cekura.http.uri"

-- Stands wherever the input says KEY, and nowhere else by chance.
local KEY = "sk-5eCr3t-8f14e45f"

local path = os.tmpname()

-- Whether a fault shows the key. It may name a table, but never shows a value.
local function shows_key(text, fault)
  return fault:find(KEY, 1, true) and not text:find("[%[.{=][^\n=]*" .. KEY:gsub("%-", "%%-"))
end

local function check_parse(text)
  local settings, fault, line = config_file.parse(text)
  if not settings then
    promise.holds(line >= 1 and not fault:find(KEY, 1, true), "a line, and a fault without the key: %s", fault)
    return
  end
  for _, setting in ipairs(settings) do
    promise.holds(type(setting.name) == "string" and type(setting.table) == "string", "a setting")
    promise.holds(setting.node.type ~= "table" and setting.node.value ~= nil, "a value")
  end
  return settings
end

local WANTED = { api_url = "string", default_project_id = "string number" }

local function check_read(text, settings)
  local read, fault = config_file.read(path, options.settings)
  local found = read and read.values
  if not found then
    promise.holds(fault:find(path, 1, true) and not shows_key(text, fault), "the path, not the key: %s", fault)
    return
  end
  promise.holds(settings, "what is malformed is not read")
  for name, kind in pairs(WANTED) do
    local value, given = found[name], false
    promise.holds(value == nil or kind:find(type(value), 1, true) and value ~= "", "%s has its type", name)
    for _, setting in ipairs(settings) do
      given = given or setting.name == name and setting.node.value == value
    end
    promise.holds(value == nil or given, "%s stands in the file", name)
  end
  local key = found.api_key -- a string only if it is too short, has a line break, or perhaps escapes
  promise.holds(type(key) ~= "string" or #key < 8 or key:find "[\r\n]" or text:find("\\", 1, true),
    "the key is a secret")
  promise.holds(type(read.signed_in) == "boolean", "signed in or not")
  if found.default_project_id ~= nil then
    promise.holds(uri.text("id", found.default_project_id):find "^[^%c]*", "an id")
  end
end

local function check_resolve(text)
  local resolved, err = options.resolve { config_file = path, loop = "own" }
  if not resolved then
    promise.failed(resolved, err, "config", text)
    promise.holds(not shows_key(text, tostring(err)), "an error without the key: %s", tostring(err))
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
