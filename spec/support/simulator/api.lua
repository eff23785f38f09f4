--- The part of the Cekura API that this project needs: passes each request to its handler. See README.md.

local json = require "json"
local multipart = require "multipart"
local openapi = require "openapi"
local reply = require "reply"
local state = require "state"

local api = {}

-- ---- the routes ----

-- A route is "METHOD /path/"; {id} stands for an integer, which becomes request.id. Routes without {id} are looked up;
-- those with it are tried one after the other.
local exact, patterns = {}, {}

for _, module in ipairs { "improve_prompt", "call_logs", "ingest", "jobs", "sessions" } do
  for route, handler in pairs(require(module).routes) do
    if route:find("{id}", 1, true) then
      patterns["^" .. route:gsub("%-", "%%-"):gsub("{id}", "(%%d+)") .. "$"] = handler
    else
      exact[route] = handler
    end
  end
end

---@return fun(request: table): table? handler
---@return integer? id
local function find_route(route)
  if exact[route] then
    return exact[route]
  end
  for pattern, handler in pairs(patterns) do
    local id = route:match(pattern)
    if id then
      return handler, tonumber(id)
    end
  end
end

-- ---- one request ----

-- Returns the request as its answer.
local function echo(raw)
  return { body = {
    method = ngx.req.get_method(), path = ngx.var.request_uri, headers = ngx.req.get_headers(), body = raw,
  } }
end

-- A body that is not UTF-8 would make the list of requests invalid JSON.
local function remember(raw)
  if raw and raw:find "^%-%-" then
    raw = raw:gsub("[\128-\255]", "?")
  end
  state.requests[#state.requests + 1] = {
    method = ngx.req.get_method(), path = ngx.var.uri, uri = ngx.var.request_uri, headers = ngx.req.get_headers(),
    body = raw, connection = tonumber(ngx.var.connection), resumed = ngx.var.ssl_session_reused == "r", at = ngx.now(),
  }
end

local function scripted()
  local script = state.scripts[ngx.var.uri]
  if not script or #script == 0 then
    return nil
  end
  -- The last reply is repeated.
  return #script > 1 and table.remove(script, 1) or script[1]
end

local function read_raw()
  ngx.req.read_body()
  local path = ngx.req.get_body_file()
  if not path then
    return ngx.req.get_body_data()
  end
  local file = assert(io.open(path, "rb"))
  local raw = file:read "*a"
  file:close()
  return raw
end

-- The body as a table, and its files; nil if the body cannot be read.
local function read_fields(raw)
  local content_type = ngx.var.content_type or ""
  if content_type:find("multipart/form-data", 1, true) then
    return multipart.read(content_type, raw or "")
  end
  local body = json.decode(raw or "{}")
  return type(body) == "table" and body or nil
end

-- For the operations without a handler.
local function answer_by_document(operation, faults)
  if not faults[1] then
    local status, body = openapi.answer(operation)
    return { status = status, body = body }
  end
  local fields = {}
  for _, fault in ipairs(faults) do
    local name, message = fault:match "^%a+%.?(.-): (.*)$"
    fields[name == "" and "detail" or name] = json.list { message }
  end
  return { status = 400, body = fields }
end

-- What is wrong with the request by the official document is remembered, also where a script answers it.
local function judge(operation, places, raw, body, files)
  local faults = openapi.faults(operation, places, ngx.req.get_uri_args(), raw and body or nil, files)
  for _, fault in ipairs(faults) do
    state.remember("faults", { endpoint = operation.method .. " " .. operation.path, fault = fault })
  end
  return faults
end

function api.answer()
  local raw = read_raw()
  remember(raw)
  local body, files = read_fields(raw)
  local operation, places = openapi.find(ngx.req.get_method(), ngx.var.uri)
  local faults = operation and body and judge(operation, places, raw, body, files)
  local told = scripted()
  if told and not told.pass then
    return reply.send(told)
  elseif ngx.var.uri:sub(1, 6) == "/echo/" then
    return reply.send(echo(raw))
  elseif ngx.req.get_headers()["X-CEKURA-API-KEY"] ~= state.key then
    return reply.send { status = 401, body = { detail = "Invalid API key." } }
  end
  local handler, id = find_route(ngx.req.get_method() .. " " .. ngx.var.uri)
  if not handler and not operation then
    return reply.send { status = 404, headers = { ["Content-Type"] = "text/html" },
      body = "<!doctype html><title>Not Found</title>" }
  elseif not body then
    return reply.send { status = 400, body = { detail = "JSON parse error" } }
  elseif handler then
    return reply.send(handler { body = body, files = files or {}, args = ngx.req.get_uri_args(), id = id })
  end
  return reply.send(answer_by_document(operation, faults))
end

return api
