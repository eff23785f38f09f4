--- The Cekura API, as far as this project needs it. See README.md.

local cjson = require "cjson"
local life = require "life"
local reply = require "reply"
local state = require "state"

local api = {}

local MOST_CALL_LOGS = 40

-- "life=failed; polls=2" as a table.
local function directives()
  local found = {}
  for name, value in (ngx.req.get_headers()["X-Simulate"] or ""):gmatch "([%w_]+)=([^;%s]+)" do
    found[name] = tonumber(value) or value
  end
  return found
end

local function invalid(fields)
  return { status = 400, body = fields }
end

-- ---- the improve-prompt family ----

local function call_logs_source(body)
  local selection = body.call_logs
  if selection == nil then
    return nil, invalid { call_logs = { "This field is required." } }
  elseif type(selection) == "number" and selection > MOST_CALL_LOGS then
    return nil, invalid { call_logs = { ("Maximum length is %d"):format(MOST_CALL_LOGS) } }
  elseif type(selection) ~= "table" and not body.agent_id and not body.assistant_id then
    return nil, invalid { agent_id = { "This field is required." } }
  end
  local count = type(selection) == "table" and #selection or selection
  return ("%s call logs"):format(tostring(count))
end

local function runs_source(body)
  if type(body.run_ids) ~= "table" then
    return nil, invalid { run_ids = { "This field is required." } }
  end
  return ("%d runs"):format(#body.run_ids)
end

local function start_improvement(source_of)
  return function(body)
    local asked = directives()
    if type(body.prompt) ~= "string" or body.prompt == "" then
      return invalid { prompt = { "This field may not be blank." } }
    end
    local source, refusal = source_of(body)
    if refusal then
      return refusal
    end
    state.made = state.made + 1
    local job = {
      life = asked.life or "completed",
      polls = 0,
      polls_to_end = asked.polls or 2,
      seconds = asked.seconds,
      started = ngx.now(),
      prompt = body.prompt,
      source = source,
    }
    if not life.exists(job.life) then
      return { status = 400, body = { detail = "There is no life " .. job.life } }
    elseif job.life == "inline" then
      return { body = life.inline(job) }
    end
    local id = ("5f0c1d2e-0000-4000-8000-%012d"):format(state.made)
    state.jobs[id] = job
    return { body = { progress_id = id } }
  end
end

local function progress()
  local job = state.jobs[ngx.var.arg_progress_id or ""]
  if not job then
    return { status = 404, body = { detail = "Not found." } }
  end
  return { body = life.progress(job) }
end

local function issues(body)
  if body.call_logs == nil then
    return invalid { call_logs = { "This field is required." } }
  end
  return { body = { issues = { { title = "The date was not confirmed", call_logs = body.call_logs } } } }
end

local operations = {
  ["POST /observability/v1/call-logs/improve_prompt_bg/"] = start_improvement(call_logs_source),
  ["GET /observability/v1/call-logs/improve_prompt_progress/"] = progress,
  ["POST /observability/v1/call-logs/improve_prompt_issues/"] = issues,
  ["POST /test_framework/v1/runs/improve_prompt_bg/"] = start_improvement(runs_source),
  ["GET /test_framework/v1/runs/improve_prompt_progress/"] = progress,
}

-- Gives back what came: for specs of requests.
local function echo(_, raw)
  return { body = {
    method = ngx.req.get_method(), path = ngx.var.request_uri, headers = ngx.req.get_headers(), body = raw,
  } }
end

-- ---- one request ----

local function remember(raw)
  state.requests[#state.requests + 1] = {
    method = ngx.req.get_method(), path = ngx.var.uri, uri = ngx.var.request_uri, headers = ngx.req.get_headers(),
    body = raw, connection = tonumber(ngx.var.connection),
  }
end

local function scripted()
  local script = state.scripts[ngx.var.uri]
  if not script or #script == 0 then
    return nil
  end
  -- The last one stays.
  return #script > 1 and table.remove(script, 1) or script[1]
end

local function read_body()
  ngx.req.read_body()
  local raw = ngx.req.get_body_data()
  local ok, body = pcall(cjson.decode, raw or "{}")
  return raw, ok and type(body) == "table" and body or nil
end

function api.answer()
  local raw, body = read_body()
  remember(raw)
  local told = scripted()
  if told and not told.pass then
    return reply.send(told)
  elseif ngx.var.uri:sub(1, 6) == "/echo/" then
    return reply.send(echo(body, raw))
  elseif ngx.req.get_headers()["X-CEKURA-API-KEY"] ~= state.key then
    return reply.send { status = 401, body = { detail = "Invalid API key." } }
  end
  local operation = operations[ngx.req.get_method() .. " " .. ngx.var.uri]
  if not operation then
    return reply.send { status = 404, headers = { ["Content-Type"] = "text/html" },
      body = "<!doctype html><title>Not Found</title>" }
  elseif not body then
    return reply.send { status = 400, body = { detail = "JSON parse error" } }
  end
  return reply.send(operation(body, raw))
end

return api
