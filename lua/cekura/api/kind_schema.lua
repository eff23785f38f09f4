--- The schema of a kind's declaration: which members it may have, and what each may be. What the members mean is
-- described in cekura.api.kinds.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local endpoint = require "cekura.http.endpoint"
local errors = require "cekura.errors"
local kinds = require "cekura.api.kinds"
local nearest = require "cekura.nearest"
local params = require "cekura.api.params"
local selection = require "cekura.http.selection"

local built_in = {}
for name in pairs(kinds) do
  built_in[name] = true
end

local function refuse(message, ...)
  return errors.misuse(message:format(...))
end

-- Names that members had before 0.1.0. By spelling alone, another member would be suggested.
local FORMER = { gives = "returns", healthy = "benign_errors", keep = "carry", may = "optional",
  skipped = "skipped_member", sure = "evidence", waits = "input_member", with = "body", words = "statuses" }

-- A copy of a table of which each member has a check, by its name. A check may return the value to use in place of the
-- given one.
local function read_members(name, given, checks)
  local read = {}
  for member, value in pairs(check.table(name, given)) do
    if not checks[member] then
      local wanted = checks[FORMER[member]] and FORMER[member] or member
      refuse("%s: there is no member %s%s", name, tostring(member), nearest(wanted, checks))
    end
    local place = (type(member) == "number" and "%s[%d]" or "%s.%s"):format(name, member)
    local used = checks[member](place, value)
    read[member] = used == nil and value or used
  end
  return read
end

-- ---- the check of each member ----

local function text(name, value)
  if check.text(name, value) == "" then
    refuse("%s is empty", name)
  end
end

local function texts(name, value)
  return params.value("texts", name, value)
end

local function check_endpoint(name, value, method)
  local given = endpoint.parse(value)
  if not given or method and given ~= method then
    refuse("%s: %q expected, got %s", name, (method or "POST") .. " /path/",
      type(value) == "string" and ("%q"):format(value) or type(value))
  end
end

-- Refuses a path with a place for which no value is known.
local function check_places(name, value, known)
  for _, place in ipairs(endpoint.places(value)) do
    if not known[place] then
      refuse("%s: there is no value for {%s}", name, place)
    end
  end
end

local members = {
  id = text, event = text, input_member = text, skipped_member = text, withdrawn = text, returns = text, note = text,
  call_log = check.flag, list = check.flag,
  benign_errors = texts, carry = texts,
  interval = check.seconds, timeout = check.seconds,
  start = check_endpoint, direct = check_endpoint, evidence = check.table,
}

local POLL_PLACES = { id = true, version = true, agent_id = true, project_id = true, assistant_id = true }

function members.poll(name, value)
  check_endpoint(name, value, "GET")
  check_places(name, value, POLL_PLACES)
end

local SCOPES = { agent_id = true, project_id = true, assistant_id = true }

function members.poll_scope(name, value)
  for _, scope in ipairs(texts(name, value)) do
    if not SCOPES[scope] then
      refuse("%s: there is no scope %s", name, scope)
    end
  end
end

local SELECTION = { parameter = text }

function SELECTION.poll(name, value)
  local names = selection.check(name, value)
  if selection.is_exclusion(names) then
    refuse("%s: the names of members expected", name)
  end
  return names
end

function members.selection(name, value)
  local read = read_members(name, value, SELECTION)
  if not read.parameter or not read.poll then
    refuse("%s: parameter and poll expected", name)
  end
  return read
end

function members.output(name, value)
  return (type(value) == "table" and texts or text)(name, value)
end

function members.record(name, value)
  if value ~= "call_log" then
    refuse("%s: \"call_log\" expected, got %s", name, tostring(value))
  end
end

function members.params(name, value)
  for param, declared in pairs(check.table(name, value)) do
    local place = ("%s.%s"):format(name, tostring(param))
    check.flag(place .. ".required", check.table(place, declared).required)
    if not params.types[declared[1]] then
      refuse("%s: there is no check %s%s", place, tostring(declared[1]), nearest(declared[1], params.types))
    end
  end
end

function members.one_of(name, value)
  if #check.table(name, value) < 2 then
    refuse("%s: at least two names expected", name)
  end
  for index, param in ipairs(value) do
    check.text(("%s[%d]"):format(name, index), param)
  end
  if value.unless_list ~= nil then
    text(name .. ".unless_list", value.unless_list)
  end
end

local STATES = { pending = true, running = true, needs_input = true, succeeded = true, nothing_to_do = true,
  failed = true, cancelled = true }

-- Returns them as cekura.job.status compares words.
function members.statuses(name, value)
  local states = {}
  for word, state in pairs(check.table(name, value)) do
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

local COUNTERS = { done = check.text, failed = check.text, total = check.text, list = check.text,
  success = check.text, runs = check.text, decide = check.flag }

function members.counters(name, value)
  local counters = read_members(name, value, COUNTERS)
  if not counters.done or not counters.total then
    refuse("%s: done and total expected", name)
  elseif (counters.runs or counters.success) and not (counters.runs and counters.success and counters.failed) then
    refuse("%s: runs, success and failed go together", name)
  end
  return counters
end

local REQUEST = { body = texts, optional = texts, text = text }
local REQUEST_PLACES = { id = true }

REQUEST[1] = function(name, value)
  check_endpoint(name, value)
  check_places(name, value, REQUEST_PLACES)
end

function members.cancel(name, value)
  local request = read_members(name, value, REQUEST)
  check_endpoint(name .. "[1]", request[1]) -- also where there is none
  return request
end

function members.answer(name, value)
  local request = members.cancel(name, value)
  text(name .. ".text", request.text)
  return request
end

-- ---- the whole ----

local kind_schema = { members = members }

-- Names that client.<resource> or client.<resource>:<name> have already, and that no kind can take.
local reserved = {}

--- Reserves a name.
---@param name string "resource", or "resource.name"
function kind_schema.reserve(name)
  reserved[name] = true
end

--- Checks a declaration. Raises an error that names the member which is wrong.
---@param declaration table
---@return table kind a copy, as cekura.api.kinds has its rows
function kind_schema.read(declaration)
  local kind = read_members("declaration", declaration, members)
  kind.id, kind.interval, kind.timeout = kind.id or "progress_id", kind.interval or 5, kind.timeout or 300
  if not kind.poll and not kind.direct then
    refuse "declaration: poll is missing (or direct)"
  elseif not kind.poll and kind.start then
    refuse "declaration: start: without a poll, direct is the request that starts the job"
  elseif kind.list and not kind.record then
    refuse "declaration: list needs record"
  elseif kind.selection and not kind.poll then
    refuse "declaration: selection needs poll"
  end
  return kind
end

--- Declares a kind of job; its method is there at once, `client.<resource>:<name>(params)`. All members but `poll` may
-- be left out. A kind of the program's own may be declared again, one that comes with the module may not. Jobs keep the
-- declaration that they were made by.
---@param name string "resource.name"
---@param declaration table
function kind_schema.declare(name, declaration)
  if not check.text("name", name):find "^[A-Za-z][A-Za-z0-9_]*%.[A-Za-z][A-Za-z0-9_]*$" then
    errors.misuse(("name: \"resource.name\" expected, got %q"):format(name))
  elseif built_in[name] then
    errors.misuse(("name: the kind %s comes with the module"):format(name))
  elseif reserved[name] or reserved[name:match "^[^.]+"] then
    errors.misuse(("name: client.%s exists already"):format(reserved[name] and name or name:match "^[^.]+"))
  end
  kinds[name] = kind_schema.read(declaration)
end

return kind_schema
