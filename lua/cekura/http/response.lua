--- The answer to one request.

local ascii = require "cekura.http.ascii"
local check = require "cekura.check"
local core = require "cekura.core"
local described = require "cekura.described"
local errors = require "cekura.errors"
local show = require "cekura.show"

local response = {}

---@class cekura.Response
---@field status integer HTTP status
---@field headers table<string, string> by name, in any case; several of one name are joined by ", "
---@field body string decompressed
---@field method string
---@field path string
local methods = {}

local Response = described("cekura.response", function(self)
  return show.format("%s %s: HTTP %d, %d bytes", self.method, self.path, self.status, #self.body)
end)

local any_case = {
  __index = function(headers, name)
    return type(name) == "string" and rawget(headers, ascii.lower(name)) or nil
  end,
}

local function parse_headers(head)
  local headers, lists = setmetatable({}, any_case), {}
  for written, value in head:gmatch "\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    local name = ascii.lower(written)
    lists[name] = lists[name] or {}
    table.insert(lists[name], value:match "^(.-)[ \t]*$")
  end
  for name, values in pairs(lists) do
    headers[name] = table.concat(values, ", ")
  end
  return headers
end

local function is_response(value)
  return getmetatable(value) == Response
end

--- The body as a Lua value: objects and lists are tables, integers are exact.
---@return any value, cekura.Error? err nil and an error of kind "protocol" if the body is not JSON
function methods:json()
  local job = rawget(self, "_job")
  local value, fault
  if job then
    value, fault = core.decode_update(job)
  else
    value, fault = core.decode(self.body)
  end
  if fault then
    return nil, response.protocol_error(self, "the answer is not JSON (" .. fault .. ")")
  end
  return value
end

check.methods("response", methods, is_response)

-- The members of the answer to a poll, which are looked up when they are read.
local MEMBERS_OF_UPDATE = {
  method = function()
    return "GET"
  end,
  path = function(job)
    local fields = core.fields(job)
    return core.fields(fields._client)._path_of(fields)
  end,
  _client = function(job)
    return core.fields(job)._client
  end,
  status = core.update_member, body = core.update_member, _head = core.update_member,
}

-- The head is parsed when a program reads `headers`.
function Response:__index(name)
  if name == "headers" then
    self.headers = parse_headers(self._head)
    return self.headers
  elseif MEMBERS_OF_UPDATE[name] and rawget(self, "_job") then
    return MEMBERS_OF_UPDATE[name](self._job, name)
  end
  return methods[name]
end

--- The good answer that is the update of a job, until that has been handled. Most answers only show that the job goes
-- on, and for this nothing but the object in it is read.
---@param job cekura.Job
---@return cekura.Response answer
function response.of_update(job)
  return setmetatable({ _job = job }, Response)
end

--- Makes a table a response.
---@param client cekura.Client
---@param method string
---@param path string
---@param answer { status: integer, _head: string, body: string } _head: the unchanged head, with the status line
---@return cekura.Response answer
function response.new(client, method, path, answer)
  answer.method, answer.path, answer._client = method, path, client
  return setmetatable(answer, Response)
end

--- The same response for an error to hold, without secrets: a service may repeat in its answer the key that it was
-- sent.
---@param self cekura.Response
---@return cekura.Response
function response.redacted(self)
  local client = self._client
  return response.new(client, self.method, self.path,
    { status = self.status, _head = core.redact(client, self._head), body = core.redact(client, self.body) })
end

-- A refusal has a few lines. A larger one is not decoded: its sender would choose the cost.
local LARGEST_REFUSAL = 64 * 1024

--- The decoded body of a refusal; nil if it is not an object or a list, or is too large for a refusal.
---@param self cekura.Response
---@return table?
function response.refusal(self)
  local object = #self.body <= LARGEST_REFUSAL and core.decode(self.body)
  return type(object) == "table" and object or nil
end

--- An error of kind "protocol", with the status and the first 200 bytes of the body.
---@param self cekura.Response
---@param message string
function response.protocol_error(self, message)
  self = response.redacted(self)
  local text = show.format("%s %s: HTTP %d: %s: %s", self.method, self.path, self.status, message,
    self.body == "" and "nothing" or self.body)
  return errors.new("protocol", text,
    { status = self.status, method = self.method, path = self.path, sent = true, response = self })
end

--- The decoded body, which must be an object.
---@return table? object, cekura.Error? err of kind "protocol" for any other body
function response.object(self)
  local value, err = self:json()
  if err then
    return nil, err
  end
  if type(value) ~= "table" or getmetatable(value) == core.array_mt then
    return nil, response.protocol_error(self, "the answer is not a JSON object")
  end
  return value
end

return response
