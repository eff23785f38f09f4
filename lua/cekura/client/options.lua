--- The options of a client: each from the option, the environment, the configuration file, the default,
-- in this order.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local choose_loop = require "cekura.loop"
local config_file = require "cekura.client.config_file"
local core = require "cekura.core"
local errors = require "cekura.errors"
local proxy = require "cekura.client.proxy"
local uri = require "cekura.http.uri"

local options = {}

---@class cekura.Options
---@field api_key? string environment CEKURA_API_KEY, file api_key
---@field base_url? string environment CEKURA_API_URL, file api_url; https, or http to loopback
---@field allow_http? boolean plain http to another host all the same
---@field project_id? integer|string file default_project_id; sent where a call wants a scope and has none
---@field api_version? string "v2" (the default) or "v1": of the paths that records are read by
---@field config_file? string|false default ~/.cekura/config.toml; false: none is read
---@field timeout? number seconds for one operation that is no wait (30)
---@field connect_timeout? number seconds (10)
---@field retries? integer further tries of what is safe to repeat (3)
---@field max_in_flight? integer HTTP requests at once (16)
---@field max_response? integer bytes of a body, after decompression (64 MiB)
---@field loop? string|table who waits ("auto")
---@field ticks? boolean in nginx, no thread tells of the engine: it is looked at every 1 to 20 ms (false)
---@field ca_file? string PEM bundle in place of the system's
---@field proxy? string URL; default: what the environment says
---@field user_agent? string
---@field headers? table<string, string> sent with every request
---@field on_event? fun(event: cekura.ClientEvent)

---@class cekura.ClientEvent for logs and metrics: no secret is in one
---@field name string "request_started", "request_retried", "request_finished", "job_changed", "warning"
---@field method? string of requests, as are path, attempt, outcome, status, elapsed, and pause until the next try
---@field job? cekura.Job of its polls and changes; with status, state and progress
---@field warning? string "config_file_readable_by_others": with `file` and `message`, before cekura.new() returns.
---What the handler raises then, cekura.new() raises

local NAMES = {
  api_key = true, base_url = true, allow_http = true, project_id = true, config_file = true, timeout = true,
  connect_timeout = true, retries = true, max_in_flight = true, max_response = true, loop = true, ca_file = true,
  proxy = true, user_agent = true, headers = true, on_event = true, api_version = true, ticks = true,
}

local DEFAULT_URL = "https://api.cekura.ai"

local function config_error(message, ...)
  return nil, errors.new("config", message:format(...))
end

-- "" counts as unset: a shell script that exports an empty variable means none.
local function set(value)
  return value ~= "" and value or nil
end

local function unsafe(text)
  return text:find "[%z\r\n]" ~= nil
end

-- ---- headers ----

-- What belongs to the connection, or to this module.
local RESERVED = {
  ["x-cekura-api-key"] = "set api_key", host = "it follows from the URL",
  ["content-length"] = "it follows from the body", ["transfer-encoding"] = "it follows from the body",
  connection = "connections are pooled", ["user-agent"] = "set user_agent",
}

--- Header lines of a table of headers. Raises for what cannot be a header.
---@param name string what the table is called
---@param headers? table<string, string>
---@param lines string[] that the lines are added to
function options.header_lines(name, headers, lines)
  local names = {}
  for header, value in pairs(headers and check.table(name, headers) or {}) do
    check.text(name .. ": the name of a header", header)
    local token = header:match "^[A-Za-z0-9!#$%%&'*+%-.^_`|~]*"
    if token ~= header or header == "" then -- not all of it: it may be a whole line, value and all
      errors.misuse(("%s: what begins with %q is no name of a header"):format(name, token))
    end
    local why = RESERVED[(ascii.lower(header):gsub("_", "-"))] -- as servers by WSGI read it
    if why then
      errors.misuse(("%s: %s cannot be set here: %s"):format(name, header, why))
    end
    if type(value) == "number" then
      value = uri.text(name, value)
    end
    if unsafe(check.text(name .. ": " .. header, value)) then
      errors.misuse(("%s: the value of %s has a CR, LF or NUL"):format(name, header))
    end
    names[#names + 1] = { header, value }
  end
  table.sort(names, function(a, b)
    return a[1] < b[1]
  end)
  for _, pair in ipairs(names) do
    -- libcurl's form for a header with an empty value
    lines[#lines + 1] = pair[2] == "" and pair[1] .. ";" or pair[1] .. ": " .. pair[2]
  end
  return lines
end

--- Header lines of a request whose body is of that type, unless the headers say another.
---@param headers? table<string, string>
---@param content_type? string
---@return string[]?
function options.request_lines(headers, content_type)
  local lines = options.header_lines("headers", headers, {})
  for _, line in ipairs(lines) do
    if ascii.lower(line):find "^content%-type[:;]" then
      return lines
    end
  end
  if content_type then
    lines[#lines + 1] = "Content-Type: " .. content_type
  end
  return lines[1] and lines
end

-- ---- types, raised at the caller's line ----

local function check_types(given)
  for _, name in ipairs { "api_key", "base_url", "ca_file", "proxy", "user_agent" } do
    if given[name] ~= nil then
      check.text(name, given[name])
    end
  end
  if given.config_file ~= nil and given.config_file ~= false then
    check.text("config_file", given.config_file)
  end
  if given.project_id ~= nil then
    check.id("project_id", given.project_id)
  end
  if given.api_version ~= nil and not check.text("api_version", given.api_version):find "^v[12]$" then
    errors.misuse(("api_version: \"v1\" or \"v2\" expected, got %q"):format(given.api_version))
  end
  check.flag("allow_http", given.allow_http)
  check.seconds("timeout", given.timeout)
  check.seconds("connect_timeout", given.connect_timeout)
  check.count("retries", given.retries, 0, 2 ^ 31)
  check.count("max_in_flight", given.max_in_flight, 1, 2 ^ 31)
  check.count("max_response", given.max_response, 1)
  check.callback("on_event", given.on_event)
  options.header_lines("headers", given.headers, {})
end

-- ---- where they come from ----

local function read_file(given)
  if given.config_file == false then
    return { signed_in = false }
  end
  local home = os.getenv "HOME"
  if given.config_file then
    return config_file.read((given.config_file:gsub("^~/", (home or "~") .. "/")), false)
  elseif home and home ~= "" then
    return config_file.read(home .. "/.cekura/config.toml", true)
  end
  return { signed_in = false }
end

local function read_key(given, file)
  local key = set(given.api_key) or set(os.getenv "CEKURA_API_KEY") or file.api_key
  if not key and file.signed_in then
    return config_error("no API key: the configuration file holds a browser sign-in, which this client cannot use; "
      .. "store a key with `cekura auth login --api-key`")
  elseif not key then
    return config_error("no API key: give api_key, set CEKURA_API_KEY, or store one with `cekura auth login --api-key`")
  elseif type(key) == "string" and unsafe(key) then
    return config_error("the API key has a CR, LF or NUL")
  end
  return key
end

-- Of the headers that are sent with every request, the values that look like secrets by the names of theirs.
local SECRET_NAMES = { "auth", "key", "token", "secret", "password", "signature", "cookie" }

local function add_secrets(secrets, headers)
  for name, value in pairs(headers or {}) do
    for _, word in ipairs(SECRET_NAMES) do
      if type(value) == "string" and value ~= "" and ascii.lower(name):find(word, 1, true) then
        secrets[#secrets + 1] = value
        secrets[#secrets + 1] = value:match "^[A-Za-z]+ +(.+)$" -- "Bearer …"
        break
      end
    end
  end
  return secrets
end

local function read_url(given, file)
  local text = given.base_url or set(os.getenv "CEKURA_API_URL") or file.api_url or DEFAULT_URL
  local origin, path, secure, loopback = core.parse_url(text)
  if not origin then
    return config_error("the base URL %s", path) -- not the URL itself: it may hold a password
  elseif not secure and not loopback and not given.allow_http then
    return config_error("the base URL %s is plain http to another host; allow_http = true allows it", origin)
  end
  local host = origin:match "://(.*)$":gsub(":%d+$", ""):gsub("%.$", "")
  return { base = origin .. path, host = host, secure = secure, loopback = loopback }
end

--- Resolves the options. Raises for a wrong type.
---@param given? cekura.Options
---@return table? resolved, cekura.Error? err
function options.resolve(given)
  given = check.options("options", given, NAMES)
  check_types(given)
  local loop = choose_loop(given.loop)
  local file, fault = read_file(given)
  if not file then
    return config_error("%s", fault)
  end
  local key, err = read_key(given, file)
  if not key then
    return nil, err
  end
  local url
  url, err = read_url(given, file)
  if not url then
    return nil, err
  end
  local user_agent = given.user_agent or options.user_agent
  if unsafe(user_agent) then
    return config_error("user_agent has a CR, LF or NUL")
  end
  local through
  through, fault = proxy.choose(given.proxy, url, given.allow_http)
  if not through then
    return config_error("%s", fault)
  end
  if given.ca_file then
    local bundle
    bundle, fault = core.open_file(given.ca_file)
    if not bundle then
      return config_error("ca_file %s cannot be read: %s", given.ca_file, fault)
    end
    core.close_file(bundle)
  end
  local lines = { core.secret("X-CEKURA-API-KEY: ", key) }
  local accept
  for name in pairs(given.headers or {}) do
    accept = accept or ascii.lower(name) == "accept"
  end
  if not accept then
    lines[2] = "Accept: application/json"
  end
  return {
    base_url = url.base,
    project_id = given.project_id or file.default_project_id,
    timeout = given.timeout or 30,
    api_version = given.api_version or "v2",
    loop = loop,
    ticks = given.ticks,
    on_event = given.on_event,
    warning = file.warning,
    engine = {
      headers = options.header_lines("headers", given.headers, lines),
      secrets = add_secrets({ key, through.password }, given.headers),
      user_agent = user_agent,
      ca_file = given.ca_file,
      proxy = through.url,
      connect_timeout = given.connect_timeout or 10,
      retries = given.retries or 3,
      max_in_flight = given.max_in_flight or 16,
      max_response = given.max_response or 64 * 1024 * 1024,
      loopback = url.loopback and not url.secure,
      secure = url.secure,
      report_events = given.on_event ~= nil,
    },
  }
end

return options
