--- An API that answers at random, for the target `api`: `lua spec/fuzz/server.lua`. It prints its port. Its first
-- connection is a lifeline: when that ends, the program exits. An answer depends only on the number that the client
-- sends as X-Seed, and on the number of earlier requests with it.

local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", 0, 128))
io.stdout:setvbuf "no"
print((select(2, server:getsockname())))
local lifeline = assert(server:accept())
server:settimeout(0)

-- ---- answers ----

local seeds = {}

-- A number from 1 to `limit`, from a Lehmer generator for each seed.
local function random(seed, limit)
  seeds[seed] = ((seeds[seed] or tonumber(seed) % 2147483646 + 1) * 48271) % 2147483647
  return seeds[seed] % limit + 1
end

local RECORD = '{"id":7,"call_id":"s-7","status":"%s","success":true,"duration":"01:05","agent":"2142",'
  .. '"timestamp":"2026-05-01T10:00:00Z","updated_at":"2026-05-01T10:00:0%dZ","metadata":{"a":[1,null]},'
  .. '"transcript_object":[{"role":"Main Agent","content":"Hi.","start_time":0}],'
  .. '"evaluation":{"metrics":[{"id":501,"name":"Greets","eval_type":"binary","passed":true,"explanation":["Yes"]}]}}'

local function record(seed)
  return RECORD:format(({ "evaluating", "success", "failure" })[random(seed, 3)], random(seed, 9))
end

local STATES = {
  '{"status":"queued"}', '{"status":"processing","output":null,"error":null}', '{"status":"stuck"}',
  '{"status":"completed","output":{"improved_prompt":"Better.","summary_of_changes":"All."},"error":null}',
  '{"status":"failed","error":"no"}', '{"status":"cancelled"}', '{"status":"error","error":"no issues found"}',
  '{"status":"needs_clarification","session_id":5}', '{"total_scenarios":3,"completed_scenarios":1}', '{}',
  '{"total_scenarios":3,"completed_scenarios":2,"failed_scenarios":1,"scenarios_list":[]}', '{"output":{}}',
}

local ODD = {
  "", "null", "[]", "{", "5", '"x"', "<html>busy</html>", '{"a":', "\255\254", '{"detail":"no"}', '{"call_id":["no"]}',
  '{"progress_id":5}', '{"progress_id":""}', '{"results":5}', '[{"id":1},5]', '{"id":9007199254740993}',
}

local STATUSES = { 200, 201, 204, 301, 304, 400, 401, 403, 404, 408, 409, 410, 422, 425, 429, 500, 502, 503, 504, 599 }

-- A body that mostly suits the path.
local function good_body(seed, method, path)
  if path:find "progress/?%??" then
    return STATES[random(seed, #STATES)]
  elseif path:find "call%-logs/%?" or path:find "call%-logs/$" then
    local next_page = random(seed, 3) == 1 and ('"http://127.0.0.1/x/?page=%d"'):format(random(seed, 5)) or "null"
    return ('{"results":[%s,%s],"next":%s}'):format(record(seed), record(seed), next_page)
  elseif path:find "call%-logs/%d+/" or path:find "observe" then
    return record(seed)
  elseif path:find "rerun" or path:find "evaluate" then
    return "[" .. record(seed) .. "]"
  end
  return method == "POST" and ('{"progress_id":"p-%d","session_id":5}'):format(random(seed, 1000)) or record(seed)
end

local function response(status, body, more)
  return ("HTTP/1.1 %d Whatever\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, more or "", #body, body)
end

-- The bytes of an answer, and what follows on the connection: "keep", "close" or "silent".
local function answer(seed, method, path)
  local turn = random(seed, 60)
  local body = random(seed, 5) == 1 and ODD[random(seed, #ODD)] or good_body(seed, method, path)
  if turn <= 46 then
    return response(200, body), "keep"
  elseif turn <= 54 then
    local status = STATUSES[random(seed, #STATUSES)]
    local more = random(seed, 3) == 1 and "Retry-After: 0\r\n" or nil
    return response(status, (status == 204 or status == 304) and "" or body, more), "keep"
  elseif turn == 55 then
    return ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(math.max(#body, 1),
      body == "" and " " or body), "keep"
  elseif turn <= 57 then
    local whole = response(200, body)
    return whole:sub(1, random(seed, #whole)), "close"
  elseif turn <= 59 then
    return ({ "", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx",
      "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/2 999\r\n\r\n" })[random(seed, 5)], "close"
  end
  return "", "silent" -- until the client gives up
end

-- ---- connections ----

local buffers = {}

local function drop(peer)
  buffers[peer] = nil
  peer:close()
end

-- Answers each complete request in the buffer.
local function serve(peer)
  while buffers[peer] do
    local head, rest = buffers[peer]:match "^(.-\r\n)\r\n(.*)$"
    local length = head and tonumber(head:lower():match "\r\ncontent%-length: *(%d+)" or 0)
    if not head or #rest < length then
      return
    end
    buffers[peer] = rest:sub(length + 1)
    local method, path = head:match "^(%u+) (%S+)"
    local bytes, after = answer(head:match "\r\n[Xx]%-[Ss]eed: *(%d+)" or "1", method or "GET", path or "/")
    peer:send(bytes)
    if after == "close" then
      drop(peer)
    end
  end
end

while true do
  local watched = { server, lifeline }
  for peer in pairs(buffers) do
    watched[#watched + 1] = peer
  end
  for _, readable in ipairs((socket.select(watched))) do
    if readable == server then
      local peer = server:accept()
      if peer then
        peer:settimeout(0)
        peer:setoption("tcp-nodelay", true)
        buffers[peer] = ""
      end
    elseif readable == lifeline then
      os.exit(0)
    else
      local bytes, fault, part = readable:receive(65536)
      if fault == "closed" then
        drop(readable)
      else
        buffers[readable] = buffers[readable] .. (bytes or part)
        serve(readable)
      end
    end
  end
end
