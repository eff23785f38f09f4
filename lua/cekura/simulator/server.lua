--- The side of the module's own server that is in Lua: reads the heads of requests, has them answered, and has the
-- replies sent when they are due. It runs in a thread, in a Lua state of its own (src/simulator/behaviour.h).

local admin = require "cekura.simulator.admin"
local api = require "cekura.simulator.api"
local clock = require "cekura.simulator.clock"
local json = require "cekura.simulator.json"
local reply = require "cekura.simulator.reply"
local state = require "cekura.simulator.state"
local uri = require "cekura.simulator.uri"
local wire = require "cekura.simulator.wire"

-- Seconds that a function of the test has for its reply.
local PATIENCE = 10

---@class cekura.simulator.Native what src/simulator/behaviour.c offers
---@field send fun(id: integer, head: string, body: string, slow?: number, ends: boolean)
---@field wake fun(id: integer, seconds: number)
---@field ask fun(number: integer, text: string)
---@field now fun(): number
---@field utc fun(format: string, seconds: number): string

local native ---@type cekura.simulator.Native

-- What the request of each connection waits for: { step = function, reply = table }, and `question`, its number.
local waiting = {}

-- The connections whose replies are held, and the connection of each question.
local held, asked, questions = {}, {}, 0

-- ---- the head of a request ----

local function read_headers(text)
  local headers = {}
  for name, value in text:gmatch "([^\r\n:]+):[ \t]*([^\r\n]-)[ \t]*\r?\n" do
    local lower = name:lower()
    headers[lower] = headers[lower] and headers[lower] .. ", " .. value or value
  end
  return headers
end

local function read_request(id, head, body)
  local method, target, version, rest = head:match "^%s*(%S+) (%S+) HTTP/(%d%.%d)\r?\n(.*)$"
  local path, query = uri.split((target:gsub("^%a[%w+.-]*://[^/?]*", "")))
  return {
    method = method, path = path, uri = target, query = query, headers = read_headers(rest), body = body,
    at = native.now(), connection = id, resumed = false,
  }, version
end

-- Whether the connection goes on after the reply.
local function is_kept(request, version)
  local wish = (request.headers.connection or ""):lower()
  return version == "1.0" and wish:find "keep%-alive" ~= nil or version ~= "1.0" and not wish:find "close"
end

-- ---- the head of a reply ----

local REASONS = {
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content", [301] = "Moved Permanently",
  [302] = "Found", [304] = "Not Modified", [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden",
  [404] = "Not Found", [405] = "Method Not Allowed", [409] = "Conflict", [410] = "Gone", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

-- A line break in a name or a value would begin another header.
local function clean(text)
  return (tostring(text):gsub("[%z\r\n]", " "))
end

local function head_of(answer, own)
  local lines = { ("HTTP/1.1 %d %s"):format(answer.status, REASONS[answer.status] or "Whatever") }
  local given = {}
  for name, value in pairs(answer.headers) do
    given[name:lower()] = true
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      lines[#lines + 1] = clean(name) .. ": " .. clean(each)
    end
  end
  for name, value in pairs(own) do
    if not given[name:lower()] then
      lines[#lines + 1] = name .. ": " .. value
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- ---- sending ----

local function send_raw(id, bytes)
  native.send(id, bytes, "", nil, true)
end

-- The status and the method say whether there is a body (RFC 9112, 6.3).
local function send_whole(id, wait)
  local answer, request = wait.reply, wait.request
  local has_body = request.method ~= "HEAD" and answer.status ~= 204 and answer.status ~= 304
  local own = { Date = clock.utc("%a, %d %b %Y %H:%M:%S GMT", clock.seconds()),
    Connection = wait.keeps and "keep-alive" or "close" }
  local body, keeps = answer.body, wait.keeps
  if answer.chunked and wait.version == "1.0" then
    keeps, own.Connection = false, "close" -- the end of the connection is that of the body
  elseif answer.chunked then
    own["Transfer-Encoding"] = "chunked"
    body = (body ~= "" and ("%x\r\n%s\r\n"):format(#body, body) or "") .. "0\r\n\r\n"
  elseif answer.status ~= 204 and answer.status ~= 304 then
    own["Content-Length"] = #body
  end
  native.send(id, head_of(answer, own), has_body and body or "", answer.slow and answer.slow / clock.speed, not keeps)
end

local function send(id, wait)
  local answer = wait.reply
  waiting[id], held[id] = nil, nil
  if answer.drop then
    send_raw(id, "")
  elseif answer.raw then
    send_raw(id, answer.raw)
  elseif answer.cut then
    send_raw(id, head_of(answer, { ["Content-Length"] = #answer.body }) .. answer.body:sub(1, answer.cut))
  else
    send_whole(id, wait)
  end
end

-- Sends the reply, unless it is held by a name that is not released.
local function send_unless_held(id, wait)
  local waits, is_forgotten = false, false
  if wait.reply.hold then
    waits, is_forgotten = api.waits(wait.reply)
  end
  held[id] = waits and wait or nil
  if is_forgotten then
    waiting[id] = nil
    send_raw(id, "")
  elseif not waits then
    send(id, wait)
  end
end

-- Whatever has happened may have released replies.
local function send_released()
  for id, wait in pairs(held) do
    if not api.waits(wait.reply) then
      native.wake(id, 0)
      held[id] = nil -- a field that is there may be cleared meanwhile
    end
  end
end

-- ---- replies that take time ----

local function fail(message)
  return reply.finish { status = 500, body = { detail = message } }
end

local LATE = ("The function that replies to this request did not run within %d s. It runs in the Lua state of the "
  .. "test, which did not give it the chance: it was blocked, for instance by os.execute or io.popen, or by a client "
  .. "that is not of cekura. Have the test wait in cekura (job:wait(), cekura.sleep()), start the program that it "
  .. "tests in the background, or give service:script() a list of replies."):format(PATIENCE)

local begin

-- The question of this request will not be answered any more.
local function forget_question(wait)
  if wait.question then
    asked[wait.question], wait.question = nil, nil
  end
end

local function ask(id, wait)
  local request = wait.request
  questions = questions + 1
  wait.question, asked[questions] = questions, id
  wait.step = function()
    forget_question(wait)
    request.error = LATE
    begin(id, wait, fail(LATE))
  end
  native.ask(questions, json.encode { call = wait.reply.call, request = request })
  native.wake(id, PATIENCE)
end

-- Seconds between two looks at whether a reply is there.
local LOOK = 0.003

local function await(id, wait)
  local ok, made = pcall(wait.reply.later)
  if ok and not made then
    wait.step = await
    native.wake(id, LOOK)
  else
    begin(id, wait, ok and reply.finish(made) or fail("The reply cannot be made: " .. tostring(made)))
  end
end

-- Begins to wait for what the reply asks for.
function begin(id, wait, answer)
  wait.reply, waiting[id] = answer, wait
  wait.step = send_unless_held
  if answer.call then
    ask(id, wait)
  elseif answer.later then
    await(id, wait)
  elseif answer.delay and answer.delay > 0 then
    native.wake(id, answer.delay / clock.speed)
  else
    send_unless_held(id, wait)
  end
end

-- ---- what src/simulator/behaviour.c calls ----

local functions = {}

--- A request has come.
function functions.request(id, head, body)
  local request, version = read_request(id, head, body)
  local ok, answer = pcall(api.answer, request)
  if not ok then
    answer = fail("The simulator has failed: " .. tostring(answer))
  end
  begin(id, { request = request, version = version, keeps = is_kept(request, version) }, answer)
  send_released()
end

local function give_up()
  error "not enough memory" -- the connection is closed
end

--- The time of a request is over.
function functions.time(id)
  local wait = waiting[id]
  if not wait then
    give_up()
  end
  wait.step(id, wait)
end

--- The client of a request has gone.
function functions.gone(id)
  local wait = waiting[id]
  if wait then
    forget_question(wait)
  end
  waiting[id], held[id] = nil, nil
end

--- The owner's answer to a question.
function functions.answer(number, text)
  local id = asked[number]
  local wait = waiting[id]
  if not wait then
    return -- too late
  end
  forget_question(wait)
  wait.step = give_up -- at once, unless what follows does not run out of memory
  native.wake(id, 0)
  local answer = json.decode(text)
  wait.request.error = answer.error
  local ok, finished = pcall(api.answer_with, wait.request, answer.reply)
  begin(id, wait, answer.error and fail(answer.error) or ok and finished or fail(tostring(finished)))
end

-- ---- what the owner calls ----

local calls = {}

--- Sets the replies of a path, as admin.script() does; or with `call`, the number of the owner's function.
function calls.script(wanted)
  if not wanted.call then
    return admin.script(wanted)
  end
  state.scripts[wanted.path] = { { call = wanted.call } }
end

-- Has what answers in place of the simulated service begin anew.
local restart = function() end

--- Has a module answer in place of the simulated service. Its `new` returns the function that does, and one for reset;
--- or nil and why not.
function calls.serve(wanted)
  local answer, other = require(wanted.module).new(wanted.options)
  if not answer then
    return nil, type(other) == "table" and other.message or other
  end
  api.serve(answer)
  restart = other
end

function calls.reset()
  admin.reset()
  restart()
end

function calls.key(wanted)
  admin.key(wanted)
end

function calls.speed(wanted)
  clock.speed = wanted.speed
end

--- The requests as the owner sees them, who decodes their bodies; a text for wire.decode(), as they may be many.
function calls.requests(filter)
  local found = {}
  for _, request in ipairs(state.requests) do
    if (not filter.method or request.method == filter.method) and (not filter.path or request.path == filter.path) then
      found[#found + 1] = { method = request.method, path = request.path, query = request.query,
        headers = request.headers, body = request.body, at = request.at, error = request.error,
        unrecorded = request.unrecorded }
    end
  end
  return wire.encode(found)
end

--- Calls one of the functions above. Returns texts.
function functions.call(name, arguments)
  local result, fault = calls[name](json.decode(arguments))
  if fault then
    error(fault, 0)
  end
  send_released()
  return type(result) == "string" and result or json.encode(result or {})
end

return function(offered)
  native = offered
  clock.seconds, clock.utc = native.now, native.utc
  clock.speed = 1
  return functions
end
