--- The call logs that a simulator has received.

local assert = require "luassert"
local cjson = require "cjson"
local process = require "spec.support.process"

local received = {}

local OBSERVE = "/observability/v1/observe/"

--- Their bodies, in order.
---@param server table
---@return table[]
function received.calls(server)
  local bodies = {}
  for _, request in ipairs(server:requests()) do
    if request.path == OBSERVE then
      bodies[#bodies + 1] = cjson.decode(request.body)
    end
  end
  return bodies
end

--- The `call_id` of each, in order.
---@param server table
---@return string[]
function received.ids(server)
  local ids = {}
  for index, body in ipairs(received.calls(server)) do
    ids[index] = body.call_id
  end
  return ids
end

--- Waits until there are as many, and asserts that they are these, in this order.
---@param server table
---@param ids string[]
function received.expect(server, ids)
  process.comes_true(function() return #received.ids(server) >= #ids end)
  assert.same(ids, received.ids(server))
end

return received
