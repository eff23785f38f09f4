--- The simulated service: answers each request. It neither waits nor sends, which is the host's part.
--
-- A request is a table of a host:
--   method, path    the path is without escapes and query
--   uri             the target as it was sent
--   scheme          "http" if nil
--   query           name to text, or a list of texts
--   headers         name in lower case to text
--   body            bytes, or nil
--   at              seconds since the epoch
--   connection, resumed   the number of its connection; whether that resumed a session of TLS

local admin = require "cekura.simulator.admin"
local documented = require "cekura.simulator.documented"
local read_fields = require "cekura.simulator.fields"
local reply = require "cekura.simulator.reply"
local state = require "cekura.simulator.state"

local api = {}

-- ---- the routes ----

-- A route is "METHOD /path/"; {id} stands for an integer, which becomes request.id. Routes without {id} are looked up;
-- those with it are tried one after the other.
local exact, patterns = {}, {}

for _, module in ipairs {
  require "cekura.simulator.improve_prompt", require "cekura.simulator.call_logs", require "cekura.simulator.ingest",
  require "cekura.simulator.jobs", require "cekura.simulator.sessions",
} do
  for route, handler in pairs(module.routes) do
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
local function echo(request)
  return { body = {
    method = request.method, path = request.uri, headers = request.headers, body = request.body,
  } }
end

local function scripted(request)
  local script = state.scripts[request.method .. " " .. request.path] or state.scripts[request.path]
  if not script or #script == 0 then
    return nil
  end
  -- The last reply is repeated.
  return #script > 1 and table.remove(script, 1) or script[1]
end

local NO_SUCH_PATH = { status = 404, headers = { ["Content-Type"] = "text/html" },
  body = "<!doctype html><title>Not Found</title>" }

-- What a request gets that no script answers.
local function routed(request)
  if request.path:sub(1, 1) ~= "/" then
    return { status = 400, body = { detail = "The target is no path." } } -- of CONNECT, for instance
  elseif request.path:sub(1, 6) == "/echo/" then
    return echo(request)
  elseif request.headers["x-cekura-api-key"] ~= state.key then
    return { status = 401, body = { detail = "Invalid API key." } }
  end
  local body, files = read_fields(request)
  local handler, id = find_route(request.method .. " " .. request.path)
  if not handler then
    return documented.answer(request, body, files) or NO_SUCH_PATH
  elseif not body then
    return { status = 400, body = { detail = "JSON parse error" } }
  end
  return handler(setmetatable({ body = body, files = files or {}, id = id }, { __index = request }))
end

-- What answers a request that no script does.
local serve = routed

--- Has a function answer in place of the simulated service. Its replies may have `later`, a function that returns the
--- reply once it is there, and that the host calls until then.
---@param answer fun(request: table): table
function api.serve(answer)
  serve = answer
end

local function answer_of(request)
  state.requests[#state.requests + 1] = request
  local reply_of_script = scripted(request)
  return reply_of_script and not reply_of_script.pass and reply_of_script or serve(request)
end

--- Answers a request. If the reply has `call`, the host has a function make another, for api.answer_with().
---@param request table
---@return table reply see reply.lua
function api.answer(request)
  local is_admin = request.path:sub(1, 6) == "/_sim/"
  return reply.finish(is_admin and admin.answer(request) or answer_of(request))
end

--- Answers the request with a reply of a script.
---@param request table
---@param spec table
---@return table reply
function api.answer_with(request, spec)
  return reply.finish(spec.pass and serve(request) or spec)
end

--- Whether a reply with `hold` still waits, and whether its connection is to end; see reply.lua.
api.waits = reply.waits

return api
