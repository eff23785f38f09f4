--- Calls by SIP over UDP (RFC 3261) through a proxy. Both ends are in this process and each step waits for the message
-- that must come next, so that a spec sees the order of messages.
--   local agent = sip.agent()            -- listens on 127.0.0.1, port agent.port
--   local call = sip.call(port, agent)   -- INVITE, 200 and ACK by way of the proxy on that port
--   call:hang_up()                       -- BYE and its 200; call:hang_up(true): the agent hangs up

local socket = require "socket"

local sip = {}

local LIMIT = 60 -- the seconds that a message may take, even on a busy machine

local function open(port)
  local peer = assert(socket.udp())
  assert(peer:setsockname("127.0.0.1", port or 0))
  peer:settimeout(LIMIT)
  return { peer = peer, port = tonumber((select(2, peer:getsockname()))) }
end

-- `headers` is a list of { name, value }.
local function send(from, port, first, headers)
  local lines = { first }
  for _, header in ipairs(headers) do
    lines[#lines + 1] = header[1] .. ": " .. header[2]
  end
  lines[#lines + 1] = "Content-Length: 0\r\n\r\n"
  assert(from.peer:sendto(table.concat(lines, "\r\n"), "127.0.0.1", port))
end

local function read(text, port)
  local message = { first = text:match "[^\r\n]*", port = port }
  for name, value in text:gmatch "\r\n([%w-]+): *([^\r\n]*)" do
    message[#message + 1] = { name, value }
    message[name] = message[name] or value
  end
  return message
end

-- Waits for a message of this call whose first line begins so. Skips others, such as "100 trying" and repeated ones.
local function await(at, beginning, call_id)
  local seen = {}
  while true do
    local text, _, port = at.peer:receivefrom()
    local message = read(assert(text, "instead of " .. beginning .. ": " .. table.concat(seen, ", ")), port)
    if message.first:find(beginning, 1, true) == 1 and message["Call-ID"] == call_id then
      return message
    end
    seen[#seen + 1] = message.first
  end
end

-- Answers a request with 200: with its headers that an answer repeats.
local function accept(at, request, tag)
  local headers = { { "Contact", ("<sip:x@127.0.0.1:%d>"):format(at.port) } }
  for _, header in ipairs(request) do
    local name, value = header[1], header[2]
    if name == "To" and not value:find(";tag=", 1, true) then
      value = value .. ";tag=" .. tag
    end
    if ("Via Record-Route From To Call-ID CSeq"):find(name, 1, true) then
      headers[#headers + 1] = { name, value }
    end
  end
  send(at, request.port, "SIP/2.0 200 OK", headers)
end

local Call = {}
Call.__index = Call

-- Sends a request from one end to the other, by way of the proxy.
function Call:request(method, from, to)
  self.branch = self.branch + 1
  send(from, self.proxy, ("%s sip:x@127.0.0.1:%d SIP/2.0"):format(method, to.port), {
    { "Via", ("SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s-%d"):format(from.port, self.id, self.branch) },
    { "Max-Forwards", "70" }, { "From", from == self.caller and self.from or self.to },
    { "To", to == self.agent and self.to or self.from }, { "Call-ID", self.id },
    { "CSeq", (method == "BYE" and 2 or 1) .. " " .. method },
    { "Contact", ("<sip:x@127.0.0.1:%d>"):format(from.port) },
    self.route and { "Route", self.route },
  })
end

--- The end of the callee.
---@param port? integer a free one if nil
---@return table agent
function sip.agent(port)
  return open(port)
end

local count = 0

--- Begins a call.
---@param proxy integer the port of the proxy
---@param agent table
---@return table call with `id`, its Call-ID
function sip.call(proxy, agent)
  count = count + 1
  local self = setmetatable({ proxy = proxy, agent = agent, caller = open(), branch = 0 }, Call)
  self.id = ("%d-%d-%s"):format(count, self.caller.port, tostring(socket.gettime()):gsub("%D", ""))
  self.from, self.to = "<sip:+15550100@127.0.0.1>;tag=c" .. count, "<sip:lakeside@127.0.0.1>"
  self:request("INVITE", self.caller, agent)
  accept(agent, await(agent, "INVITE", self.id), "a" .. count)
  local answer = await(self.caller, "SIP/2.0 200", self.id)
  self.to, self.route = answer.To, answer["Record-Route"]
  self:request("ACK", self.caller, agent)
  await(agent, "ACK", self.id)
  return self
end

--- Ends it. Returns when the end that hangs up has received its 200.
---@param by_agent? boolean the agent hangs up
---@return number seconds from the BYE to its 200
function Call:hang_up(by_agent)
  local from, to = self.caller, self.agent
  if by_agent then
    from, to = to, from
  end
  local began = socket.gettime()
  self:request("BYE", from, to)
  accept(to, await(to, "BYE", self.id))
  await(from, "SIP/2.0 200", self.id)
  local seconds = socket.gettime() - began
  self.caller.peer:close()
  return seconds
end

return sip
