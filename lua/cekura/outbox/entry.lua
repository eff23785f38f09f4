--- Entries of an outbox as text: a call as the JSON that is sent, and one that was refused with its error.

local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local send = require "cekura.api.calls.send"

local entry = {}

-- ---- the bytes of a recording, which need not be text ----

local CHARACTERS, BYTES = {}, {}
for byte = 128, 255 do
  local character = string.char(192 + math.floor(byte / 64), 128 + byte % 64) -- U+0080 to U+00FF
  CHARACTERS[string.char(byte)], BYTES[character] = character, string.char(byte)
end

-- A copy of a recording whose bytes were changed by such a table.
local function converted(recording, pattern, by)
  local copy = {}
  for name, value in pairs(recording) do
    copy[name] = value
  end
  copy.data = recording.data:gsub(pattern, by)
  return copy
end

-- ---- calls ----

--- The text of a call. Raises what calls:send() raises for it. A recording stays where it is, and is named by its
--- absolute path.
---@param call cekura.Calls.SendParams
---@return string
function entry.text(call)
  local sent = send.prepare("put", call)
  local recording = sent.voice_recording
  if type(recording) == "string" and not recording:find "^https?://" then
    sent.voice_recording = core.absolute_path(recording)
  elseif type(recording) == "table" then
    sent.voice_recording = converted(recording, "[\128-\255]", CHARACTERS)
  end
  return encode(sent, "put")
end

--- The call of a text.
---@param text string
---@return table? call nil: it is not one
function entry.call(text)
  local call = core.decode(text, true)
  if type(call) ~= "table" then
    return nil
  end
  local recording = call.voice_recording
  if type(recording) == "table" and type(recording.data) == "string" then
    call.voice_recording = converted(recording, "[\194\195][\128-\191]", BYTES)
  end
  return call
end

--- Sends the call of a text.
---@param client cekura.Client
---@param text string
---@return cekura.CallLog? record, cekura.Error? err
function entry.send(client, text)
  local call = entry.call(text)
  if not call then
    return nil, errors.new("invalid", "outbox: the entry is not a call", { sent = false })
  end
  return send.transmit(client, call, nil, text)
end

-- ---- refused calls ----

-- The members of an error that are kept with a call.
local KEPT = { "kind", "message", "status", "fields", "method", "path", "file" }

--- The text of a call that was refused: the error as JSON, a tab, and the call's text. JSON has no such character
--- outside of its texts.
---@param text string
---@param put_at number
---@param err cekura.Error
---@return string
function entry.refused_text(text, put_at, err)
  local kept = { put_at = put_at }
  for _, name in ipairs(KEPT) do
    kept[name] = err[name]
  end
  return encode(kept, "error") .. "\t" .. text
end

--- The text of the call in the text of a refused one.
---@param text string
---@return string
function entry.without_error(text)
  return text:match "^[^\t]*\t(.*)$" or text
end

return entry
