--- What the operations that are rows of data return. Their rows do not say it: the module reads any answer
-- (cekura.api.operation), and the service's document has its shape (spec/api/openapi.json).

local cjson = require "cjson"
local endpoint = require "cekura.http.endpoint"
local file = require "spec.support.file"
require "cekura.client.resources" -- gives rows the class of their records

local answers = {}

--- What methods return, in words, by its type.
answers.WORDS = { ["cekura.Record"] = "a record", ["cekura.Run"] = "a run", ["cekura.Result"] = "a result",
  ["cekura.CallLog"] = "a call log", ["cekura.CallLog[]"] = "a list of call logs", ["cekura.Page"] = "a page",
  ["cekura.Calls.Page"] = "a page", ["cekura.Each"] = "an iterator", ["cekura.Response"] = "a response",
  ["boolean"] = "`true`", ["true"] = "`true`", ["table"] = "the answer, decoded" }

-- The types of records, by the class in a row.
local RECORDS = { run = "cekura.Run", result = "cekura.Result" }

local document

local function resolve(schema)
  while schema and schema["$ref"] do
    schema = document.components.schemas[schema["$ref"]:match "[^/]+$"]
  end
  return schema
end

-- The schema of the answer to a success; nil: it has no body.
local function schema_of(row)
  document = document or cjson.decode(file.read "spec/api/openapi.json")
  local method, path = endpoint.parse(row[1])
  for _, response in pairs(document.paths[path][method:lower()].responses) do
    local content = response.content and response.content["application/json"]
    if content then
      return resolve(content.schema)
    end
  end
end

--- The type of what an operation returns.
---@param row table of cekura.api.operations
---@return string "cekura.Record", or another class of records; "cekura.Page"; "true": the answer has no body
function answers.type_of(row)
  local schema = schema_of(row)
  if not schema then
    return "true"
  end
  return row.name == "list" and "cekura.Page" or schema.type == "array" and "cekura.Page"
    or RECORDS[row.class] or "cekura.Record"
end

return answers
