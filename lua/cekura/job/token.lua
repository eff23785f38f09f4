--- Tokens: a job as a plain string, from which another process can resume it.
-- A token holds no secret. It names the base URL only for a comparison with the client's: it never decides where a
-- request goes. It may come from anywhere, so nothing in it is trusted.
--
-- A token is the prefix, a name and a value for each member, and a checksum, separated by dots. Letters, digits, "-"
-- and "_" are literal, any other byte is "~" and two hexadecimal digits. So a token has only characters that need no
-- escape in a URL (RFC 3986, 2.3). Tokens in the earlier format, the query of a URL, are still read.

local core = require "cekura.core"
local selection = require "cekura.http.selection"
local uri = require "cekura.http.uri"

local token = {}

local PREFIX, EARLIER_PREFIX = "cekura2.", "cekura1:"

local LONGEST = 65536

--- A checksum, which detects tokens that were cut or misspelt. It does not protect against forgery, which would gain
-- nothing.
---@param text string
---@return string
function token.checksum(text)
  local sum = 7
  for index = 1, #text do
    sum = (sum * 31 + text:byte(index)) % 4294967291
  end
  return ("%08x"):format(sum)
end

local function escape(char)
  return ("~%02X"):format(char:byte())
end

local function unescape(hex)
  return string.char(tonumber(hex, 16))
end

--- Writes a token. Members are strings or numbers.
---@param members table<string, string|number>
---@param prefix? string of something else that is written as a token is
function token.write(members, prefix)
  local names, parts = {}, {}
  for name in pairs(members) do
    names[#names + 1] = name
  end
  table.sort(names) -- so that the same job has the same token
  for _, name in ipairs(names) do
    for _, part in ipairs { name, uri.text("token", members[name]) } do
      parts[#parts + 1] = part:gsub("[^A-Za-z0-9_-]", escape)
    end
  end
  local text = (prefix or PREFIX) .. table.concat(parts, ".")
  return text .. "." .. token.checksum(text)
end

--- A token with the escapes of a URL, in which core.has_secret() can find a secret.
---@param text string
function token.as_url(text)
  return (text:gsub("~", "%%"))
end

local function read_members(parts)
  local members, name = {}, nil
  for escaped in (parts .. "."):gmatch "([^.]*)%." do
    local rest = escaped:gsub("~%x%x", "")
    if rest:find "[^A-Za-z0-9_-]" then
      return nil
    end
    local part = escaped:gsub("~(%x%x)", unescape)
    if name then
      members[name], name = part, nil
    else
      name = part
    end
  end
  return name == nil and members or nil
end

local function read_earlier_members(parts)
  local members = {}
  for name, value in parts:gmatch "([A-Za-z0-9_]+)=([^&]*)" do
    members[name] = uri.decode(value)
  end
  return members
end

--- Reads a token.
---@param text string
---@param prefix? string as in token.write()
---@return table<string, string>? members nil: the text is not a whole token
function token.read(text, prefix)
  local is_earlier = not prefix and text:sub(1, #EARLIER_PREFIX) == EARLIER_PREFIX
  prefix = prefix or PREFIX -- as long as the earlier one
  if #text > LONGEST or not is_earlier and text:sub(1, #prefix) ~= prefix then
    return nil
  end
  local signed, sum = text:match(is_earlier and "^(.*)&(%x+)$" or "^(.*)%.(%x+)$")
  if not signed or token.checksum(signed) ~= sum then
    return nil
  end
  return (is_earlier and read_earlier_members or read_members)(signed:sub(#prefix + 1))
end

-- ---- jobs ----

--- The records that a job may belong to: the paths of some polls name them.
token.SCOPE = { "agent_id", "project_id", "assistant_id" }

-- Carried members, such as the id of a session, have a prefix that names their type.
local CARRIED = { string = "text_", number = "number_" }

--- The token of a job.
---@param fields cekura.JobFields with an id
---@param started number seconds since the epoch
---@param base string the client's base URL
---@return string? token nil: it would be longer than token.read() accepts
function token.of_job(fields, started, base)
  local members = { kind = fields.kind, id = fields.id, base = base, started = started,
    fields = fields._fields and table.concat(fields._fields, ",") }
  for _, name in ipairs(token.SCOPE) do
    members[name] = fields._scope[name]
  end
  local mark = fields._evaluation_mark
  if mark then
    members.mark_at, members.mark_judged, members.mark_sum = mark.updated_at, mark.judged and 1 or 0, mark.sum
  end
  for name, value in pairs(fields._carried) do
    if CARRIED[type(value)] then
      members[CARRIED[type(value)] .. name] = value
    end
  end
  local text = token.write(members)
  return #text <= LONGEST and text or nil
end

-- A time in the past; nil for anything else.
local function past_time(text)
  local time = tonumber(text)
  return time and time >= 0 and time <= core.date() and time or nil
end

-- A number, if this Lua can represent it exactly; else its text.
local function exact_number(text)
  local value = tonumber(text)
  local finite = value and value > -math.huge and value < math.huge
  return finite and uri.text("token", value) == text and value or text
end

--- Reads the token of a job.
---@param text string
---@return { kind: string, base: string?, origin: cekura.JobOrigin }? nil: the text is not the token of a job
function token.read_job(text)
  local members = token.read(text)
  if not members or not members.kind or not members.id or members.id == "" then
    return nil
  end
  local origin = { id = members.id, started = past_time(members.started), scope = {}, carried = {} }
  for _, name in ipairs(token.SCOPE) do
    origin.scope[name] = members[name]
  end
  if members.mark_sum then
    origin.evaluation_mark =
      { updated_at = members.mark_at, judged = members.mark_judged == "1", sum = members.mark_sum }
  end
  if members.fields then
    origin.fields = selection.split(members.fields)
  end
  for name, value in pairs(members) do
    local kind, carried = name:match "^([a-z]+_)(.*)$"
    if kind == CARRIED.string then
      origin.carried[carried] = value
    elseif kind == CARRIED.number then
      origin.carried[carried] = exact_number(value)
    end
  end
  if members.fields and not origin.fields then
    return nil
  end
  return { kind = members.kind, base = members.base, origin = origin }
end

return token
