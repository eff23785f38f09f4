--- How the commands for a fleet reach it: their options, the environment, and the fleet's object.

local cekura = require "cekura"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local later = require "cekura.later"
local output = require "cekura.command.output"
local waiting = require "cekura.command.waiting"

local fleets = later "cekura.fleet"

local access = {}

local REDIS = { name = "redis", type = "text", shown = "URL",
  help = "The Redis server: redis://host:port/database, unix:///path, or another URL of docs/fleet.md. The default is "
    .. "CEKURA_REDIS, which does not show a password to other users of the host." }

-- Not --name, which is a parameter of many kinds.
local FLEET = { name = "fleet", type = "text", shown = "NAME",
  help = "The name of the fleet. The default is CEKURA_FLEET." }

--- The options of a command: its own, then those that say which fleet.
---@param own cekura.command.Option[]
---@return cekura.command.Option[]
function access.options(own)
  local options = {}
  for index, option in ipairs(own) do
    options[index] = option
  end
  options[#options + 1] = REDIS
  options[#options + 1] = FLEET
  return options
end

-- The value of an option, or of the variable that takes its place.
local function given_or_set(session, option, variable)
  local value = session.options[option] or os.getenv(variable)
  if not value or value == "" then
    session:usage(("--%s is missing, and %s is not set"):format(option, variable))
  end
  return value
end

--- A URL without what may be a password.
---@param url string
---@return string
function access.shown(url)
  local scheme, rest = url:match "^([%w+]*://)(.*)$"
  local address, query = (rest or url):gsub("^.*@", "***@"):match "^([^?#]*)(.*)$"
  local database = query:match "[?&](db=%d+)"
  return (scheme or "") .. address .. (database and "?" .. database or "")
end

-- Ends the command if there is no hiredis, or no module that binds it.
local function check_module(session)
  local loaded, fault = pcall(require, "cekura.redis")
  if not loaded then
    session:check(nil, errors.new("config", "the fleet commands need cekura/redis.so, which is built with `make redis` "
      .. "and needs hiredis (Debian: libhiredis-dev): " .. tostring(fault):match "^[^\n]*"))
  end
end

-- The tasks of one user on one host take turns with those of others, however many processes submit them.
local function submitter()
  local function read(path, pattern)
    local file = io.open(path)
    local text = file and file:read "*a"
    if file then
      file:close()
    end
    return text and text:match(pattern) or "unknown"
  end
  local name = ("%s.%s"):format(read("/proc/self/status", "Uid:%s*(%d+)"),
    read("/proc/sys/kernel/hostname", "%S+"))
  return (name:gsub("[^%w_.-]", "_"))
end

--- The fleet's object. Ends the command if it cannot be made, and with --dry-run.
---@param session cekura.command.Session
---@param options? { works?: boolean, rate?: cekura.FleetRate, lease?: number } works: it starts jobs
---@return cekura.Fleet
function access.open(session, options)
  local url, name = given_or_set(session, "redis", "CEKURA_REDIS"), given_or_set(session, "fleet", "CEKURA_FLEET")
  options = options or {}
  if session.options.dry_run then
    session:print(session.options.json and output.json { fleet = name, redis = access.shown(url) }
      or ("The fleet %s on %s. Nothing was sent."):format(name, access.shown(url)))
    session:exit(exits.OK)
  end
  check_module(session)
  -- What starts nothing needs no API key. With a key, the fleet refuses a task that holds it.
  local client = options.works and session:client() or cekura.new(session:client_options())
  local fleet, err = fleets.new { redis = url, name = name, submitter = submitter(), rate = options.rate,
    lease = options.lease, client = client }
  session.made = client or fleet and fleet._client
  return session:check(fleet, err)
end

--- A command for the same fleet, as a shell reads it. A password is not in it.
---@param session cekura.command.Session
---@param name string such as "fleet result"
---@param words string[]
---@return string
function access.command(session, name, words)
  local all = {}
  for _, option in ipairs { "redis", "fleet" } do
    local value = session.options[option]
    all[#all + 1] = value and ("--%s %s"):format(option, waiting.quoted(access.shown(value))) or nil
  end
  for _, word in ipairs(words) do
    all[#all + 1] = waiting.quoted(word)
  end
  return (waiting.command(session, all, name):gsub(" $", ""))
end

return access
