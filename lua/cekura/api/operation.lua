--- Methods of a resource that are one request each, made from their declarations.

local check = require "cekura.check"
local core = require "cekura.core"
local endpoint = require "cekura.http.endpoint"
local params = require "cekura.api.params"
local record = require "cekura.records.record"
local request = require "cekura.http.request"
local response = require "cekura.http.response"
local state = require "cekura.job.state"

-- What an answer is read as.
local READERS = { record = record.of_reply, records = record.list_of_reply }

-- An object or a list, decoded.
function READERS.json(reply)
  local value, err = reply:json()
  if not err and type(value) ~= "table" then
    return nil, response.protocol_error(reply, "the answer is neither an object nor a list")
  end
  return value, err
end

---@class cekura.Operation
---@field [1] string "METHOD /path/"; {id} in it is the method's first argument, {version} the client's api_version
---@field params? table<string, table> as in cekura.api.kinds, and `default =`; nil: it takes no parameters
---@field one_of? string[] as in cekura.api.kinds
---@field prepare? fun(sent: table) completes the checked parameters
---@field answer string "record", "records", or "json" for any object or list
---@field withdrawn? string as in cekura.api.kinds: a 404 means that the endpoint is gone

--- Makes the method. It takes the client, the id if the path has one, the parameters if there are any, and
--- { timeout = seconds }.
---@param name string what its parameters are called in an error
---@param declared cekura.Operation
---@return fun(client: cekura.Client, ...): any, cekura.Error?
local function operation(name, declared)
  local takes_id, read = endpoint.has(declared[1], "id"), READERS[declared.answer]
  return function(client, id, given, options)
    if not takes_id then
      id, given, options = nil, id, given
    end
    if not declared.params then
      given, options = nil, given
    end
    local fields, timeout = core.fields(client), check.timeout(options)
    local method, path = endpoint.fill(name, declared[1],
      { id = takes_id and check.id("id", id) or nil, version = fields._api_version })
    local reply, err
    if declared.params then
      local sent = params.read(name, declared, given, fields._project_id)
      if declared.prepare then
        declared.prepare(sent)
      end
      reply, err = request.send_json(client, method, path, name, sent, timeout)
    else
      reply, err = request.send(client, method, path, nil, nil, timeout)
    end
    if reply then
      return read(reply)
    end
    return nil, declared.withdrawn and state.mark_gone(err, declared) or err
  end
end

return operation
