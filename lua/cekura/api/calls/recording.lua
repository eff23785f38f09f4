--- The recording of a call that is sent: its bytes, or those of a file, go in a form.

local check = require "cekura.check"
local cjson = require "cekura.cjson"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local form = require "cekura.http.form"

local recording = {}

-- Parameters that take any JSON take it as text in a form.
local IS_JSON = { transcript_json = true, metadata = true, dynamic_variables = true }

local function is_json(text)
  return core.decode(text) ~= nil
end

local function form_field(name, value)
  local what = "send: " .. name
  if not IS_JSON[name] then
    return form.field(what, value)
  elseif type(value) == "table" then
    return encode(value, what)
  end
  return type(value) == "string" and is_json(value) and value or encode({ value }, what):sub(2, -2)
end

local BYTES = { data = true, name = true, content_type = true }

-- The recording as a file of a form; nil: JSON can hold it.
local function file_of(value)
  if type(value) == "table" then
    check.options("send: voice_recording", value, BYTES)
    return form.check_file("send: voice_recording", { data = check.text("send: voice_recording.data", value.data),
      name = value.name, content_type = value.content_type })
  end
  local is_url = check.text("send: voice_recording", value):find "^https?://"
  return not is_url and { path = value } or nil
end

--- How a call with a recording is sent. Raises what no form can hold.
---@param sent table the parameters of calls:send
---@return fun(client: cekura.Client, outgoing: cekura.Request): cekura.Response?, cekura.Error? send
---nil: as JSON, which can hold the URL of a recording only
function recording.sender(sent)
  local value = sent.voice_recording
  local file = not form.is_absent(value) and file_of(value) or nil
  if not file then
    return nil
  end
  file.fallback = "recording"
  local fields = {}
  for name, parameter in pairs(sent) do
    if name ~= "voice_recording" and parameter ~= cjson.null then
      fields[name] = form_field(name, parameter)
    end
  end
  return function(client, outgoing)
    return form.send(client, outgoing, "send: voice_recording", fields, { { name = "voice_recording", file = file } })
  end
end

return recording
