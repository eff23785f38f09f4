--- The parts of a multipart/form-data body.

local json = require "cekura.simulator.json"

local multipart = {}

-- Fields that hold nested values are sent as JSON text.
local NESTED = { transcript_json = true, metadata = true, dynamic_variables = true, logs = true }

-- Fields whose lists are sent as one part for each value.
local REPEATED = { redact_fields = true }

--- The parts of a body, in their order.
---@param content_type string
---@param raw string
---@return { name: string, filename: string?, content: string }[]? parts nil if this is not a multipart body
function multipart.parts(content_type, raw)
  local boundary = content_type:match 'boundary="?([^";]+)'
  if not boundary then
    return nil
  end
  local parts, delimiter = {}, "\r\n--" .. boundary
  raw = "\r\n" .. raw
  local _, place = raw:find(delimiter, 1, true)
  while place and raw:sub(place + 1, place + 2) ~= "--" do
    local start, finish = raw:find(delimiter, place, true)
    local head_end, body_start = raw:find("\r\n\r\n", place, true)
    if not start or not head_end then
      return nil
    end
    local head = raw:sub(place + 1, head_end)
    parts[#parts + 1] = { name = head:match '[; ]name="([^"]*)"', filename = head:match 'filename="([^"]*)"',
      content = raw:sub(body_start + 1, start - 1) }
    place = finish
  end
  return place and parts
end

--- Reads a body.
---@param content_type string
---@param raw string
---@return table? fields name to value; nil if this is not a multipart body
---@return table? files name to { filename, content }
function multipart.read(content_type, raw)
  local parts, fields, files = multipart.parts(content_type, raw), {}, {}
  for _, part in ipairs(parts or {}) do
    local name, content = part.name, part.content
    if part.filename then
      files[name] = { filename = part.filename, content = content }
    elseif REPEATED[name] then
      fields[name] = fields[name] or json.list()
      table.insert(fields[name], content)
    elseif name then
      fields[name] = NESTED[name] and json.decode(content) or content
    end
  end
  return parts and fields, files
end

return multipart
