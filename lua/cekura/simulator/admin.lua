--- Controls the simulator, and shows what it received: functions for programs in Lua, and requests below /_sim/ for
-- others. See docs/simulator.md.

local check = require "cekura.simulator.check"
local documented = require "cekura.simulator.documented"
local evaluations = require "cekura.simulator.evaluations"
local ingest = require "cekura.simulator.ingest"
local json = require "cekura.simulator.json"
local records = require "cekura.simulator.records"
local reply = require "cekura.simulator.reply"
local sessions = require "cekura.simulator.sessions"
local state = require "cekura.simulator.state"

local admin = {}

--- Forgets all that happened.
function admin.reset()
  state.reset()
  return {}
end

--- The next requests to a path get these replies in order, and later ones the last reply; see reply.lua.
---@param wanted { path: string, replies: table[] } the path may begin with a method: "POST /path/"
---@return table? nothing
---@return string? fault
function admin.script(wanted)
  local path = type(wanted.path) == "string" and wanted.path:match "^/" or tostring(wanted.path):match "^%u+ /"
  local fault = not path and "A path is missing." or reply.fault(wanted.replies)
  if fault then
    return nil, fault
  end
  state.scripts[wanted.path] = wanted.replies
  return {}
end

--- Lets the replies go that are held by that name.
---@param wanted { name: string }
function admin.release(wanted)
  state.released[wanted.name] = true
  return {}
end

--- Sets the key that requests must have.
---@param wanted { key: string }
function admin.key(wanted)
  state.key = wanted.key
  return {}
end

-- The value of a body that is JSON; nil: it is not. Kept, since a caller may ask again and again.
local function json_of(request)
  if request.json == nil and request.body and request.body:find "^%s*[%[{]" then
    request.json = json.decode(request.body)
  end
  return request.json
end

--- The requests since the last reset, oldest first, as the host gave them (see api.lua), with the value of a body that
-- is JSON as `json`.
---@param filter? { method?: string, path?: string }
---@return table[]
function admin.requests(filter)
  local method, path = filter and filter.method, filter and filter.path
  local found = json.list()
  for _, request in ipairs(state.requests) do
    if (not method or request.method == method) and (not path or request.path == path) then
      json_of(request)
      found[#found + 1] = request
    end
  end
  return found
end

--- How many jobs and polled records were started.
---@return { made: integer }
function admin.jobs()
  return { made = state.made }
end

--- What requests left behind and no answer shows.
---@return table<string, table[]>
function admin.memory()
  local memory = { faults = documented.faults(state.requests) }
  for name, items in pairs(state.memory) do
    memory[name] = json.list(items)
  end
  return memory
end

--- Adds call logs, see ingest.add().
---@return { ids: integer[] }
function admin.call_logs(wanted)
  return { ids = ingest.add(wanted) }
end

local function webhook(event_type, data)
  return data and { event_type = event_type, data = data }
end

local function reported_call_log(id)
  local record = state.call_logs[id]
  if record and evaluations.running(record) then
    evaluations.finish(record, record.life and record.life.ending == "failed" and "failed" or "completed")
  end
  return record and records.detail(record, "both")
end

--- The body of a webhook. The service sends it when the work ends, so the work ends here.
---@param wanted { call_log_id: integer } | { result_id: integer }
---@return table? body nil: there is no such record
function admin.webhook(wanted)
  if wanted.result_id then
    return webhook("result.completed", sessions.reported_result(tonumber(wanted.result_id)))
  end
  return webhook("call_log.completed", reported_call_log(tonumber(wanted.call_log_id)))
end

-- ---- over HTTP ----

local ACTIONS = {
  ["POST /_sim/reset/"] = admin.reset, ["POST /_sim/release/"] = admin.release,
  ["POST /_sim/key/"] = admin.key, ["GET /_sim/jobs/"] = admin.jobs, ["GET /_sim/memory/"] = admin.memory,
  ["POST /_sim/call_logs/"] = admin.call_logs, ["GET /_sim/webhook/"] = admin.webhook,
}

-- Every program on this machine may send this request, so it gives none of the files that this process may read.
ACTIONS["POST /_sim/script/"] = function(wanted)
  local fault = reply.fault(wanted.replies)
  for _, spec in ipairs(fault and {} or wanted.replies) do
    if spec.file then
      return nil, "A script that comes over HTTP may not contain files."
    end
  end
  return admin.script(wanted)
end

-- Bytes that are no UTF-8 would make the answer invalid JSON.
local function readable(bytes)
  if not bytes or not bytes:find "[\128-\255]" then
    return bytes
  end
  local rest = bytes:gsub("[\194-\223][\128-\191]", ""):gsub("[\224-\239][\128-\191][\128-\191]", "")
    :gsub("[\240-\244][\128-\191][\128-\191][\128-\191]", "")
  return rest:find "[\128-\255]" and bytes:gsub("[\128-\255]", "?") or bytes
end

ACTIONS["GET /_sim/requests/"] = function(filter)
  local found = json.list()
  for index, request in ipairs(admin.requests(filter)) do
    local shown = {}
    for name, value in pairs(request) do
      shown[name] = value
    end
    shown.body = readable(request.body)
    found[index] = shown
  end
  return { requests = found }
end

--- The answer to a request below /_sim/.
---@param request table of a host, see api.lua
---@return table reply
function admin.answer(request)
  local action = ACTIONS[request.method .. " " .. request.path]
  local arguments = request.method == "GET" and request.query or request.body and json.decode(request.body) or {}
  if not action or type(arguments) ~= "table" then
    return check.not_found()
  end
  local answer, fault = action(arguments)
  if fault then
    return check.bad_request(fault)
  end
  return answer and { body = answer } or check.not_found()
end

return admin
