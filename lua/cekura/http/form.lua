--- Forms with files: a request whose body is multipart/form-data. A file is streamed from disk, unless it is small.

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local list = require "cekura.list"
local multipart = require "cekura.http.multipart"
local request = require "cekura.http.request"
local show = require "cekura.show"
local uri = require "cekura.http.uri"

local form = {}

---@class cekura.FormFile a file in a form: the path of one, or its bytes
---@field path? string of a regular file
---@field data? string
---@field name? string by which the service knows it; of a path, its last part
---@field content_type? string

--- Whether a form leaves the value out.
---@param value any
function form.is_absent(value)
  return value == nil or value == cjson.null -- a form has no null
end

-- ---- fields ----

--- A value as a field of a form. A list gives the field several times, which the service's framework reads as a list of
-- choices. Objects, and lists of them, go as JSON text.
---@param what string its name in an error
---@param value any
---@return string|string[]
function form.field(what, value)
  if type(value) ~= "table" then
    return uri.text(what, value)
  end
  local values = {}
  for index, item in ipairs(value) do
    if type(item) == "table" then
      return encode(value, what)
    end
    values[index] = uri.text(("%s[%d]"):format(what, index), item)
  end
  return list.is_list(value) and values or encode(value, what)
end

--- All values that a form can have, as its fields.
---@param what string
---@param values table<string, any>
---@return table<string, string|string[]>
function form.fields(what, values)
  local fields = {}
  for name, value in pairs(values) do
    if not form.is_absent(value) then
      fields[name] = form.field(what .. ": " .. name, value)
    end
  end
  return fields
end

-- ---- files ----

local FILE = { path = true, data = true, name = true, content_type = true }

--- Checks a file.
---@param what string its name in an error
---@param value cekura.FormFile
---@return cekura.FormFile
function form.check_file(what, value)
  check.options(what, value, FILE)
  if value.path == nil then
    check.text(what .. ".data", value.data)
  elseif value.data ~= nil then
    errors.misuse("%s: path and data exclude each other", what)
  end
  for _, name in ipairs { "path", "name", "content_type" } do
    if value[name] ~= nil then
      check.text(what .. "." .. name, value[name])
    end
  end
  return value
end

local function is_file(value)
  return type(value) == "table" and (value.path ~= nil or value.data ~= nil)
end

--- Divides values into the fields and the files of a form: a table with `path` or `data` is a file.
---@param what string
---@param values table<string, any>
---@return table<string, string|string[]> fields
---@return { name: string, file: cekura.FormFile }[] files
function form.read(what, values)
  local fields, files, names = {}, {}, {}
  for name in pairs(values) do
    names[#names + 1] = check.text(what .. ": the name of a field", name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = values[name]
    local given = is_file(value) and { value } or type(value) == "table" and is_file(value[1]) and value
    for index, file in ipairs(given or {}) do
      local place = given == value and ("%s.%s[%d]"):format(what, name, index) or what .. "." .. name
      files[#files + 1] = { name = name, file = form.check_file(place, check.table(place, file)) }
    end
    if not given then
      fields[name] = value
    end
  end
  return form.fields(what, fields), files
end

-- A file up to this size is read at once, so that a consistent state of the file is sent.
local SMALL = 1024 * 1024

-- The service's framework keeps the last part of a file's name. A file whose name has none is dropped in silence (tried
-- with Django REST framework 3.14).
local function file_name(name, fallback)
  local last = (name or ""):match "[^/\\]*$"
  return last:find "^%.?%.?$" and fallback or last
end

-- Opens a file: a part for multipart(), with `file`, `size` and `path` for a file on disk; or nil and the fault.
local function open(name, given)
  local part = { name = name, file_name = file_name(given.name or given.path, given.fallback or "file"),
    content_type = given.content_type or "application/octet-stream", data = given.data }
  if given.data then
    return part
  end
  part.path = given.path
  local fault
  part.file, fault = core.open_file(given.path)
  if part.file then
    part.size, fault = core.file_size(part.file)
  end
  if part.size and part.size <= SMALL then
    part.data, fault = core.read_file(part.file)
    part.size = part.data and #part.data
  end
  return part.size and part, fault
end

local function close(parts)
  for _, part in ipairs(parts) do
    if part.file then
      core.close_file(part.file)
    end
  end
end

-- The first file whose size is another than when it was opened. A file that is still being written would be taken for
-- a whole one.
local function changed(parts)
  for _, part in ipairs(parts) do
    if part.file and core.file_size(part.file) ~= part.size then
      return part
    end
  end
end

-- ---- sending ----

local function file_error(what, outgoing, part, fault, sent)
  return errors.new("config", show.format("%s: %s: %s", what, part.path, fault),
    { method = outgoing.method, path = outgoing.path, sent = sent, file = part.path })
end

local function open_all(what, outgoing, files)
  local parts = {}
  for index, given in ipairs(files) do
    local part, fault = open(given.name, given.file)
    if not part then
      close(parts)
      return nil, file_error(what, outgoing, given.file, fault, false)
    end
    parts[index] = part
  end
  return parts
end

--- Sends a form.
---@param client cekura.Client
---@param outgoing cekura.Request without headers and body
---@param what string its name in an error
---@param fields table<string, string|string[]> see form.field()
---@param files { name: string, file: cekura.FormFile }[] in their order; several may have the same name
---@return cekura.Response? response
---@return cekura.Error? err of kind "config": a file cannot be read, or its size changed while it was sent (then
---err.sent may be true)
function form.send(client, outgoing, what, fields, files)
  local parts, err = open_all(what, outgoing, files)
  if not parts then
    return nil, err
  end
  local content_type
  outgoing.body, content_type = multipart(fields, parts)
  outgoing.headers = outgoing.headers or {}
  table.insert(outgoing.headers, "Content-Type: " .. content_type)
  local owner = {} -- what an event handler raises must not leave the files open
  outgoing.owner = owner
  local reply
  reply, err = request.send(client, outgoing)
  local part = changed(parts)
  close(parts)
  if owner._raised then
    error(owner._raised[1], 0)
  end
  if part and not (err and err.kind == "cancelled") then
    local fault = file_error(what, outgoing, part, "its size has changed while it was sent", reply ~= nil or err.sent)
    fault.response, fault.cause = reply or err.response, err
    return nil, fault
  end
  return reply, err
end

return form
