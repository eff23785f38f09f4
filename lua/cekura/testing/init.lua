--- `require "cekura.testing"`: the simulated service for the tests of a program. docs/testing.md explains it.
--
-- Its server is a thread of this process (src/simulator/), which needs neither a loop nor a client. Only functions that
-- make replies run in this Lua state: the server's questions are a guest of a client's engine, so every loop of the
-- library, and every wait in plain code, runs them.

local check = require "cekura.check"
local client = require "cekura.client"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local errors = require "cekura.errors"
local json = require "cekura.simulator.json"
local recording = require "cekura.testing.recording"
local show = require "cekura.show"
local speed = require "cekura.client.speed"
local wire = require "cekura.simulator.wire"

errors.own(debug.getinfo(1, "S").source)

---@class cekura.testing what `require "cekura.testing"` returns
local testing = {}

---@class cekura.testing.Service the simulated service, in this process
---@field url string the base URL
---@field key string the API key that it accepts
---@field speed number divides all delays of replies, the seconds that jobs take, and the pauses of clients of the
---service: between polls, between tries, after a 429, between the scans of a watch. Timeouts stay as they are
local methods = {}

---@class cekura.testing.Request a request that the service has received
---@field method string
---@field path string without escapes and query
---@field query table<string, string|string[]>
---@field headers table<string, string> names in lower case
---@field body? string
---@field json? any the body, decoded, if it is JSON
---@field at number seconds since the epoch
---@field error? string why the function that makes its reply has not
---@field unrecorded? string of a replay, which does not have it: how it differs from the nearest that was recorded

---@class cekura.testing.Reply
---@field status? integer 200 to 999; 200 if nil
---@field headers? table<string, string|number>
---@field body? string|table a table is sent as JSON
---@field file? string the path of a file, whose content is the body
---@field delay? number seconds before the reply
---@field slow? number seconds between any two bytes of the body
---@field chunked? boolean the head does not announce the length of the body
---@field cut? integer the connection ends after so many bytes of the body
---@field drop? boolean the connection ends without a reply
---@field raw? string these bytes in place of a reply of HTTP, after which the connection ends
---@field pass? boolean the service itself replies

local Service = { __name = "cekura.testing" }

-- The private part of each service.
local private = setmetatable({}, { __mode = "k" })

-- The library cekura/simulator.so, which is loaded with the first service.
local native

local function running(service)
  local own = private[service]
  if not own.server then
    errors.misuse "service: it is stopped"
  end
  return own
end

-- Calls a function of cekura.simulator.server in the server's thread. Returns its result as text.
local function call(own, name, arguments)
  local result, fault = native.call(own.server, name, json.encode(arguments))
  return result or errors.misuse("service: %s", fault)
end

-- ---- replies ----

local function at_least_0(name, value)
  if check.number(name, value) < 0 or value == math.huge then
    errors.misuse("%s: a number of at least 0 expected, got %s", name, value)
  end
  return value
end

local function status(name, value)
  return check.count(name, value, 200, 999)
end

local function size(name, value)
  return check.count(name, value, 0)
end

local function headers(name, value)
  local read = {}
  for header, text in pairs(check.table(name, value)) do
    check.text(name .. ": name", header)
    read[header] = type(text) == "number" and tostring(text) or check.text(show.format("%s[%q]", name, header), text)
  end
  return read
end

-- A table is encoded here, so that it becomes what this module would send.
local function body(name, value)
  return type(value) == "string" and value or encode(check.table(name, value), name)
end

local MEMBERS = { status = status, headers = headers, body = body, file = check.text, delay = at_least_0,
  slow = at_least_0, chunked = check.flag, cut = size, drop = check.flag, raw = check.text, pass = check.flag }

-- A reply as the server gets it.
local function read_reply(name, given)
  local read = {}
  for member, value in pairs(check.table(name, given)) do
    read[member] = check.known(name, "member", member, MEMBERS)(name .. "." .. tostring(member), value)
  end
  return read
end

local function read_replies(given)
  local read = json.list()
  for index = 1, check.list("replies", given) do
    read[index] = read_reply(show.format("replies[%d]", index), given[index])
  end
  if not read[1] then
    errors.misuse "replies: at least one reply expected"
  end
  return read
end

-- ---- replies that functions make ----

-- A request as programs get it.
local function received(request)
  request.uri, request.connection, request.resumed = nil, nil, nil
  request.json = request.body and core.decode(request.body)
  return request
end

-- The answer to a question, for cekura.simulator.server.
local function answer(own, question)
  local fn = own.functions[question.call]
  if not fn then
    return { reply = { drop = true } } -- there was a reset meanwhile
  end
  local ok, made = pcall(function()
    return read_reply("the reply of the function", fn(received(question.request)))
  end)
  if ok then
    return { reply = made }
  elseif made == "not enough memory" then
    error(made, 0)
  end
  return { error = show.format("The function that replies to %s %s has failed: %s", question.request.method,
    question.request.path, tostring(made)) }
end

local function answer_all(own)
  local number, text = native.next_question(own.server)
  while number do
    text = json.encode(answer(own, json.decode(text)))
    if not own.server then
      break -- the function has stopped it
    end
    native.answer(own.server, number, text)
    number, text = native.next_question(own.server)
  end
  return false -- see cekura.loop.dispatch
end

-- Has the loops of this state see the server's questions. The client sends nothing.
local function watch(own)
  if own.client then
    return
  end
  local made, err = client.new { api_key = own.key, base_url = own.url, config_file = false }
  native.watch(made or errors.misuse("service: %s", tostring(err)), own.server,
    { on_change = function() return answer_all(own) end })
  own.client = made
end

local function unwatch(own)
  if own.client then
    native.unwatch(own.client, own.server)
    own.client:close()
  end
  own.client, own.functions = nil, {}
end

-- ---- the service ----

--- A client of the service, whatever the environment and the configuration file say. It keeps the service from being
--- collected.
---@param options? cekura.Options further options of cekura.new()
---@return cekura.Client? client
---@return cekura.Error? err as cekura.new() returns it
function methods:client(options)
  local own, all = running(self), {}
  for name, value in pairs(options == nil and {} or check.table("options", options)) do
    all[name] = value
  end
  all.api_key = all.api_key or own.key
  all.base_url = all.base_url or own.url
  if all.config_file == nil then
    all.config_file = false
  end
  local made, err = client.new(all)
  if made then
    core.fields(made)._service = self
  end
  return made, err
end

--- Sets the replies to the next requests to a path. The last one repeats. In place of the list, a function makes each
--- reply; it runs in this Lua state, and must not wait.
---@param path string "/path/", or "METHOD /path/" for the requests of one method
---@param replies cekura.testing.Reply[]|fun(request: cekura.testing.Request): cekura.testing.Reply
function methods:script(path, replies)
  local own = running(self)
  if not check.text("path", path):find "^/[^?]*$" and not path:find "^%u+ /[^?]*$" then
    errors.misuse('path: "/path/" or "METHOD /path/" without a query expected, got %q', path)
  end
  if type(replies) ~= "function" then
    call(own, "script", { path = path, replies = read_replies(replies) })
    return
  end
  own.made = own.made + 1 -- also across resets: questions for earlier functions may still come
  own.functions[own.made] = replies
  watch(own)
  call(own, "script", { path = path, call = own.made })
end

-- What each filter must be, as a pattern and in words.
local FILTER = {
  method = { "^%u+$", 'a method such as "GET"' },
  path = { "^/[^?]*$", '"/path/" without a query' },
}

--- The requests since the start, or the last reset, oldest first.
---@param filter? { method: string?, path: string? }
---@return cekura.testing.Request[]
function methods:requests(filter)
  local own, wanted = running(self), {}
  for name, value in pairs(check.options("filter", filter, FILTER)) do
    if not check.text(name, value):find(FILTER[name][1]) then
      errors.misuse("%s: %s expected, got %q", name, FILTER[name][2], value)
    end
    wanted[name] = value
  end
  local found = {}
  for index, request in ipairs(wire.decode(call(own, "requests", wanted))) do
    found[index] = received(request)
  end
  return found
end

--- The requests that a recording does not have. Each says in `unrecorded` how it differs from the nearest that it has.
---@return cekura.testing.Request[]
function methods:unrecorded()
  local found = {}
  for _, request in ipairs(self:requests()) do
    found[#found + 1] = request.unrecorded and request or nil
  end
  return found
end

--- Forgets the requests, the scripts, and what they have changed in the service; a recording begins anew. The speed
--- stays.
function methods:reset()
  local own = running(self)
  unwatch(own)
  call(own, "reset", {})
  call(own, "key", { key = own.key })
end

--- Ends the service. May be called again.
function methods:stop()
  local own = private[self]
  if own.server then
    unwatch(own)
    native.stop(own.server)
    speed.set(own.url)
  end
  own.server = nil
end

local function set_speed(own, value)
  value = check.seconds("speed", value)
  if not value or value == math.huge then
    errors.misuse("speed: a number above 0 expected, got %s", tostring(value))
  end
  call(own, "speed", { speed = value })
  speed.set(own.url, value)
  own.speed = value
end

-- ---- the object ----

check.methods("service", methods, function(value)
  return private[value] ~= nil
end)

local FIELDS = { url = true, key = true, speed = true }

function Service:__index(name)
  if FIELDS[name] then
    return private[self][name]
  end
  return methods[name] or check.spelling("service", name, methods)
end

function Service:__newindex(name, value)
  if name ~= "speed" then
    errors.misuse("service: there is no member %s that can be set; there is speed", name)
  end
  set_speed(running(self), value)
end

function Service:__tostring()
  local own = private[self]
  return ("cekura.testing (%s)"):format(own.server and own.url or "stopped")
end

function Service:__close()
  self:stop()
end

-- ---- start ----

local OPTIONS = { port = true, speed = true, key = true }

local function load_native()
  if not native then
    local loaded, module = pcall(require, "cekura.simulator")
    if not loaded then
      return errors.new("config", "testing: the library cekura/simulator.so cannot be loaded: " .. module)
    end
    native = module
  end
end

-- Starts a server.
local function launch(port, key)
  local err = load_native()
  if err then
    return nil, err
  end
  local server, fault = native.start(port or 0, package.path, package.cpath)
  if not server then
    return nil, errors.new("config", show.format("testing: port %s of 127.0.0.1: %s", port, fault))
  end
  local service = setmetatable({}, Service)
  private[service] = { server = server, key = key, functions = {}, made = 0,
    url = "http://127.0.0.1:" .. native.port(server) }
  return service
end

-- 0 means a free port, as it does to sockets.
local function check_port(port)
  return check.count("port", port, 0, 65535)
end

--- Starts the simulated service, on 127.0.0.1. It ends with stop(), or with the Lua state.
---@param options? { port: integer?, speed: number?, key: string? } port: a free one if nil or 0; speed: see the member;
---key: "sim-key" if nil
---@return cekura.testing.Service? service
---@return cekura.Error? err of kind "config", for instance because the port is taken
function testing.start(options)
  options = check.options("options", options, OPTIONS)
  local port = check_port(options.port)
  local key = options.key == nil and "sim-key" or check.text("key", options.key)
  check.seconds("speed", options.speed)
  local service, err = launch(port, key)
  if not service then
    return nil, err
  end
  local own = private[service]
  if key ~= "sim-key" then
    call(own, "key", { key = key })
  end
  set_speed(own, options.speed or 1) -- an earlier service of this port, or the environment, may have set another
  return service
end

-- ---- recordings ----

-- Starts a server that a module answers for, in place of the simulated service.
local function serve(options, module, settings)
  local service, err = launch(options.port, "sim-key")
  if not service then
    return nil, err
  end
  local own = private[service]
  settings.url = own.url
  local done, fault = native.call(own.server, "serve", json.encode { module = module, options = settings })
  if not done then
    service:stop()
    return nil, errors.new("config", fault, { file = settings.file })
  end
  set_speed(own, options.speed or 1)
  return service
end

--- Starts a service on 127.0.0.1 that passes each request on to the real one, answers with what came, and keeps the
--- exchange in a file, without secrets, hosts, phone numbers and e-mail addresses. It sends the real API key, whatever
--- key it is sent.
---@param file string its path; what it holds is replaced
---@param options? cekura.testing.RecordOptions
---@return cekura.testing.Service? service
---@return cekura.Error? err of kind "config", as cekura.new() returns it, or because the file cannot be written
function testing.record(file, options)
  local settings, err = recording.record(file, options, check_port)
  if not settings then
    return nil, err
  end
  return serve(options or {}, "cekura.testing.recorder", settings)
end

--- Starts a service on 127.0.0.1 that answers as the one did that was recorded. A request that was not recorded gets
--- 421, and is one of service:unrecorded().
---@param file string
---@param options? cekura.testing.ReplayOptions
---@return cekura.testing.Service? service
---@return cekura.Error? err of kind "config": the file cannot be read, or is damaged
function testing.replay(file, options)
  local settings = recording.replay(file, options, check_port)
  return serve(options or {}, "cekura.testing.replayer", settings)
end

check.functions("cekura.testing", testing)

return testing
