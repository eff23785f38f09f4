--- The parts of URLs.

local ascii = require "cekura.http.ascii"
local uri = require "cekura.http.uri"

local urls = {}

local LONGEST_SCHEME = 20

--- Replaces the URLs in a text.
---@param text string
---@param replace fun(scheme: string, rest: string): string? `scheme` with "://"; nil: it stays
---@return string
function urls.replace(text, replace)
  local parts, copied, from = {}, 1, 1
  local first, last = text:find("://", 1, true)
  while first do
    local scheme = text:sub(math.max(from, first - LONGEST_SCHEME), first - 1):match "[A-Za-z][A-Za-z0-9+.-]*$"
    local rest = scheme and text:match("^[^ \t\r\n\"'<>\\^`{|}%c]+", last + 1)
    local kept = rest and rest:match "^.*[^.,;:!?)%]]" -- the sentence goes on
    local replaced = kept and replace(scheme .. "://", kept)
    from = last + 1 + (kept and #kept or 0)
    if replaced then
      parts[#parts + 1] = text:sub(copied, first - #scheme - 1) .. replaced
      copied = from
    end
    first, last = text:find("://", from, true)
  end
  return table.concat(parts) .. text:sub(copied)
end

--- Splits what follows the scheme: the user goes, since it may be a password.
---@param rest string
---@return string? host nil: there is none
---@return string port ":80", or ""
---@return string path from the first "/", "?" or "#" on
function urls.split(rest)
  local authority, path = rest:match "^([^/?#]*)(.*)$"
  authority = authority:match "([^@]*)$"
  local host, port = authority:match "^(%[[0-9A-Fa-f:.]+%])(:?[0-9]*)$"
  if not host then
    host, port = authority:match "^([^:]+)(:?[0-9]*)$"
  end
  return host, port or "", path
end

--- What follows the URL of a service in another URL; nil if that is not one of the service.
---@param url string
---@param service string without "/" at its end
---@return string?
function urls.behind(url, service)
  local behind = url:sub(#service + 1)
  if ascii.lower(url:sub(1, #service)) == ascii.lower(service) and (behind == "" or behind:find "^[/?#]") then
    return behind
  end
end

--- Splits a path with query and fragment.
---@param path string
---@return string path, string? query, string? fragment
function urls.parts(path)
  local before, fragment = path:match "^([^#]*)#?(.*)$"
  local bare, query = before:match "^([^?]*)%??(.*)$"
  return bare, before:find("?", 1, true) and query or nil, path:find("#", 1, true) and fragment or nil
end

--- The pairs of a query, decoded, in their order.
---@param query string without "?"
---@return { name: string, value?: string, text: string }[] pairs `value` is nil without "="; `text` as it was
function urls.pairs(query)
  local list = {}
  for text in query:gmatch "[^&]+" do
    local name, value = text:match "^([^=]*)=(.*)$"
    list[#list + 1] = {
      name = urls.decode(name or text), value = value and urls.decode(value), text = text,
    }
  end
  return list
end

--- Undoes the encoding of queries and forms, where a blank may be a "+".
---@param text string
---@return string
function urls.decode(text)
  return uri.decode((text:gsub("%+", " ")))
end

local function literal(text)
  return (text:gsub("%p", "%%%0"))
end

--- Replaces the URL of a service at the start of each URL in a text, also in JSON that escapes slashes.
---@param text string
---@param from string
---@param to string
---@return string
function urls.rebase(text, from, to)
  for _, form in ipairs { "/", "\\/" } do
    local old, new = from:gsub("/", form), to:gsub("/", form)
    text = text:gsub(literal(old) .. "%f[^A-Za-z0-9.:-]", (new:gsub("%%", "%%%%")))
  end
  return text
end

return urls
