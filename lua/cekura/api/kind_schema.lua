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
local show = require "cekura.show"

local built_in = {}
for name in pairs(kinds) do
  built_in[name] = true
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
      errors.misuse("%s: there is no member %s%s", name, member, (nearest(wanted, checks)))
    end
    local place = show.format(type(member) == "number" and "%s[%d]" or "%s.%s", name, member)
    local used = checks[member](place, value)
    read[member] = used == nil and value or used
  end
  return read
end

-- ---- the check of each member ----

local function text(name, value)
  if check.text(name, value) == "" then
    errors.misuse("%s is empty", name)
  end
end

local function texts(name, value)
  return params.value("texts", name, value)
end

local function check_endpoint(name, value, method)
  local given = endpoint.parse(value)
  if not given or method and given ~= method then
    errors.misuse("%s: \"%s /path/\" expected, got %q", name, method or "POST", value)
  end
end

-- Refuses a path with a place for which no value is known.
local function check_places(name, value, known)
  for _, place in ipairs(endpoint.places(value)) do
    if not known[place] then
      errors.misuse("%s: there is no value for {%s}", name, place)
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
    check.known(name, "scope", scope, SCOPES)
  end
end

local SELECTION = { parameter = text }

function SELECTION.poll(name, value)
  local names = selection.check(name, value)
  if selection.is_exclusion(names) then
    errors.misuse("%s: the names of members expected", name)
  end
  return names
end

function members.selection(name, value)
  local read = read_members(name, value, SELECTION)
  if not read.parameter or not read.poll then
    errors.misuse("%s: parameter and poll expected", name)
  end
  return read
end

function members.output(name, value)
  return (type(value) == "table" and texts or text)(name, value)
end

function members.record(name, value)
  if value ~= "call_log" then
    errors.misuse("%s: \"call_log\" expected, got %q", name, value)
  end
end

function members.params(name, value)
  for param, declared in pairs(check.table(name, value)) do
    local place = show.format("%s.%s", name, param)
    check.flag(place .. ".required", check.table(place, declared).required)
    check.known(place, "check", declared[1], params.types)
  end
end

function members.one_of(name, value)
  if #check.table(name, value) < 2 then
    errors.misuse("%s: at least two names expected", name)
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
    check.known(show.format("%s.%s", name, word), "state", state, STATES)
    if type(word) ~= "string" or word ~= ascii.lower(word) then
      errors.misuse("%s: words are in lower case, got %s", name, word)
    end
    local compared = ascii.word(word)
    if states[compared] and states[compared] ~= state then
      errors.misuse("%s: %s is %s and %s", name, word, states[compared], state)
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
    errors.misuse("%s: done and total expected", name)
  elseif (counters.runs or counters.success) and not (counters.runs and counters.success and counters.failed) then
    errors.misuse("%s: runs, success and failed go together", name)
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
    errors.misuse "declaration: poll is missing (or direct)"
  elseif not kind.poll and kind.start then
    errors.misuse "declaration: start: without a poll, direct is the request that starts the job"
  elseif kind.list and not kind.record then
    errors.misuse "declaration: list needs record"
  elseif kind.selection and not kind.poll then
    errors.misuse "declaration: selection needs poll"
  end
  return kind
end

--- Declares a kind of job; its method is there at once, `client.<resource>:<name>(params)`. All members but `poll` may
-- be left out. A kind of the program's own may be declared again, one that comes with the module may not. Jobs keep the
-- declaration that they were made by.
---@param name string "resource.name"
---@param declaration cekura.KindDeclaration
function kind_schema.declare(name, declaration)
  if not check.text("name", name):find "^[A-Za-z][A-Za-z0-9_]*%.[A-Za-z][A-Za-z0-9_]*$" then
    errors.misuse("name: \"resource.name\" expected, got %q", name)
  elseif built_in[name] then
    errors.misuse("name: the kind %s comes with the module", name)
  elseif reserved[name] or reserved[name:match "^[^.]+"] then
    errors.misuse("name: client.%s exists already", reserved[name] and name or name:match "^[^.]+")
  end
  kinds[name] = kind_schema.read(declaration)
end

return kind_schema
