--- Tokens: a job as a plain string, from which another process takes it up.
-- A token holds no secret. It names the base URL only to be compared with the client's own: it never
-- decides where a request goes. It may come from anywhere, so nothing in it is trusted.

local uri = require "cekura.uri"

local token = {}

local PREFIX = "cekura1:"

--- A short text that another text hardly has in common. Not against forgery, for which there is nothing to
-- gain: it finds tokens that were cut or misspelt.
---@param text string
---@return string
function token.checksum(text)
  local sum = 7
  for index = 1, #text do
    sum = (sum * 31 + text:byte(index)) % 4294967291
  end
  return ("%08x"):format(sum)
end

--- Writes a token. Members are strings or numbers.
---@param members table<string, string|number>
function token.write(members)
  local text = PREFIX .. uri.query("token", members):sub(2)
  return text .. "&" .. token.checksum(text)
end

local function decode(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- Reads a token.
---@param text string
---@return table<string, string>? members nil: it is no token, or not a whole one
function token.read(text)
  if #text > 65536 or text:sub(1, #PREFIX) ~= PREFIX then
    return nil
  end
  local signed, sum = text:match "^(.*)&(%x+)$"
  if not signed or token.checksum(signed) ~= sum then
    return nil
  end
  local members = {}
  for name, value in signed:sub(#PREFIX + 1):gmatch "([%w_]+)=([^&]*)" do
    members[name] = decode(value)
  end
  return members
end

return token
