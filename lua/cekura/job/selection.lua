--- What the polls of a job ask for, where its kind has a `selection`. While the work goes on, they ask for the members
-- that show the end, and not for the whole record. An answer that shows the end is followed by a request for what the
-- result is to hold, unless it has all of that: because the waiters asked for no more (`fields`), because the result is
-- made of what came, or because the service ignores the selection and sends whole records.

local core = require "cekura.core"
local interpret = require "cekura.job.interpret"
local names_of = require "cekura.http.selection"
local path = require "cekura.job.path"
local state = require "cekura.job.state"
local status = require "cekura.job.status"
local subscription = require "cekura.job.subscription"

local selection = {}

---@class cekura.Asked what a request asks for
---@field text? string the selection; nil: the whole record
---@field names? table<string, true> the members; nil: all of them, or all but some

--- The whole record.
---@type cekura.Asked
selection.WHOLE = {}

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do
    set[name] = true
  end
  return set
end

local function ask_for(names)
  return { text = names_of.text(names), names = set_of(names) }
end

-- What to ask for so that the answer has the members of a list, and those that show the end.
local function ask_with_end(declaration, list)
  local names = {}
  if names_of.is_exclusion(list) then
    local needed = set_of(declaration.selection.poll)
    for _, name in ipairs(list) do
      names[#names + 1] = not needed[name:match "^%-(.*)$"] and name or nil
    end
    return #names > 0 and { text = names_of.text(names) } or selection.WHOLE
  end
  local seen = {}
  for _, source in ipairs { list, declaration.selection.poll } do
    for _, name in ipairs(source) do
      names[#names + 1] = not seen[name] and name or nil
      seen[name] = true
    end
  end
  return ask_for(names)
end

-- ---- what the waiters want ----

local NONE = {} -- a subscription that wants nothing by itself

-- The members that the waiters want, or, while there is none, those that the job was made with; nil: the whole record.
local function wanted(fields)
  local union, exclusion
  for _, each in ipairs(fields._subscriptions and subscription.of(fields) or { NONE }) do
    local list = each.fields or fields._fields
    if not list or exclusion and exclusion ~= names_of.text(list) then
      return nil
    elseif names_of.is_exclusion(list) then
      if union and not exclusion then
        return nil
      end
      union, exclusion = list, names_of.text(list)
    else
      union = union or {}
      for _, name in ipairs(list) do
        union[#union + 1] = name
      end
    end
  end
  return union
end

local function has_member(meaning, name)
  if type(meaning.object) == "userdata" then
    return core.slice(meaning.object, name) ~= nil
  end
  return meaning.object[name] ~= nil or meaning.result ~= nil and meaning.result[name] ~= nil
end

--- Whether a record lacks members that the waiters of a job name.
---@param fields cekura.JobFields
---@param meaning cekura.Meaning
function selection.is_lacking(fields, meaning)
  local list = wanted(fields)
  for _, name in ipairs(list and not names_of.is_exclusion(list) and list or {}) do
    if not has_member(meaning, name) then
      return true
    end
  end
  return false
end

-- ---- what to ask for ----

local function is_on(client, declaration)
  return declaration.selection and not core.fields(client)._selection_refused
end

-- What the polls of new jobs ask for, by declaration.
local first = setmetatable({}, { __mode = "k" })

--- What a new job's polls ask for.
---@param client cekura.Client
---@param declaration table of the kind
---@return cekura.Asked
function selection.first(client, declaration)
  if not is_on(client, declaration) then
    return selection.WHOLE
  end
  first[declaration] = first[declaration] or ask_for(declaration.selection.poll)
  return first[declaration]
end

--- What a request asks for that brings all that the result is to hold.
---@param fields cekura.JobFields
---@return cekura.Asked
function selection.of_result(fields)
  local list = is_on(fields._client, fields._declaration) and wanted(fields)
  return list and ask_with_end(fields._declaration, list) or selection.WHOLE
end

--- Has the later polls of a job ask for something else, from now on. If memory runs out, nothing has changed.
---@param self cekura.Job
---@param fields cekura.JobFields
---@param asked cekura.Asked
function selection.ask(self, fields, asked)
  core.set_poll_url(self, core.fields(fields._client)._base_url .. fields._before, path.rest(fields, asked))
  fields._asked = asked
  core.expedite(self)
end

-- ---- what came ----

-- Whether an answer has a member that was not asked for: the service ignores the selection.
local function has_more(object, names)
  for name in pairs(type(object) == "userdata" and core.record_fields(object) or object) do
    if not names[name] then
      return true
    end
  end
  return false
end

local function has_all(asked, wish, meaning)
  for name in pairs(wish.names) do
    if not (asked.names and asked.names[name] or has_member(meaning, name)) then
      return false
    end
  end
  return true
end

--- Whether an answer has all that is needed: the work goes on, or the result has what it is to hold.
---@param fields cekura.JobFields
---@param asked cekura.Asked what the answer was asked for
---@param meaning cekura.Meaning
function selection.suffices(fields, asked, meaning)
  if not asked.text or status.goes_on(meaning.state) then
    return true
  end
  local wish = selection.of_result(fields)
  if wish.text == asked.text or wish.names and has_all(asked, wish, meaning) then
    return true
  end
  return asked.names ~= nil and (has_more(meaning.object, asked.names)
    or not wish.text and interpret.is_complete(fields._declaration, meaning, asked.names))
end

-- ---- refusals ----

--- Whether an error is a refusal of the selection: it names the parameter, or, in quotes, a member that was asked for.
---@param fields cekura.JobFields
---@param asked cekura.Asked
---@param err cekura.Error
function selection.is_refused(fields, asked, err)
  if not asked.text or err.status ~= 400 then
    return false
  end
  local body = err.response.body
  local parameter = fields._declaration.selection.parameter:gsub("%p", "%%%0")
  if body:find("%f[A-Za-z0-9_]" .. parameter .. "%f[^A-Za-z0-9_]") then
    return true
  end
  for name in body:gmatch "[`']([A-Za-z0-9_.]+)[`']" do
    if asked.names and asked.names[name] then
      return true
    end
  end
  return false
end

--- Switches selections off for the client of a job, with an event at the first time.
---@param self cekura.Job
---@param fields cekura.JobFields
---@param err cekura.Error the refusal
function selection.switch_off(self, fields, err)
  local client_fields = core.fields(fields._client)
  if not client_fields._selection_refused then
    client_fields._selection_refused = true
    state.emit_event(fields, { name = "selection_refused", job = self, method = err.method, path = err.path,
      status = err.status, message = err.message })
  end
end

return selection
