--- The proxy of a client: the option, or the environment's. A proxy that can never work is refused here, before the
-- first request.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local show = require "cekura.show"
local uri = require "cekura.http.uri"

local proxy = {}

-- The variables that libcurl reads, in its order, by the scheme of the base URL. HTTP_PROXY is not among them: the
-- client of a CGI program could set it.
local VARIABLES = {
  https = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" },
  http = { "http_proxy", "all_proxy", "ALL_PROXY" },
}
local EXEMPTIONS = { "no_proxy", "NO_PROXY" }

-- The value and the name of the first variable of the list that is set.
local function first_set(names)
  for _, name in ipairs(names) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value, name
    end
  end
end

-- Whether no_proxy may exempt the host. libcurl decides for each request; this answer only determines whether an
-- unusable proxy is an error. An address counts as exempt if the list has any network.
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

local function split(url)
  local rest = url:gsub("^[A-Za-z][A-Za-z0-9+.-]*://", "")
  local user, host = rest:match "^(.*)@([^@]*)$"
  return user or "", host or rest
end

local function password_of(url)
  local password = split(url):match "^[^:]*:(.+)$"
  return password and uri.decode(password)
end

-- Stricter than libcurl: anything after the host, or unescaped in the user, hides the host from a reader.
local function is_plain(url)
  local user, host = split(url)
  return core.parse_url("http://" .. host) and not user:find "[%s/?#@]"
end

local function unsafe(text)
  return text:find "[%z\r\n]" ~= nil
end

--- Chooses the proxy of a client.
---@param given? string the option `proxy`; "" means none
---@param url { host: string, secure: boolean, loopback: boolean } of the base URL
---@param allow_http? boolean the option
---@return { url: string?, password: string? }? chosen for the engine; without a URL libcurl reads the environment
---@return string? fault
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
    return nil, show.format("%s %s is not the URL of a proxy%s: it %s", name, show.url(text),
      given and "" or ", in the environment", fault)
  elseif given and not url.secure and not allow_http and not loopback then
    return nil, "the base URL is plain http, and a proxy on another host would receive the key unencrypted; "
      .. "allow_http = true allows it"
  end
  return { url = text, password = password_of(text) }
end

return proxy
