--- A task of a fleet as Redis has it now, with its outcome if there is one. Nothing waits.

local core = require "cekura.core"
local outcome = require "cekura.fleet.outcome"
local server = require "cekura.fleet.server"

---@class cekura.fleet.TaskView
---@field id string
---@field kind? string nil: it ended before a worker knew it
---@field key? string
---@field state "waiting"|"starting"|"running"|"done"|"failed"|"unknown" the last three: it has an outcome
---@field attempts? integer how many workers have had it
---@field token? string of its job, while that runs
---@field job? cekura.Job that has ended
---@field result? any
---@field err? cekura.Error

local task = {}

-- What is said of the states of cekura.fleet.server; none: no worker has taken it.
local STATES = { taken = "starting", intent = "starting" }

local unpack = table.unpack or unpack -- luacheck: ignore 143

-- What the hash of a task says. It has no `lane` if the task is over, or has never been.
local function view_of(id, hash)
  local lane, state, key, attempts, token = unpack(hash, 1, 5)
  return { id = id, kind = lane and server.kind_of(lane) or nil, key = key or nil, attempts = tonumber(attempts or nil),
    token = token or nil, state = state and (STATES[state] or state) or "waiting" }
end

-- Adds an outcome.
local function add_outcome(view, client, text)
  local kept = core.decode(text:match "^[^\n]*")
  for _, name in ipairs { "kind", "key", "attempts" } do
    view[name] = view[name] or type(kept) == "table" and kept[name] or nil
  end
  view.result, view.err, view.job = outcome.read(client, text)
  view.state, view.token = outcome.state(view.err), nil
end

--- Reads a task.
---@param fleet cekura.Fleet
---@param id string
---@return cekura.fleet.TaskView? view, cekura.Error? err "not_found": there is none, or its outcome is no longer kept
function task.read(fleet, id)
  local redis, prefix = fleet._redis, fleet._prefix
  local hash, err = redis:command("HMGET", prefix .. "task:" .. id, "lane", "state", "key", "attempts", "token")
  if not hash then
    return nil, err
  end
  local text -- the task may be over between the two commands, not the other way round
  text, err = redis:command("GET", prefix .. "outcome:" .. id)
  if err then
    return nil, err
  elseif not text and not hash[1] then
    return nil, outcome.not_found(fleet, id)
  end
  local view = view_of(id, hash)
  if text then
    add_outcome(view, fleet._client, text)
  end
  return view
end

return task
