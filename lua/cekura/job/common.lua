--- What the jobs of a client have in common that differ only in their ids. A program may have a hundred thousand jobs
-- of a few kinds, so a job's own table holds what is its own, and finds the rest here.

local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local path = require "cekura.job.path"
local selection = require "cekura.job.selection"
local token = require "cekura.job.token"

local common = {}

-- What new jobs carry. It is never changed: a job that carries something gets a table of its own.
local EMPTY = {}

-- A text that is the same for the same scope. A number and the text of it differ, because answers to a job repeat them.
local function key_of(kind, scope)
  local key = kind
  for _, name in ipairs(token.SCOPE) do
    local value = scope[name]
    if value ~= nil then
      key = key .. "\0" .. name .. "\0" .. type(value) .. "\0" .. tostring(value)
    end
  end
  return key
end

local function make(client, kind, declaration, scope)
  local self = {
    kind = kind, state = "pending",
    _client = client, _declaration = declaration, _scope = scope, _method = "GET",
    _asked = selection.first(client, declaration),
    _carried = EMPTY, _subscriptions = false,
    _changed = false, _bad_answers = 0, _selected_end = false, _request = false,
  }
  self.__index = self
  return self
end

--- The prototype of the private fields of such jobs: their metatable, and what they are looked up in.
---@param client cekura.Client
---@param kind string
---@param declaration table of the kind
---@param scope table<string, any>
---@return cekura.JobFields
function common.of(client, kind, declaration, scope)
  local known, key = core.fields(client)._common, key_of(kind, scope)
  local self = known[key]
  if not self or self._declaration ~= declaration or self._asked ~= selection.first(client, declaration) then
    self = make(client, kind, declaration, scope)
    known[key] = self
  end
  return self
end

--- The request of the polls of such jobs, for core.new_job(). Raises for a missing member of the scope.
---@param self cekura.JobFields the prototype
---@return table
function common.polls(self)
  if not self._polls then
    local client_fields, declaration = core.fields(self._client), self._declaration
    local base_url = client_fields._base_url
    self._before, self._after = path.split(self.kind, declaration, self._scope, client_fields._api_version)
    self._endpoint = endpoint.has(declaration.poll, "id") and self._before .. self._after or nil
    self._polls = { method = "GET", url = base_url .. self._before, url_rest = path.rest(self, self._asked),
      endpoint_url = self._endpoint and base_url .. self._endpoint, timeout = client_fields._timeout,
      interval = declaration.interval }
  end
  return self._polls
end

return common
