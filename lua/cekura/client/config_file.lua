--- The configuration file, ~/.cekura/config.toml. The official command owns it; the module reads only a few of its
-- settings.

local core = require "cekura.core"
local later = require "cekura.later"
local show = require "cekura.show"

local toml = later "cekura.client.toml"

local config_file = {}

-- ---- settings ----

---@class cekura.Setting
---@field name string
---@field table string the path of its table, with dots; "" at the top
---@field node cekura.TomlNode

-- Lists the settings of a table and of the tables in it. A setting is any value but a table and a list of tables.
local function add_settings(list, node, path)
  for key, child in pairs(node.value) do
    local name = tostring(key) -- of an element of an array: its index
    local holds_tables = child.type == "table" or child.type == "array" and child.value[1]
      and child.value[1].type == "table"
    if holds_tables then
      add_settings(list, child, (path == "" and "" or path .. ".") .. name)
    elseif node.type == "table" then
      list[#list + 1] = { name = name, table = path, node = child }
    end
  end
end

--- Parses the text of such a file.
---@param text string
---@return cekura.Setting[]? settings in their order
---@return string? fault without any of the text
---@return integer? line of the fault
function config_file.parse(text)
  local root, fault, line = toml.parse(text)
  if not root then
    return nil, fault, line
  end
  local settings = {}
  add_settings(settings, root, "")
  table.sort(settings, function(a, b)
    if a.node.line ~= b.node.line then
      return a.node.line < b.node.line
    elseif a.table ~= b.table then
      return a.table < b.table
    end
    return a.name < b.name
  end)
  return settings
end

-- The place of a setting, at the top or in a table, is not documented. The top takes precedence; different values in
-- two tables are ambiguous.
local function find(settings, name)
  local found
  for _, setting in ipairs(settings) do
    if setting.name == name and setting.table == "" then
      return setting
    elseif setting.name == name and found and found.node.value ~= setting.node.value then
      return nil, ("%s stands in [%s] and, in line %d, in [%s]"):format(name, show.excerpt(found.table, 60),
        setting.node.line, show.excerpt(setting.table, 60)), found.node.line
    elseif setting.name == name then
      found = found or setting
    end
  end
  return found
end

-- A browser sign-in stores tokens. Their names are not documented, so this looks for parts of names.
local function has_sign_in(settings)
  for _, setting in ipairs(settings) do
    if setting.name:find "token" or setting.name:find "oauth" or setting.table:find "oauth" then
      return true
    end
  end
  return false
end

-- The values of the wanted settings and their lines; or nil, the fault and its line.
local function choose(settings, types)
  local values, lines = {}, {}
  for name, wanted in pairs(types) do
    local setting, fault, line = find(settings, name)
    local node = setting and setting.node
    if fault then
      return nil, "is ambiguous: " .. fault, line
    elseif node and not wanted:find(node.type, 1, true) then
      return nil, ("has a wrong value: %s: %s expected, got %s"):format(name, wanted, node.type), node.line
    elseif node and node.value ~= "" then
      values[name], lines[name] = node.value, node.line
    end
  end
  return values, lines
end

-- ---- the file ----

local GROUP_READS, OTHERS_READ = 32, 4

local function has_bit(mode, bit)
  return math.floor(mode / bit) % 2 == 1
end

-- The event to report if users other than the owner can read the secrets in the file.
local function warning_of(path, mode, found)
  if (found.values.api_key or found.signed_in) and (has_bit(mode, GROUP_READS) or has_bit(mode, OTHERS_READ)) then
    return { name = "warning", warning = "config_file_readable_by_others", file = path,
      message = ("the configuration file %s, which holds a key, can be read by others (mode %03o): chmod 600 it")
        :format(path, mode) }
  end
end

-- A missing default file is ordinary. One that cannot be reached may hold the key and the URL, so it is never ignored
-- silently.
local ABSENT = { [2] = true }                -- ENOENT
local HIDDEN = { [13] = true, [20] = true }  -- EACCES, ENOTDIR: also where HOME is that of another user

--- The content of the file.
---@class cekura.ConfigFile
---@field values table<string, any> of the wanted settings; api_key is a secret: a userdata that Lua cannot read, except
---for a key of less than eight bytes or with escapes
---@field lines table<string, integer> the lines of these settings
---@field signed_in boolean whether there is a browser sign-in
---@field warning? table an event to report

-- Reads the file. On failure returns nil, the fault with the path, and the errno of a system call.
local function read(path, types)
  local text, secrets, mode = core.read_private(path, "api_key")
  if not text then
    return nil, show.format("the configuration file %s cannot be read: %s", path, secrets), mode
  end
  local settings, fault, line = config_file.parse(text)
  if not settings then
    return nil, show.format("the configuration file %s:%d is malformed: %s", path, line, fault)
  end
  local values, lines
  values, lines, line = choose(settings, types)
  if not values then
    return nil, show.format("the configuration file %s:%d %s", path, line, lines)
  end
  values.api_key = values.api_key and (secrets[values.api_key] or values.api_key)
  local found = { values = values, lines = lines, signed_in = has_sign_in(settings) }
  found.warning = warning_of(path, mode, found)
  return found
end

--- The settings where no file is read: none.
---@return cekura.ConfigFile
function config_file.none()
  return { values = {}, lines = {}, signed_in = false }
end

--- Reads a file that the program has named, or the default file, which may be absent. The default file is skipped, with
-- a warning, if access is denied and the key comes from elsewhere, or for any other fault if both the key and the URL
-- come from elsewhere.
---@param path string
---@param types table<string, string> the wanted settings, with the types of their values
---@param elsewhere? { key: boolean, url: boolean } for the default file: the values that come from elsewhere
---@return cekura.ConfigFile? found
---@return string? fault with the path
function config_file.read(path, types, elsewhere)
  local found, fault, code = read(path, types)
  if found or not elsewhere then
    return found, fault
  elseif ABSENT[code] then
    return config_file.none()
  end
  local is_hidden = HIDDEN[code] or false
  if not elsewhere.key or not elsewhere.url and not is_hidden then
    return nil, ("%s; without this file %s must be given"):format(fault,
      is_hidden and "the API key" or "both the API key and the base URL")
  end
  found = config_file.none()
  found.warning = { name = "warning", warning = "config_file_ignored", file = path, message = fault }
  return found
end

return config_file
