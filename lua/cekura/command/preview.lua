--- A request as --dry-run shows it.

local cekura = require "cekura"
local core = require "cekura.core"
local text = require "cekura.command.text"

local preview = {}

-- The headers of a request as lines, without those that hold secrets.
local function shown_headers(outgoing)
  local lines = { "X-CEKURA-API-KEY: [not shown]" }
  for _, line in ipairs(outgoing.headers or {}) do
    lines[#lines + 1] = line
  end
  return lines
end

-- The body of a request as text. In a form, a placeholder stands for each file.
local function body_text(outgoing)
  if type(outgoing.body) ~= "table" then
    return outgoing.body
  end
  local parts = {}
  for index, part in ipairs(outgoing.body) do
    parts[index] = type(part) == "string" and part or "[the content of the file]"
  end
  return table.concat(parts)
end

--- A request as an object, without secrets.
---@param client cekura.Client
---@param outgoing cekura.Request
---@return table
function preview.object(client, outgoing)
  local body = body_text(outgoing)
  body = body and core.redact(client, body)
  return { method = outgoing.method, url = core.redact(client, core.fields(client)._base_url .. outgoing.path),
    headers = cekura.list(shown_headers(outgoing)), body = body and (core.decode(body) or body) or nil }
end

--- A request as lines for people.
---@param client cekura.Client
---@param outgoing cekura.Request
---@return string
function preview.text(client, outgoing)
  local shown, body = preview.object(client, outgoing), body_text(outgoing)
  local lines = { shown.method .. " " .. text.visible(shown.url) }
  for _, line in ipairs(shown.headers) do
    lines[#lines + 1] = text.visible(line)
  end
  if body then
    lines[#lines + 1] = "\n" .. text.visible_lines(core.redact(client, body))
  end
  return table.concat(lines, "\n")
end

return preview
