--- The options of a client, as rows of data. A row says what an option may be, where it comes from, what it means and
-- where it goes; the checks, the resolution, the README's table and the LuaCATS class follow from the rows.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local choose_loop = require "cekura.loop"
local config_file = require "cekura.client.config_file"
local core = require "cekura.core"
local errors = require "cekura.errors"
local headers = require "cekura.http.headers"
local proxy = require "cekura.client.proxy"
local version = require "cekura.version"

local options = {}

---@class cekura.Options as `make readme` writes it from the rows below
---@field api_key? string required somewhere
---@field base_url? string `https`, or `http` to this machine; a path prefix is kept (`"https://api.cekura.ai"`)
---@field allow_http? boolean plain `http` to another host, or through a proxy elsewhere: it carries the key in the
---clear (`false`)
---@field api_version? string of the paths that records are read by, `"v1"` or `"v2"` (`"v2"`)
---@field project_id? integer|string the scope of calls that want one and name none
---@field config_file? string|false `false`: none is read (`"~/.cekura/config.toml"`)
---@field timeout? number seconds for one operation that is not a wait: queueing, tries and pauses included (`30`)
---@field connect_timeout? number seconds (`10`)
---@field retries? integer further tries of a request that is safe to repeat; odd answers in a row that end a wait (`3`)
---@field max_in_flight? integer HTTP requests at once; more wait their turn (`16`)
---@field max_response? integer bytes of a body, counted after decompression (64 MiB)
---@field loop? string|table `"own"`, the name of a host, or a table that describes one; `"auto"`: the host's, else the
---own (`"auto"`)
---@field ticks? boolean in nginx, without a thread: the worker scans every 1 to 20 ms (`false`)
---@field ca_file? string PEM bundle, for the service and for a proxy of `https`; read again when it changes (the
---system's)
---@field proxy? string URL of http, https or socks; `""`: none (the environment's)
---@field user_agent? string the header of that name (`cekura-lua/` and the version)
---@field headers? table<string, string> sent with every request
---@field on_event? fun(event: cekura.ClientEvent) called for each event; for logs and metrics

---@class cekura.ClientEvent for logs and metrics: it holds no secret
---@field name string "request_started", "request_retried", "request_finished", "job_changed", "selection_refused",
---"warning"
---@field method? string of requests, as are path, attempt, outcome, status, elapsed, and pause until the next try
---@field job? cekura.Job of its polls and changes; with status, state and progress
---@field message? string of "selection_refused": the service has refused to send only some members of a record, with
---method, path and status; this client's later polls ask for whole records
---@field warning? string "config_file_readable_by_others": with `file` and `message`, before cekura.new() returns.
---An error that the handler raises then is raised by cekura.new()

-- An empty variable counts as unset: a shell script exports one to mean none.
local function environment(variable)
  local value = os.getenv(variable)
  return value ~= "" and value or nil
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
    errors.misuse(("%s: \"v1\" or \"v2\" expected, got %q"):format(name, value))
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

-- ---- uses: functions of what is being made, the option's value and all values by name; they return the message of an
-- error of kind "config", or nothing ----

local function use_key(made, value)
  if not value and made.file.signed_in then
    return "no API key: the configuration file holds a browser sign-in, which this client cannot use; "
      .. "store a key with `cekura auth login --api-key`"
  elseif not value then
    return "no API key: give api_key, set CEKURA_API_KEY, or store one with `cekura auth login --api-key`"
  elseif type(value) == "string" and unsafe(value) then
    return "the API key has a CR, LF or NUL"
  end
  made.engine.headers = { core.secret("X-CEKURA-API-KEY: ", value) }
  made.engine.secrets = { value }
end

local function use_base_url(made, value, values)
  local origin, path, secure, loopback = core.parse_url(value)
  if not origin then
    return "the base URL " .. path -- not the URL itself: it may hold a password
  elseif not secure and not loopback and not values.allow_http then
    return ("the base URL %s is plain http to another host; allow_http = true allows it"):format(origin)
  end
  made.fields._base_url = origin .. path
  made.engine.secure, made.engine.loopback = secure, loopback and not secure
  local host = origin:match "://(.*)$":gsub(":%d+$", ""):gsub("%.$", "")
  made.url = { host = host, secure = secure, loopback = loopback }
end

local function use_proxy(made, value, values)
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
      return ("ca_file %s cannot be read: %s"):format(value, fault)
    end
    core.close_file(file)
  end
end

-- A header whose name has one of these words holds a secret, to judge by the name.
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

-- ---- the rows ----

---@class cekura.Option
---@field name string
---@field type string as LuaCATS writes it
---@field check string|function a check of cekura.check by its name, or a function like those
---@field least? integer of a count
---@field most? integer of a count
---@field environment? string a variable
---@field file? string a setting of the configuration file
---@field default? any
---@field default_text? string what the README shows in place of the default
---@field meaning string one sentence, in Markdown
---@field engine? boolean whether the value is an option of core.new_client() by the same name
---@field field? string the client's private field that holds the value
---@field use? fun(made: table, value: any, values: table): string|false|nil what else becomes of the value

--- The options, in the order in which they are used and shown.
---@type cekura.Option[]
options.rows = {
  { name = "api_key", type = "string", check = key, environment = "CEKURA_API_KEY", file = "api_key", use = use_key,
    meaning = "required somewhere" },
  { name = "base_url", type = "string", check = "text", environment = "CEKURA_API_URL", file = "api_url",
    default = "https://api.cekura.ai", use = use_base_url,
    meaning = "`https`, or `http` to this machine; a path prefix is kept" },
  { name = "allow_http", type = "boolean", check = "flag", default = false,
    meaning = "plain `http` to another host, or through a proxy elsewhere: it carries the key in the clear" },
  { name = "api_version", type = "string", check = api_version, default = "v2", field = "_api_version",
    meaning = "of the paths that records are read by, `\"v1\"` or `\"v2\"`" },
  { name = "project_id", type = "integer|string", check = "id", file = "default_project_id", field = "_project_id",
    meaning = "the scope of calls that want one and name none" },
  { name = "config_file", type = "string|false", check = path_or_false, default = "~/.cekura/config.toml",
    meaning = "`false`: none is read" },
  { name = "timeout", type = "number", check = "seconds", default = 30, field = "_timeout",
    meaning = "seconds for one operation that is not a wait: queueing, tries and pauses included" },
  { name = "connect_timeout", type = "number", check = "seconds", default = 10, engine = true, meaning = "seconds" },
  { name = "retries", type = "integer", check = "count", least = 0, most = 2 ^ 31, default = 3, engine = true,
    field = "_retries",
    meaning = "further tries of a request that is safe to repeat; odd answers in a row that end a wait" },
  { name = "max_in_flight", type = "integer", check = "count", least = 1, most = 2 ^ 31, default = 16, engine = true,
    meaning = "HTTP requests at once; more wait their turn" },
  { name = "max_direct", type = "integer", check = "count", least = 1, most = 2 ^ 16, default = 8, engine = true,
    meaning = "direct jobs at once, beside `max_in_flight`" },
  { name = "interval", type = "number", check = "seconds", field = "_interval", default_text = "the kind's",
    meaning = "seconds between two polls, for every wait that is given none" },
  { name = "max_response", type = "integer", check = "count", least = 1, default = 64 * 1024 * 1024,
    default_text = "64 MiB", engine = true, field = "_max_response",
    meaning = "bytes of a body, counted after decompression" },
  { name = "loop", type = "string|table", check = loop, default_text = '`"auto"`',
    use = function(made, value) made.fields._loop = value or choose_loop() end,
    meaning = "`\"own\"`, the name of a host, or a table that describes one; `\"auto\"`: the host's, else the own" },
  { name = "ticks", type = "boolean", check = "flag", default = false, field = "_ticks",
    meaning = "in nginx, without a thread: the worker scans every 1 to 20 ms" },
  { name = "ca_file", type = "string", check = "text", default_text = "the system's", engine = true, use = use_ca_file,
    meaning = "PEM bundle, for the service and for a proxy of `https`; read again when it changes" },
  { name = "proxy", type = "string", check = "text", default_text = "the environment's", use = use_proxy,
    meaning = "URL of http, https or socks; `\"\"`: none" },
  { name = "user_agent", type = "string", check = "text", default = "cekura-lua/" .. version,
    default_text = "`cekura-lua/` and the version", engine = true,
    use = function(_, value) return unsafe(value) and "user_agent has a CR, LF or NUL" end,
    meaning = "the header of that name" },
  { name = "headers", type = "table<string, string>", check = header_table, default = {}, default_text = "",
    use = use_headers, meaning = "sent with every request" },
  { name = "on_event", type = "fun(event: cekura.ClientEvent)", check = "callback", field = "_on_event",
    use = function(made, value) made.engine.report_events = value ~= nil end,
    meaning = "called for each event; for logs and metrics" },
}

local by_name = {}

--- The types of the settings of the configuration file that options come from.
options.settings = {}

for _, row in ipairs(options.rows) do
  by_name[row.name] = row
  if row.file then
    options.settings[row.file] = row.type
  end
end

-- ---- resolution ----

-- The options that a program gave, checked.
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

-- Only a file that the program named must be there.
local function read_file(path)
  local home = environment "HOME"
  if path == false or not path and not home then
    return { signed_in = false }
  end
  local below_home = home and (path or by_name.config_file.default):match "^~(/.*)"
  return config_file.read(below_home and home .. below_home or path, not path, options.settings)
end

local function value_of(row, given, file)
  local value = given[row.name]
  if value == nil then
    value = row.environment and environment(row.environment) or row.file and file[row.file] or row.default
  end
  return value
end

--- Resolves the options. Raises for an unknown name and for a wrong type.
---@param given? cekura.Options
---@return { engine: table, fields: table, file: table }? made what core.new_client() takes, the private fields of the
---client, and what the configuration file holds
---@return cekura.Error? err of kind "config"
function options.resolve(given)
  given = read_given(given)
  local file, fault = read_file(given.config_file)
  if not file then
    return nil, errors.new("config", fault)
  end
  local values, made = {}, { engine = {}, fields = {}, file = file }
  for _, row in ipairs(options.rows) do
    values[row.name] = value_of(row, given, file)
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
