--- The proxy of a client: the option, or what the environment names. One that can never work is refused here, before a
-- request meets it. No message quotes a URL, which may hold a password.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local uri = require "cekura.http.uri"

local proxy = {}

-- The variables that libcurl reads, in its order. HTTP_PROXY is none of them: a CGI program's client could set it.
local VARIABLES = {
  https = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" },
  http = { "http_proxy", "all_proxy", "ALL_PROXY" },
}
local EXEMPTIONS = { "no_proxy", "NO_PROXY" }

-- The first variable of the list that is set: its value and its name.
local function first_set(names)
  for _, name in ipairs(names) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value, name
    end
  end
end

-- Whether no_proxy may exempt the host. libcurl decides that when a request is sent; here it only counts for a proxy
-- that cannot be used. An address and a list with networks in it get the benefit of the doubt.
local function may_be_exempt(host)
  host = ascii.lower(host)
  local is_address = host:find "^[%d.]+$" or host:find "^%["
  for entry in (first_set(EXEMPTIONS) or ""):gmatch "[^%s,]+" do
    local name = ascii.lower(entry):gsub("^%.", ""):gsub("%.$", "")
    if entry == "*" or host == name or host:sub(-#name - 1) == "." .. name
      or is_address and (entry:find("/", 1, true) or host == "[" .. name .. "]") then
      return true
    end
  end
  return false
end

local function password_of(url)
  local user = url:gsub("^[A-Za-z][A-Za-z0-9+.-]*://", ""):match "^(.*)@"
  local password = user and user:match "^[^:]*:(.+)$"
  return password and uri.decode(password)
end

-- Stricter than libcurl: what stands behind the host, or is not escaped in the user, hides what the host is.
local function is_plain(url)
  local rest = url:gsub("^[A-Za-z][A-Za-z0-9+.-]*://", "")
  local user, host = rest:match "^(.*)@([^@]*)$"
  return core.parse_url("http://" .. (host or rest)) and not (user or ""):find "[%s/?#@]"
end

local function unsafe(text)
  return text:find "[%z\r\n]" ~= nil
end

--- Chooses the proxy of a client.
---@param given? string the option `proxy`; "" means none
---@param url { host: string, secure: boolean, loopback: boolean } the base URL
---@param allow_http? boolean
---@return { url: string?, password: string? }? chosen, string? fault
function proxy.choose(given, url, allow_http)
  local text, name = given, "proxy"
  if not given and (url.secure or not url.loopback) then
    text, name = first_set(VARIABLES[url.secure and "https" or "http"])
  end
  if not text or text == "" then
    return { url = text }
  elseif unsafe(text) then
    return nil, name .. " has a CR, LF or NUL"
  end
  local secure, loopback = core.parse_proxy(text)
  if secure == nil or given and not is_plain(text) then
    if not given and may_be_exempt(url.host) then
      return {}
    end
    local fault = secure == nil and loopback or "cannot be read"
    return nil, ("%s is no URL of a proxy%s: it %s"):format(name, given and "" or ", in the environment", fault)
  elseif given and not url.secure and not allow_http and not loopback then
    return nil, "the base URL is plain http, and a proxy elsewhere would be sent the key in the clear; "
      .. "allow_http = true allows it"
  end
  return { url = text, password = password_of(text) }
end

return proxy
