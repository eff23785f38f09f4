--- The recording of a call that is sent: its bytes, or those of a file, go in a form.

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

local recording = {}

-- Parameters that take any JSON take it as text in a form.
local IS_JSON = { transcript_json = true, metadata = true, dynamic_variables = true }

local function is_json(text)
  return core.decode(text) ~= nil
end

-- A parameter as a field of the form. A list gives the field several times, which the service's framework reads as a
-- list of choices. Objects, and lists of them, go as JSON text.
local function form_field(name, value)
  local what = "send: " .. name
  local values = {}
  if IS_JSON[name] and type(value) ~= "table" then
    return type(value) == "string" and is_json(value) and value or encode({ value }, what):sub(2, -2)
  elseif type(value) ~= "table" then
    return uri.text(what, value)
  end
  for index, item in ipairs(value) do
    if type(item) == "table" then
      return encode(value, what)
    end
    values[index] = uri.text(("%s[%d]"):format(what, index), item)
  end
  return not IS_JSON[name] and list.is_list(value) and values or encode(value, what)
end

-- The service's framework keeps the last part of a file's name. A file whose name has none is dropped in silence (tried
-- with Django REST framework 3.14).
local function file_name(name)
  local last = (name or ""):match "[^/\\]*$"
  return last:find "^%.?%.?$" and "recording" or last
end

-- Sends the call with the bytes of its recording, { data = bytes, name =, content_type = }; nil: those that were given.
local function send_bytes(client, path, sent, timeout, bytes)
  local fields = {}
  bytes = bytes or sent.voice_recording
  for name, value in pairs(sent) do
    if name ~= "voice_recording" and value ~= cjson.null then -- a form has no null
      fields[name] = form_field(name, value)
    end
  end
  local body, content_type = multipart(fields, {
    name = "voice_recording",
    file_name = file_name(bytes.name),
    content_type = bytes.content_type or "application/octet-stream",
    data = bytes.data,
  })
  return request.send(client,
    { method = "POST", path = path, headers = { "Content-Type: " .. content_type }, body = body, timeout = timeout })
end

local function file_error(path, file_path, fault, sent)
  return errors.new("config", show.format("send: voice_recording: %s: %s", file_path, fault),
    { method = "POST", path = path, sent = sent })
end

-- Sends the call with a file. A file that is still being written would be evaluated as a call that ends in the middle.
local function send_file(client, path, sent, timeout)
  local file_path, data = sent.voice_recording, nil
  local file, fault = core.open_file(file_path)
  if file then
    data, fault = core.read_file(file)
  end
  if not data then
    return nil, file_error(path, file_path, fault, false)
  end
  local reply, err = send_bytes(client, path, sent, timeout, { data = data, name = file_path })
  local size = core.file_size(file)
  core.close_file(file)
  if size ~= #data then
    local changed = file_error(path, file_path, "its size has changed while it was sent", reply ~= nil or err.sent)
    changed.response, changed.cause = reply or err.response, err
    return nil, changed
  end
  return reply, err
end

local BYTES = { data = true, name = true, content_type = true }

--- How a call with this recording is sent.
---@param value any voice_recording, as calls:send takes it
---@return fun(client: cekura.Client, path: string, sent: table, timeout: number?)? send nil: as JSON, which can hold
---the URL of a recording only
function recording.sender(value)
  if value == nil or value == cjson.null then
    return nil
  elseif type(value) == "table" then
    check.options("send: voice_recording", value, BYTES)
    check.text("send: voice_recording.data", value.data)
    for _, name in ipairs { "name", "content_type" } do
      if value[name] ~= nil then
        check.text("send: voice_recording." .. name, value[name])
      end
    end
    return send_bytes
  end
  local is_url = check.text("send: voice_recording", value):find "^https?://"
  return not is_url and send_file or nil
end

return recording
