--- /_sim/: controls the simulator, and shows what it received. See README.md.

local check = require "check"
local evaluations = require "evaluations"
local ingest = require "ingest"
local json = require "json"
local records = require "records"
local reply = require "reply"
local sessions = require "sessions"
local state = require "state"

local admin = {}

local actions = {}

actions["POST /_sim/reset/"] = function()
  state.reset()
  return {}
end

actions["POST /_sim/script/"] = function(body)
  state.scripts[body.path] = body.replies
  return {}
end

actions["POST /_sim/release/"] = function(body)
  state.released[body.name] = true
  return {}
end

actions["POST /_sim/key/"] = function(body)
  state.key = body.key
  return {}
end

actions["GET /_sim/requests/"] = function()
  return { requests = json.list(state.requests) }
end

actions["GET /_sim/jobs/"] = function()
  return { made = state.made }
end

actions["GET /_sim/memory/"] = function()
  local memory = {}
  for name, items in pairs(state.memory) do
    memory[name] = json.list(items)
  end
  return memory
end

actions["POST /_sim/call_logs/"] = function(body)
  return { ids = ingest.add(body) }
end

local function told(event_type, data)
  return data and { event_type = event_type, data = data }
end

local function call_log_told(id)
  local record = state.call_logs[id]
  if record and evaluations.running(record) then
    evaluations.finish(record, record.life and record.life.ending == "failed" and "failed" or "completed")
  end
  return record and records.detail(record, "both")
end

-- The body of a webhook. The service sends it when the work ends, so the work ends here.
actions["GET /_sim/webhook/"] = function(_, args)
  if args.result_id then
    return told("result.completed", sessions.result_told(tonumber(args.result_id)))
  end
  return told("call_log.completed", call_log_told(tonumber(args.call_log_id)))
end

function admin.answer()
  local action = actions[ngx.req.get_method() .. " " .. ngx.var.uri]
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local answer = action and action(body and json.decode(body), ngx.req.get_uri_args())
  return reply.send(answer and { body = answer } or check.not_found())
end

return admin
