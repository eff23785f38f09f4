--- The paths of a job's polls. Those of jobs that differ only in their ids have the same beginning and the same end.

local endpoint = require "cekura.http.endpoint"
local uri = require "cekura.http.uri"

local path = {}

-- The query of a poll whose path has no place for the id, up to the id, and what follows the id.
local function split_query(name, query)
  query[name] = ""
  local text = uri.query("poll", query)
  local _, last = ("&" .. text:sub(2)):find("&" .. uri.encode(name) .. "=", 1, true)
  return text:sub(1, last), text:sub(last + 1)
end

--- What precedes the id in the path of a poll for the whole record, and what follows it. Raises for a missing member of
-- the scope.
---@param kind string
---@param declaration table of the kind
---@param scope table<string, any> agent_id, project_id, assistant_id
---@param version string of the API
---@return string before, string after
function path.split(kind, declaration, scope, version)
  local places = { version = version, agent_id = scope.agent_id, project_id = scope.project_id,
    assistant_id = scope.assistant_id }
  local query = {}
  for _, name in ipairs(declaration.poll_scope or {}) do
    query[name] = scope[name]
  end
  local _, text = endpoint.parse(declaration.poll)
  local before, after = text:match "^(.-){id}(.*)$"
  if before then
    return endpoint.fill_path(kind, before, places), endpoint.fill_path(kind, after, places) .. uri.query("poll", query)
  end
  before, after = split_query(declaration.id, query)
  return endpoint.fill_path(kind, text, places) .. before, after
end

--- The text of an id between the two.
---@param id string|integer
---@return string
function path.id(id)
  return uri.encode(uri.text("id", id))
end

--- What follows the id in the path of a job's poll.
---@param fields cekura.JobFields
---@param asked cekura.Asked what it asks for
---@return string
function path.rest(fields, asked)
  local after = fields._after
  if not asked.text then
    return after
  end
  local query = uri.query("selection", { [fields._declaration.selection.parameter] = asked.text })
  local has_query = fields._before:find("?", 1, true) or after:find("?", 1, true)
  return after .. (has_query and query:gsub("^%?", "&") or query)
end

--- The path of a job's polls; or of the request that a job without polls was.
---@param fields cekura.JobFields
---@param asked? cekura.Asked nil: what its polls ask for now
---@return string?
function path.of(fields, asked)
  if fields._path or not fields.id then
    return fields._path
  end
  return fields._before .. path.id(fields.id) .. path.rest(fields, asked or fields._asked)
end

return path
