--- The official CLI's configuration file, ~/.cekura/config.toml.
-- The reader takes the part of TOML that the file uses: `key = value` lines, [tables], comments. It refuses the rest of
-- TOML by the number of the line.

local core = require "cekura.core"
local show = require "cekura.show"

local config_file = {}

local ESCAPES = { b = "\b", t = "\t", n = "\n", f = "\f", r = "\r", ['"'] = '"', ["\\"] = "\\" }

-- Replaces the escapes of a text in double quotes; nil and the fault.
local function unescape(text)
  local fault
  local value = text:gsub("\\(.)", function(char)
    if not ESCAPES[char] then
      fault = "an escape that is not understood"
    end
    return ESCAPES[char]
  end)
  if fault then
    return nil, fault
  end
  return value
end

-- A text that begins with its quote: the value and what follows it; or nil and the fault.
local function read_string(text)
  local quote = text:sub(1, 1)
  if text:sub(1, 3) == quote:rep(3) then
    return nil, "text over several lines is not understood"
  end
  local finish = 2
  while finish <= #text and text:sub(finish, finish) ~= quote do
    finish = finish + (quote == '"' and text:sub(finish, finish) == "\\" and 2 or 1)
  end
  if finish > #text then
    return nil, "text without its closing quote"
  end
  local inner, rest = text:sub(2, finish - 1), text:sub(finish + 1)
  if quote == "'" then
    return inner, rest
  end
  local value, fault = unescape(inner)
  return value, value and rest or fault
end

-- A value at the start of `text`, and what follows it; or nil and the fault.
local function read_value(text)
  if text:find "^[\"']" then
    return read_string(text)
  end
  local word, rest = text:match "^([A-Za-z0-9_%.%+%-:]+)(.*)$"
  if word == "true" or word == "false" then
    return word == "true", rest
  elseif word and word:match "^[%+%-]?%d[%d_]*$" then
    local digits = word:gsub("[_%+]", "")
    local number = tonumber(digits)
    local exact = number > -2 ^ 53 and number < 2 ^ 53 or math.type and math.type(number) == "integer"
    return exact and number or digits, rest -- an id that is too large for a number stays text
  elseif word and word:match "^[%+%-]?%d" then
    return word, rest -- a fraction or a date: no setting here is one
  end
  return nil, "a value that is not understood"
end

-- The key and the value of a line; or nil and the fault.
local function read_setting(line)
  local key, text = line:match "^([A-Za-z0-9_%-]+)%s*=%s*(.+)$"
  if not key then
    key, text = line:match "^[\"']([^\"']+)[\"']%s*=%s*(.+)$"
  end
  if not key then
    return nil, "neither a setting nor a [table]"
  end
  local value, rest = read_value(text)
  if value == nil then
    return nil, rest
  elseif not rest:match "^%s*$" and not rest:match "^%s*#" then
    return nil, "something after the value"
  end
  return key, value
end

--- Parses the text of such a file.
---@param text string
---@return { table: string, key: string, value: any }[]? settings in their order; those at the top have the table ""
---@return string? fault
function config_file.parse(text)
  local settings, seen, section, number = {}, {}, "", 0
  text = text:gsub("^\239\187\191", "")
  for written in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local line = written:gsub("^%s+", ""):gsub("%s+$", "")
    if line:find "%z" then
      return nil, ("line %d: a NUL byte"):format(number)
    end
    local header = line:match "^%[([A-Za-z0-9_%-%.\"' ]+)%]%s*$" or line:match "^%[([A-Za-z0-9_%-%.\"' ]+)%]%s*#"
    if header then
      section = header
    elseif line ~= "" and line:sub(1, 1) ~= "#" then
      local key, value = read_setting(line)
      if not key then
        return nil, ("line %d: %s"):format(number, value)
      end
      if seen[section .. "\n" .. key] then
        return nil, ("line %d: %s is set twice"):format(number, key)
      end
      seen[section .. "\n" .. key] = true
      settings[#settings + 1] = { table = section, key = key, value = value, line = number }
    end
  end
  return settings
end

-- Whether a setting stands at the top or in a table is not documented. The top counts first; two tables that differ are
-- ambiguous.
local function find(settings, key)
  local found
  for _, setting in ipairs(settings) do
    if setting.key == key then
      if setting.table == "" then
        return setting
      elseif found and found.value ~= setting.value then
        return nil, ("%s stands in [%s] and in [%s]"):format(key, found.table, setting.table)
      end
      found = found or setting
    end
  end
  return found
end

-- A browser sign-in leaves tokens. Their names are not documented, so this goes by what a name contains.
local function has_sign_in(settings)
  for _, setting in ipairs(settings) do
    if setting.key:find "token" or setting.key:find "oauth" or setting.table:find "oauth" then
      return true
    end
  end
  return false
end

local GROUP_READS, OTHERS_READ = 32, 4

local function has_bit(mode, bit)
  return math.floor(mode / bit) % 2 == 1
end

-- The event to report where others than the owner may read the secrets in the file.
local function warning_of(path, mode, found)
  if (found.api_key or found.signed_in) and (has_bit(mode, GROUP_READS) or has_bit(mode, OTHERS_READ)) then
    return { name = "warning", warning = "config_file_readable_by_others", file = path,
      message = ("the configuration file %s, which holds a key, can be read by others (mode %03o): chmod 600 it")
        :format(path, mode) }
  end
end

local ABSENT = { [2] = true, [20] = true } -- ENOENT, ENOTDIR

--- Reads the file.
---@param path string
---@param optional boolean whether the file may be absent
---@param types table<string, string> the settings that are wanted, with the types of their values
---@return table? found these settings, signed_in (whether there is a browser sign-in), lines (where they
---stand) and perhaps a warning; api_key is a secret: a userdata that Lua cannot read
---@return string? fault with the path
function config_file.read(path, optional, types)
  local text, secrets, mode = core.read_private(path, "api_key")
  if not text then
    if optional and ABSENT[mode] then
      return { signed_in = false }
    end
    return nil, show.format("the configuration file %s cannot be read: %s", path, secrets)
  end
  local settings, fault = config_file.parse(text)
  if not settings then
    return nil, show.format("the configuration file %s is malformed: %s", path, fault)
  end
  local found = { signed_in = has_sign_in(settings), lines = {} }
  for key, wanted in pairs(types) do
    local setting
    setting, fault = find(settings, key)
    local value = setting and setting.value
    local is = type(value) == "number" and "integer" or type(value)
    if fault then
      return nil, show.format("the configuration file %s is ambiguous: %s", path, fault)
    elseif value ~= nil and not wanted:find(is, 1, true) then
      return nil, show.format("the configuration file %s: %s: %s expected, got %s", path, key, wanted, is)
    end
    found[key] = value ~= "" and value or nil
    found.lines[key] = setting and setting.line
  end
  found.api_key = found.api_key and (secrets[found.api_key] or found.api_key)
  found.warning = warning_of(path, mode, found)
  return found
end

return config_file
