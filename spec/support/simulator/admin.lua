--- /_sim/: tells the simulator what to do, and what it has seen. See README.md.

local cjson = require "cjson"
local reply = require "reply"
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

actions["POST /_sim/key/"] = function(body)
  state.key = body.key
  return {}
end

actions["GET /_sim/requests/"] = function()
  return { requests = #state.requests > 0 and state.requests or cjson.null }
end

actions["GET /_sim/jobs/"] = function()
  return { made = state.made }
end

function admin.answer()
  local action = actions[ngx.req.get_method() .. " " .. ngx.var.uri]
  if not action then
    return reply.send { status = 404, body = { detail = "Not found." } }
  end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  return reply.send { body = action(body and cjson.decode(body)) }
end

return admin
