--- What a recording keeps of a request and of its reply, from the bytes that were sent.

local ascii = require "cekura.http.ascii"
local json_text = require "cekura.testing.json_text"
local multipart = require "cekura.simulator.multipart"
local names = require "cekura.testing.redact.names"
local redact = require "cekura.testing.redact"
local secrets = require "cekura.testing.redact.secrets"
local tape = require "cekura.testing.tape"
local urls = require "cekura.testing.redact.urls"

local capture = {}

-- ---- bodies ----

-- A form by URL encoding as parts.
local function encoded_parts(text)
  local parts = {}
  for index, pair in ipairs(urls.pairs(text)) do
    parts[index] = { name = pair.name, content = pair.value or "" }
  end
  return parts
end

local function form(redactor, parts)
  local list = {}
  for index, part in ipairs(parts) do
    local is_text = redact.is_text(part.content)
    list[index] = {
      name = redactor:text(part.name or ""), file = part.filename and redactor:text(part.filename),
      text = is_text and redactor:value(part.name or "", part.content) or nil,
      bytes = not is_text and #part.content or nil,
    }
  end
  return list
end

local function body_of(redactor, content_type, bytes, keeps_binary)
  local kind = ascii.lower(content_type or ""):match "^[^; ]*"
  if bytes == nil or bytes == "" then
    return {}
  end
  local parts = kind == "multipart/form-data" and multipart.parts(content_type, bytes)
    or kind == "application/x-www-form-urlencoded" and encoded_parts(bytes)
  if parts then
    return { form = form(redactor, parts) }
  elseif not redact.is_text(bytes) then
    return keeps_binary and { base64 = secrets.base64(bytes) } or { bytes = #bytes }
  end
  local tree = json_text.read(bytes)
  return tree and { json = redactor:tree(tree) } or { text = redactor:text(bytes) }
end

-- ---- exchanges ----

--- In place of a redactor: keeps everything.
capture.ALL = {
  add_secret = function() end,
  text = function(_, text) return text end,
  value = function(_, _, text) return text end,
  path = function(_, path) return path end,
  tree = function(_, tree) return tree end,
}

-- Secrets that a request carries in its headers; a service may repeat them.
local function learn(redactor, headers)
  for name, value in pairs(headers) do
    local secret = names.meaning(name) == "secret" and (value:match "^[A-Za-z]+ +(.+)$" or value) -- without "Bearer"
    if secret and secrets.is_distinctive(secret) then
      redactor:add_secret(secret)
    end
  end
end

--- A request.
---@param redactor cekura.testing.Redactor
---@param request { method: string, uri: string, headers: table<string, string>, body?: string } names of headers in
---lower case
---@return cekura.testing.Kept request
function capture.request(redactor, request)
  local headers = request.headers
  learn(redactor, headers)
  return {
    method = request.method, path = redactor:path(request.uri),
    conditional = (headers["if-none-match"] or headers["if-modified-since"]) ~= nil or nil,
    body = body_of(redactor, headers["content-type"], request.body),
  }
end

local function header(redactor, name, value)
  local changed = value:find "^/" and redactor:path(value) or redactor:value(name, value)
  return { name, changed }
end

---@class cekura.testing.Wanted what is kept beside the usual
---@field headers? table<string, true> names of headers of replies, in lower case
---@field binary? boolean bodies of replies that are no text, in base64

--- A reply.
---@param redactor cekura.testing.Redactor
---@param reply { status: integer, head: string, body: string }
---@param wanted cekura.testing.Wanted
---@return { status: integer, headers: cekura.testing.Headers, body: cekura.testing.Body }
function capture.reply(redactor, reply, wanted)
  local headers, content_type = tape.headers(reply.head, wanted.headers), nil
  for index, pair in ipairs(headers) do
    content_type = pair[1] == "content-type" and pair[2] or content_type
    headers[index] = header(redactor, pair[1], pair[2])
  end
  return { status = reply.status, headers = headers, body = body_of(redactor, content_type, reply.body, wanted.binary) }
end

return capture
