--- Commands about the client and the command itself.

local cekura = require "cekura"
local config_file = require "cekura.client.config_file"
local core = require "cekura.core"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local options = require "cekura.client.options"
local output = require "cekura.command.output"
local text = require "cekura.command.text"

local other = {}

-- ---- auth status ----

-- A small list that every key may read.
local PROBE = "/user/v1/projects/"

local function probe(session, client)
  local reply, err = client:request("GET", PROBE)
  if session.shown then
    session:check(nil, err)
  elseif reply or err.kind == "invalid" then -- an organization's key may need a scope: it was accepted
    return exits.OK, "the service accepts the key"
  elseif err.kind == "auth" then
    return exits.of(err), "the service refuses the key: " .. errors.line(err)
  end
  return exits.of(err), errors.line(err)
end

local function auth_status(session)
  local made, err = options.resolve(session:client_options())
  if not made then
    session:check(nil, err)
  end
  local client = session:client()
  local fields = core.fields(client)
  local found = {
    { "API key", "not shown, from " .. made.sources.api_key },
    { "base URL", fields._base_url .. ", from " .. made.sources.base_url },
    { "project", fields._project_id and ("%s, from %s"):format(tostring(fields._project_id), made.sources.project_id)
      or "none" },
  }
  local status, said = probe(session, client)
  if session.shown then
    return exits.OK
  end
  if session.options.json then
    session:print(output.json { api_key = { source = made.sources.api_key },
      base_url = { value = fields._base_url, source = made.sources.base_url },
      project_id = { value = fields._project_id, source = made.sources.project_id },
      accepted = status == exits.OK, message = said })
    return status
  end
  found[#found + 1] = { "request", ("GET %s: %s"):format(PROBE, said) }
  for _, line in ipairs(found) do
    session:print(text.pad(line[1] .. ":", 10) .. " " .. text.visible(line[2]))
  end
  return status
end

other.auth = {
  name = "auth",
  summary = "Check the API key.",
  description = "Shows which API key is used, and checks it.",
  examples = {
    { "cekura-lua auth status", "Show where the key comes from, and whether it works." },
    { "cekura-lua auth status --config-file work.toml", "Check the key of another configuration file." },
  },
  commands = {
    {
      name = "status",
      summary = "Show where the key and the URL come from, and try them.",
      description = "Shows where the API key and the base URL come from, never the key itself, and tries them with one "
        .. "request. Exits with 0 only if the service accepts the key.",
      options = {},
      examples = {
        { "cekura-lua auth status", "Show where the key comes from, and whether it works." },
        { "cekura-lua auth status --json", "Print the same as JSON." },
      },
      run = auth_status,
    },
  },
}

-- ---- config ----

local function config_path(session)
  local path = session.options.config_file or options.default_file()
  if not path then
    session:check(nil, errors.new("config",
      "HOME is not set, so there is no default configuration file: set it, or give --config-file"))
  end
  return path
end

local SHOWN = { api_key = "(set; not shown)" }

local function config_get(session, given)
  local path = config_path(session)
  local is_default = not session.options.config_file
  local file, fault = config_file.read(path, options.settings, is_default and { key = true, url = true } or nil)
  if not file then
    session:check(nil, errors.new("config", fault))
  end
  local name = given.words.name
  local names = {}
  for setting in pairs(options.settings) do
    names[#names + 1] = setting
  end
  table.sort(names)
  if name and not options.settings[name] then
    session:usage(("there is no setting %s; the settings are %s"):format(name, table.concat(names, ", ")))
  end
  if file.warning then
    session:note(file.warning.message)
  end
  local found = {}
  for _, setting in ipairs(name and { name } or names) do
    local value = file.values[setting]
    found[setting] = value ~= nil and (SHOWN[setting] or value) or nil
    if value ~= nil and not session.options.json then
      local shown = text.visible(tostring(SHOWN[setting] or value))
      session:print(name and shown or setting .. " = " .. shown)
    end
  end
  if session.options.json then
    session:print(output.json(found))
  elseif name and found[name] == nil then
    session:note(("%s is not set in %s"):format(name, path))
    return exits.FAILED
  elseif next(found) == nil then
    session:note(("%s has no settings, or does not exist."):format(path))
  end
end

other.config = {
  name = "config",
  summary = "Show the configuration file.",
  description = "Shows the settings and the path of the configuration file, ~/.cekura/config.toml. The file is never "
    .. "changed.",
  examples = {
    { "cekura-lua config get", "Show all settings." },
    { "cekura-lua config path", "Show where the file is." },
  },
  commands = {
    {
      name = "get",
      summary = "Show the settings that the command reads.",
      description = "Shows the settings that are read from the configuration file. Of the API key, it shows only "
        .. "whether it is set.",
      arguments = { { name = "name", count = "?", help = "One setting." } },
      options = {},
      examples = {
        { "cekura-lua config get", "Show all settings." },
        { "cekura-lua config get api_url", "Show one setting." },
      },
      run = config_get,
    },
    {
      name = "path",
      summary = "Show the path of the configuration file.",
      description = "Shows the path of the configuration file, even if the file does not exist.",
      options = {},
      examples = {
        { "cekura-lua config path", "Show the path." },
        { "chmod 600 \"$(cekura-lua config path)\"", "Keep others from reading it." },
      },
      run = function(session)
        local path = config_path(session)
        session:print(session.options.json and output.json { path = path } or text.visible(path))
      end,
    },
  },
}

-- ---- request ----

other.request = {
  name = "request",
  summary = "Send any request of the API.",
  description = "Sends a request, and prints the body of the response. A status other than 2xx is an error.",
  arguments = {
    { name = "method", help = "GET, POST, PATCH, PUT or DELETE." },
    { name = "path", help = "The path below the base URL, with a slash at its end." },
  },
  options = {
    { name = "body", type = "text", shown = "FILE", help = "A file with the body in JSON. - is standard input." },
    { name = "query", type = "pair", many = true, help = "A parameter of the query. It may be repeated." },
  },
  examples = {
    { "cekura-lua request GET /user/v1/projects/", "Send a request for which there is no command." },
    { "cekura-lua request POST /test_framework/v1/test-profiles/ --body profile.json --dry-run",
      "Show the request without sending it." },
  },
  run = function(session, given)
    local query
    for _, pair in ipairs(session.options.query or {}) do
      query = query or {}
      query[pair[1]] = pair[2]
    end
    local body = session.options.body and session:read_file(session.options.body)
    local reply = session:check(session:client():request(given.words.method:upper(), given.words.path,
      { query = query, body = body, headers = body and { ["Content-Type"] = "application/json" } or nil }))
    if session.options.json then
      output.value(session, reply.body == "" or session:check(reply:json()))
    elseif reply.body ~= "" then
      session:data(reply.body)
    else
      session:note(("HTTP %d, without a body."):format(reply.status))
    end
  end,
}

-- ---- version ----

other.version = {
  name = "version",
  summary = "Show the version.",
  description = "Shows the version of cekura-lua, which is that of the module, and of the Lua that runs it.",
  options = {},
  examples = {
    { "cekura-lua version", "Show the version, and the Lua that runs it." },
    { "cekura-lua version --json", "Print the same as JSON." },
  },
  run = function(session)
    local lua = rawget(_G, "jit") and _G.jit.version or _VERSION
    session:print(session.options.json and output.json { version = cekura._VERSION, lua = lua }
      or ("cekura-lua %s (%s)"):format(cekura._VERSION, lua))
  end,
}

return other
