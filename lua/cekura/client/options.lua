--- The options of a client, as rows of data. A row has an option's type, its sources, its meaning and its use; the
-- checks, the resolution, the table of docs/options.md and the LuaCATS class follow from the rows.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local choose_loop = require "cekura.loop"
local config_file = require "cekura.client.config_file"
local core = require "cekura.core"
local debug_log = require "cekura.debug_log"
local errors = require "cekura.errors"
local headers = require "cekura.http.headers"
local proxy = require "cekura.client.proxy"
local show = require "cekura.show"
local speed = require "cekura.client.speed"
local version = require "cekura.version"

local options = {}

---@alias cekura.EventName "request_started"|"request_retried"|"request_finished"|"job_changed"|"selection_refused"|
---"warning"

---@class cekura.ClientEvent an event for logs and metrics, without secrets
---@field name cekura.EventName
---@field request? integer of a request: its number, the same in all of its events; unique in this process
---@field method? string of a request
---@field path? string of a request: below the base URL, with its query
---@field attempt? integer the number of the try; at the end of a request, the number of tries
---@field outcome? string "response", or the reason why there is none
---@field status? integer|string of a request, the HTTP status; of a job, the service's own word
---@field elapsed? number seconds since the request was made
---@field pause? number seconds until the next try
---@field job? cekura.Job of its polls and changes
---@field state? cekura.State of a job
---@field progress? number of a job: 0 to 1
---@field warning? "config_file_readable_by_others"|"config_file_ignored"|"durations_ignored" before cekura.new()
---returns: an error that the handler raises then is raised by cekura.new()
---@field message? string of a warning, or of "selection_refused"
---@field file? string of a warning: the path of the file that it is about

-- An empty variable counts as unset: a shell script exports one to mean none.
local function environment(variable)
  local value = os.getenv(variable)
  return value ~= "" and value or nil
end

-- Whether clients may only reach this machine. A guard is on by any value that is not a clear no.
local function is_loopback_only()
  local value = environment "CEKURA_LOOPBACK_ONLY"
  return value ~= nil and value ~= "0"
end

local function unsafe(text)
  return text:find "[%z\r\n]" ~= nil
end

-- ---- checks: functions of the option's name and value, which raise at the caller's line and return the value ----

-- An empty key counts as unset, as in the environment.
local function key(name, value)
  return check.text(name, value) ~= "" and value or nil
end

local function path_or_false(name, value)
  return value and check.text(name, value)
end

local function api_version(name, value)
  if not check.text(name, value):find "^v[12]$" then
    errors.misuse("%s: \"v1\" or \"v2\" expected, got %q", name, value)
  end
  return value
end

local function header_table(name, value)
  headers.lines(name, value, {})
  return value
end

local function loop(_, value)
  return choose_loop(value)
end

-- ---- uses: each takes the table that options.resolve() builds, the option's value, and all values by name; it returns
-- the message of an error of kind "config", or nothing ----

local function is_empty(variable)
  return os.getenv(variable) == "" and " (it is set, and empty)" or ""
end

-- The message when no source has a key: one line for each way to give it.
local function no_key(made)
  local file = made.file.path or "~/.cekura/config.toml"
  return {
    "no API key; give it in one of these ways:",
    '  in Lua: cekura.new { api_key = "…" }',
    "  the environment: export CEKURA_API_KEY=…" .. is_empty "CEKURA_API_KEY",
    show.format('  the configuration file %s: api_key = "…"%s', file,
      made.file.is_off and " (not read: config_file = false)" or ""),
    "  the official command, which writes that file: cekura auth login --api-key"
      .. (made.file.signed_in and " (there is a browser sign-in, which this client cannot use)" or ""),
  }
end

local function use_key(made, value)
  if not value then
    return no_key(made)
  elseif type(value) == "string" and unsafe(value) then
    return show.format("the API key from %s has a CR, LF or NUL", made.sources.api_key)
  end
  made.fields._key_source = made.sources.api_key
  made.engine.headers = { core.secret("X-CEKURA-API-KEY: ", value) }
  made.engine.secrets = { value }
end

local function use_base_url(made, value, values)
  local origin, path, secure, loopback = core.parse_url(value)
  local where = made.sources.base_url
  if not origin then
    local fault = path:find "^[a-z]" and path or "cannot be read: " .. path -- libcurl's words begin with a capital
    fault = value == "" and "is empty" or fault -- libcurl's words for that depend on its version
    local hint = value:find("://", 1, true) and "" or "; it begins with https://"
    return show.format("the base URL %s from %s ", show.url(value), where) .. fault .. hint
  elseif not loopback and is_loopback_only() then
    return show.format("the base URL %s from %s is another host, which CEKURA_LOOPBACK_ONLY in the environment forbids",
      origin, where)
  elseif not secure and not loopback and not values.allow_http then
    return show.format("the base URL %s from %s is plain http to another host; allow_http = true allows it", origin,
      where)
  end
  made.fields._base_url = origin .. path
  made.engine.secure, made.engine.loopback = secure, loopback and not secure
  made.engine.speed = loopback and speed.of(origin) or 1
  local host = origin:match "://(.*)$":gsub(":%d+$", ""):gsub("%.$", "")
  made.url = { host = host, secure = secure, loopback = loopback }
end

local function use_proxy(made, value, values)
  if is_loopback_only() then
    made.engine.proxy = "" -- none, whatever the option and the environment say
    return nil
  end
  local chosen, fault = proxy.choose(value, made.url, values.allow_http)
  if not chosen then
    return fault
  end
  made.engine.proxy = chosen.url
  made.engine.secrets[2] = chosen.password
end

-- The file is only opened here: the engine reads it again for new connections.
local function use_ca_file(_, value)
  if value then
    local file, fault = core.open_file(value)
    if not file then
      return show.format("ca_file %s cannot be read: %s", value, fault)
    end
    core.close_file(file)
  end
end

-- A header whose name contains one of these words is assumed to hold a secret.
local SECRET_NAMES = { "auth", "key", "token", "secret", "password", "signature", "cookie" }

local function is_secret(name)
  for _, word in ipairs(SECRET_NAMES) do
    if ascii.lower(name):find(word, 1, true) then
      return true
    end
  end
  return false
end

local function use_headers(made, value)
  local lines, secrets, accept = made.engine.headers, made.engine.secrets, false
  for name, text in pairs(value) do
    accept = accept or ascii.lower(name) == "accept"
    if type(text) == "string" and text ~= "" and is_secret(name) then
      secrets[#secrets + 1] = text
      secrets[#secrets + 1] = text:match "^[A-Za-z]+ +(.+)$" -- "Bearer …"
    end
  end
  if not accept then
    lines[#lines + 1] = "Accept: application/json"
  end
  headers.lines("headers", value, lines)
  made.fields._conditional = headers.is_conditional(lines)
end

local function use_on_event(made, value)
  made.fields._on_event = debug_log.around(value)
  made.engine.report_events = made.fields._on_event ~= nil
end

-- ---- the rows ----

---@class cekura.Option
---@field name string
---@field type string as LuaCATS writes it
---@field check string|function the name of a check of cekura.check, or a function of that form
---@field least? integer the minimum of a count
---@field most? integer the maximum of a count
---@field environment? string the name of a variable
---@field file? string the name of a setting of the configuration file
---@field default? any
---@field default_text? string docs/options.md shows it in place of the default
---@field meaning string a phrase, in Markdown
---@field engine? boolean whether the value is an option of core.new_client() by the same name
---@field field? string the client's private field that holds the value
---@field use? fun(made: table, value: any, values: table): string|string[]|false|nil any other effect of the value

--- The options, in the order in which they are used and shown.
---@type cekura.Option[]
options.rows = {
  { name = "api_key", type = "string", check = key, environment = "CEKURA_API_KEY", file = "api_key", use = use_key,
    meaning = "required somewhere" },
  { name = "base_url", type = "string", check = "text", environment = "CEKURA_API_URL", file = "api_url",
    default = "https://api.cekura.ai", use = use_base_url,
    meaning = "`https`, or `http` to this machine; a path prefix is kept" },
  { name = "allow_http", type = "boolean", check = "flag", default = false,
    meaning = "plain `http` to another host, or through a proxy elsewhere, which sends the key unencrypted" },
  { name = "api_version", type = "\"v1\"|\"v2\"", check = api_version, default = "v2", field = "_api_version",
    meaning = "the version in the paths of records, `\"v1\"` or `\"v2\"`" },
  { name = "project_id", type = "integer|string", check = "id", file = "default_project_id", field = "_project_id",
    meaning = "the scope of requests that need one and name none" },
  { name = "config_file", type = "string|false", check = path_or_false, default = "~/.cekura/config.toml",
    meaning = "path of the configuration file; `false`: none is read" },
  { name = "timeout", type = "number", check = "seconds", default = 30, field = "_timeout",
    meaning = "seconds for one operation that is not a wait: queueing, tries and pauses included" },
  { name = "connect_timeout", type = "number", check = "seconds", default = 10, engine = true, meaning = "seconds" },
  { name = "retries", type = "integer", check = "count", least = 0, most = 2 ^ 31, default = 3, engine = true,
    field = "_retries",
    meaning = "further tries of a request that is safe to repeat; odd answers in a row that end a wait" },
  { name = "max_in_flight", type = "integer", check = "count", least = 1, most = 2 ^ 31, default = 16, engine = true,
    meaning = "HTTP requests at once; more wait their turn" },
  { name = "max_direct", type = "integer", check = "count", least = 1, most = 2 ^ 16, default = 8, engine = true,
    field = "_max_direct", meaning = "direct jobs at once, beside `max_in_flight`" },
  { name = "interval", type = "number|\"adaptive\"", check = "interval", field = "_interval",
    default_text = "the kind's",
    meaning = "seconds between two polls, or `\"adaptive\"`, for waits without `interval`" },
  { name = "durations", type = "string", check = "text",
    use = function(made, value) made.durations = value end,
    meaning = "what `client:durations()` of another client has returned, for `\"adaptive\"`" },
  { name = "max_response", type = "integer", check = "count", least = 1, default = 64 * 1024 * 1024,
    default_text = "64 MiB", engine = true, field = "_max_response",
    meaning = "bytes of a body, counted after decompression" },
  { name = "loop", type = "cekura.LoopName|cekura.Host|cekura.Loop", check = loop, default_text = '`"auto"`',
    use = function(made, value) made.fields._loop = value or choose_loop() end,
    meaning = "`\"own\"`, the name of a host, or an adapter; `\"auto\"`: the host's loop, else the own loop" },
  { name = "ticks", type = "boolean", check = "flag", default = false, field = "_ticks",
    meaning = "in nginx, without a thread: the worker scans every 1 to 20 ms" },
  { name = "ca_file", type = "string", check = "text", default_text = "the system's", engine = true, use = use_ca_file,
    meaning = "PEM bundle, for the service and for a proxy over `https`; read again when it changes" },
  { name = "proxy", type = "string", check = "text", default_text = "the environment's", use = use_proxy,
    meaning = "URL of http, https or socks; `\"\"`: none" },
  { name = "user_agent", type = "string", check = "text", default = "cekura-lua/" .. version,
    default_text = "`cekura-lua/` and the version", engine = true,
    use = function(_, value) return unsafe(value) and "user_agent has a CR, LF or NUL" end,
    meaning = "the header of that name" },
  { name = "headers", type = "table<string, string>", check = header_table, default = {}, default_text = "",
    use = use_headers, meaning = "sent with every request" },
  { name = "on_event", type = "fun(event: cekura.ClientEvent)", check = "callback", use = use_on_event,
    meaning = "called for each event; for logs and metrics" },
}

local by_name = {}

--- The types of the settings in the configuration file that are options.
options.settings = {}

for _, row in ipairs(options.rows) do
  by_name[row.name] = row
  if row.file then
    options.settings[row.file] = row.type
  end
end

-- ---- resolution ----

-- Checks the options that the program gave.
local function read_given(given)
  given = check.options("options", given, by_name)
  local checked = {}
  for _, row in ipairs(options.rows) do
    local check_value, value = check[row.check] or row.check, given[row.name]
    if value ~= nil then
      checked[row.name] = check_value(row.name, value, row.least, row.most)
    end
  end
  return checked
end

-- A value from the program or the environment, and its source, for messages.
local function outer_value(row, given)
  if given[row.name] ~= nil then
    return given[row.name], "the option " .. row.name
  elseif row.environment then
    return environment(row.environment), "the environment variable " .. row.environment
  end
end

-- A path, in which ~ stands for HOME.
local function below_home(path)
  local home, rest = environment "HOME", path:match "^~(/.*)"
  return home and rest and home .. rest or path
end

--- The path of the default configuration file; nil without HOME.
---@return string?
function options.default_file()
  return environment "HOME" and below_home(by_name.config_file.default)
end

local function read_file(given)
  local path, home = given.config_file, environment "HOME"
  if path == false or not path and not home then
    local none = config_file.none()
    none.is_off = path == false
    return none
  end
  local elsewhere = not path and { key = outer_value(by_name.api_key, given) ~= nil,
    url = outer_value(by_name.base_url, given) ~= nil } or nil
  path = path and below_home(path) or options.default_file()
  local file, fault = config_file.read(path, options.settings, elsewhere)
  if file then
    file.path = path
  end
  return file, fault
end

-- The value of an option, and its source, for messages.
local function value_of(row, given, file)
  local value, source = outer_value(row, given)
  if value ~= nil then
    return value, source
  end
  value = row.file and file.values[row.file]
  if value ~= nil then
    return value, show.format("the configuration file %s:%d", file.path, file.lines[row.file])
  end
  return row.default, "the default"
end

--- Resolves the options. Raises for an unknown name and for a wrong type.
---@param given? cekura.Options
---@return { engine: table, fields: table, file: cekura.ConfigFile, durations: string? }? made the options of
---core.new_client(), the private fields of the client, the content of the configuration file, the option `durations`
---@return cekura.Error? err of kind "config"
function options.resolve(given)
  given = read_given(given)
  local file, fault = read_file(given)
  if not file then
    return nil, errors.new("config", fault)
  end
  local values, made = {}, { engine = {}, fields = {}, file = file, sources = {} }
  for _, row in ipairs(options.rows) do
    values[row.name], made.sources[row.name] = value_of(row, given, file)
  end
  for _, row in ipairs(options.rows) do
    local value = values[row.name]
    if row.engine then
      made.engine[row.name] = value
    end
    if row.field then
      made.fields[row.field] = value
    end
    fault = row.use and row.use(made, value, values)
    if fault then
      return nil, errors.new("config", fault)
    end
  end
  return made
end

return options
