--- New kinds of job, declared by a program.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local nearest = require "cekura.nearest"
local params = require "cekura.api.params"

local built_in = {}
for name in pairs(kinds) do
  built_in[name] = true
end

local function refuse(message, ...)
  return errors.misuse("declaration: " .. message:format(...))
end

-- ---- members ----

local function text(name, value)
  if check.text("declaration: " .. name, value) == "" then
    refuse("%s is empty", name)
  end
end

local function texts(name, value)
  params.value("texts", "declaration: " .. name, value)
end

local function flag(name, value)
  check.flag("declaration: " .. name, value)
end

local function seconds(name, value)
  check.seconds("declaration: " .. name, value)
end

local function a_request(name, value, method)
  local given = endpoint.parse(value)
  if not given or method and given ~= method then
    refuse("%s: %q expected, got %s", name, (method or "POST") .. " /path/",
      type(value) == "string" and ("%q"):format(value) or type(value))
  end
end

local STATES = { pending = true, running = true, needs_input = true, succeeded = true, nothing_to_do = true,
  failed = true, cancelled = true }

local members = {
  id = text, event = text, input_member = text, skipped_member = text, withdrawn = text, returns = text, note = text,
  call_log = flag, list = flag,
  benign_errors = texts, carry = texts,
  interval = seconds, timeout = seconds,
}

-- Refuses a path with a place that nothing could fill.
local function places(name, value, known)
  for _, place in ipairs(endpoint.places(value)) do
    if not known[place] then
      refuse("%s: nothing is known to fill {%s} with", name, place)
    end
  end
end

local SCOPE = { agent_id = true, project_id = true, assistant_id = true }
local ABOUT = { id = true }
local POLL = { id = true, version = true, agent_id = true, project_id = true, assistant_id = true }

function members.poll_scope(name, value)
  texts(name, value)
  for _, scope in ipairs(value) do
    if not SCOPE[scope] then
      refuse("%s: there is no scope %s", name, scope)
    end
  end
end

function members.output(name, value)
  if type(value) == "table" then
    texts(name, value)
  else
    text(name, value)
  end
end

function members.start(name, value)
  a_request(name, value)
end

function members.poll(name, value)
  a_request(name, value, "GET")
  places(name, value, POLL)
end

function members.record(name, value)
  if value ~= "call_log" then
    refuse("%s: \"call_log\" expected, got %s", name, tostring(value))
  end
end

function members.params(name, value)
  for param, declared in pairs(check.table("declaration: " .. name, value)) do
    local place = ("declaration: %s.%s"):format(name, tostring(param))
    check.flag(place .. ".required", check.table(place, declared).required)
    if not params.types[declared[1]] then
      refuse("%s.%s: there is no check %s%s", name, tostring(param), tostring(declared[1]),
        nearest(declared[1], params.types))
    end
  end
end

function members.one_of(name, value)
  check.table("declaration: " .. name, value)
  if #value < 2 then
    refuse("%s: at least two names expected", name)
  end
  for index, param in ipairs(value) do
    check.text(("declaration: %s[%d]"):format(name, index), param)
  end
end

-- Returns them as words are compared.
function members.statuses(name, value)
  local states = {}
  for word, state in pairs(check.table("declaration: " .. name, value)) do
    if not STATES[state] then
      refuse("%s.%s: there is no state %s%s", name, tostring(word), tostring(state), nearest(state, STATES))
    elseif type(word) ~= "string" or word ~= ascii.lower(word) then
      refuse("%s: words are in lower case, got %s", name, tostring(word))
    end
    local compared = ascii.word(word)
    if states[compared] and states[compared] ~= state then
      refuse("%s: %s is %s and %s", name, word, states[compared], state)
    end
    states[compared] = state
  end
  return states
end

local COUNTERS = { done = true, failed = true, total = true, list = true, decide = true, success = true, runs = true }

function members.counters(name, value)
  for member, counter in pairs(check.table("declaration: " .. name, value)) do
    if not COUNTERS[member] then
      refuse("%s: there is no member %s%s", name, tostring(member), nearest(member, COUNTERS))
    elseif member == "decide" then
      check.flag(("declaration: %s.%s"):format(name, member), counter)
    else
      check.text(("declaration: %s.%s"):format(name, member), counter)
    end
  end
  if not value.done or not value.total then
    refuse("%s: done and total expected", name)
  elseif (value.runs or value.success) and not (value.runs and value.success and value.failed) then
    refuse("%s: runs, success and failed go together", name)
  end
end

local function about(name, value)
  a_request(name .. "[1]", check.table("declaration: " .. name, value)[1])
  places(name .. "[1]", value[1], ABOUT)
  if value.body ~= nil then
    texts(name .. ".body", value.body)
  end
end

members.cancel = about

function members.answer(name, value)
  about(name, value)
  if value.optional ~= nil then
    texts(name .. ".optional", value.optional)
  end
  text(name .. ".text", value.text)
end

function members.evidence(name, value)
  check.table("declaration: " .. name, value)
end

-- ---- the whole ----

local declare = {}

-- Names that client.<resource> or client.<resource>:<name> have already, and that no kind can take.
local taken = {}

--- Reserves a name.
---@param name string "resource", or "resource.name"
function declare.reserve(name)
  taken[name] = true
end

--- Raises, naming the member, what is wrong with a declaration.
---@param declaration table
function declare.check(declaration)
  check.table("declaration", declaration)
  for name, value in pairs(declaration) do
    if not members[name] then
      refuse("there is no member %s%s", tostring(name), nearest(name, members))
    end
    members[name](name, value)
  end
  if not declaration.poll then
    refuse("poll is missing")
  elseif declaration.list and not declaration.record then
    refuse("list goes with record")
  end
end

--- Declares a kind of job; its methods are there at once, `client.<resource>:<name>(params)`. The members of
-- the declaration are described in cekura.api.kinds; all but `poll` may be missing. A kind of the program's own may
-- be declared again, one that comes with the module may not. Jobs keep the declaration that they were made by.
---@param name string "resource.name"
---@param declaration table
function declare.kind(name, declaration)
  if not check.text("name", name):find "^[A-Za-z][A-Za-z0-9_]*%.[A-Za-z][A-Za-z0-9_]*$" then
    errors.misuse(("name: \"resource.name\" expected, got %q"):format(name))
  elseif built_in[name] then
    errors.misuse(("name: the kind %s comes with the module"):format(name))
  elseif taken[name] or taken[name:match "^[^.]+"] then
    errors.misuse(("name: client.%s is something else"):format(taken[name] and name or name:match "^[^.]+"))
  end
  declare.check(declaration)
  local own = {}
  for member, value in pairs(declaration) do
    own[member] = value
  end
  own.statuses = own.statuses and members.statuses("statuses", own.statuses) -- as words are compared
  own.id = own.id or "progress_id"
  own.interval, own.timeout = own.interval or 5, own.timeout or 300
  kinds[name] = own
end

return declare
