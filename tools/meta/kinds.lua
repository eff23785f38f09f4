--- lua/cekura/meta/kinds.lua: for each kind of job its parameters, its result and its job, from cekura.api.kinds.

local checks = require "tools.meta.checks"
local endpoint = require "cekura.http.endpoint"
local kinds = require "cekura.api.kinds"
local names = require "tools.meta.names"
local sorted_keys = require "spec.support.sorted_keys"
local writer = require "tools.luacats.writer"

local kinds_meta = {}

-- The types of members of results, as far as they are known; those of counters follow from the declarations.
local MEMBERS = {
  agent_id = "cekura.Id", clean_description = "string", current_stage = "string", custom_code = "string",
  headline = "string", improved_evaluation_trigger = "string", improved_metric_description = "string",
  improved_prompt = "string", metrics = "table[]", mode = "string", num_calls_analyzed = "integer",
  original_prompt = "string", proposal_summary = "table", results = "table[]", scenario = "table",
  scenario_id = "cekura.Id", session_id = "string", simplified_prompt = "string", skipped_simplification = "boolean",
  stages = "table[]", status = "string", summary_of_changes = "string", thinking = "string",
}

local function counters_of(declaration)
  local types, counters = {}, declaration.counters or {}
  for _, what in ipairs { "done", "failed", "total", "success" } do
    types[counters[what] or ""] = "integer"
  end
  types[counters.list or ""] = "table[]"
  types[counters.runs or ""] = "table"
  types.passed = counters.runs and "boolean"
  return types
end

-- The names in a text like "the result: passed, runs (a list), …".
local function result_fields(declaration)
  local fields, counted = {}, counters_of(declaration)
  for item in declaration.returns:gsub("^[^,:]*:", ""):gsub(" %(or ([%w_]+)%)", ", %1"):gmatch "[^,]+" do
    local name, text = item:match "^%s*([%w_]+)%s*%(?([^()]*)%)?$"
    if name and (text == "" or item:find "%(") then
      fields[#fields + 1] = { name = name, optional = true, text = text,
        type = counted[name] or MEMBERS[name] or "any" }
    end
  end
  if declaration.call_log then
    fields[#fields + 1] = { name = "call_log", type = "cekura.CallLog", optional = true,
      text = "the record, where the service answers with one" }
  end
  return fields
end

local function put_result(lines, kind, class, declaration)
  if declaration.record then
    return "cekura.CallLog"
  end
  writer.class(lines, { name = class .. "Result", parent = "cekura.JobResult",
    fields = result_fields(declaration),
    text = ("The result of %s: %s."):format(kind, declaration.returns):gsub("…%.$", "…") })
  return class .. "Result"
end

-- The job's methods, which return the kind's result.
local function put_job(lines, kind, class, result)
  local name = class .. "Job"
  local variable = name:gsub("^cekura", ""):gsub("%.", "")
  writer.class(lines, { name = name, parent = "cekura.Job", text = ("A job of the kind %s."):format(kind),
    fields = { { name = "result", type = result, optional = true } } }, variable)
  local options = { name = "options", type = "cekura.WaitOptions", optional = true }
  writer.method(lines, variable, { name = "wait", text = "Waits until the job has ended.", params = { options },
    returns = { { type = result .. "?", name = "result" }, { type = "cekura.Error?", name = "err" } } })
  writer.method(lines, variable, { name = "updates", text = "Iterates over the changes of the job, its end included.",
    params = { options }, returns = { { type = ("fun(): %s?"):format(name) } } })
end

--- What the start of a kind takes.
---@param model table
---@param declaration table
---@return table[]? fields as tools.luacats.writer takes them; nil: any
function kinds_meta.params(model, declaration)
  local fields = checks.fields(model, declaration)
  for _, place in ipairs(fields and endpoint.places(declaration.start or declaration.direct) or {}) do
    for _, name in ipairs { place, "id" } do
      fields[#fields + 1] = { name = name, type = "cekura.Id", optional = true, text = "of the path; `"
        .. (name == "id" and place or "id") .. "` stands for it, too" }
    end
  end
  return fields
end

local function text_of(kind, declaration)
  local lines = { ("Starts a job of the kind %s: %s."):format(kind, declaration.start or declaration.direct),
    (("The result has %s."):format(declaration.returns):gsub("…%.$", "…")) }
  lines[#lines + 1] = declaration.start and declaration.direct and
    ("With the option `direct`: %s."):format(declaration.direct)
  lines[#lines + 1] = declaration.note and ("Note: %s."):format(declaration.note)
  lines[#lines + 1] = declaration.withdrawn and
    ("Cekura removed the endpoint from its documentation on %s."):format(declaration.withdrawn)
  return table.concat(lines, "\n")
end

--- The method that starts a kind; nil: it has none, since its jobs are made by client:job() only.
---@param model table
---@param kind string
---@return table? method as tools.luacats.writer takes it
function kinds_meta.method(model, kind)
  local declaration, class = kinds[kind], names.class_of_kind(kind)
  if not declaration.start and not declaration.direct then
    return nil
  end
  local fields = kinds_meta.params(model, declaration)
  local params = { name = "params", type = fields and class .. "Params" or "table<string, any>", optional = true }
  for _, field in ipairs(fields or { {} }) do
    params.optional = params.optional and field.optional
  end
  return { name = kind:match "[^.]+$", text = text_of(kind, declaration),
    fields = fields, params = { params, { name = "options", type = "cekura.StartOptions", optional = true } },
    returns = { { type = class .. "Job?", name = "job" }, { type = "cekura.Error?", name = "err" } } }
end

--- The text of the file.
---@param model table
---@return string[] lines
function kinds_meta.lines(model)
  local lines = {}
  writer.alias(lines, "cekura.KindName", sorted_keys(kinds), "The kinds of job that come with the module.")
  for _, kind in ipairs(sorted_keys(kinds)) do
    local declaration, class = kinds[kind], names.class_of_kind(kind)
    local fields = (declaration.start or declaration.direct) and kinds_meta.params(model, declaration)
    if fields then
      writer.class(lines, { name = class .. "Params", text = ("What the start of %s takes."):format(kind),
        fields = fields })
    end
    put_job(lines, kind, class, put_result(lines, kind, class, declaration))
  end
  return lines
end

return kinds_meta
