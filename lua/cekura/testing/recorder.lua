--- What the server answers that records a real service: it passes each request on, answers with what came, and appends
-- the exchange to a file, redacted. It runs in the server's thread.

local ascii = require "cekura.http.ascii"
local capture = require "cekura.testing.capture"
local cekura = require "cekura"
local core = require "cekura.core"
local names = require "cekura.testing.redact.names"
local redact = require "cekura.testing.redact"
local request = require "cekura.http.request"
local show = require "cekura.show"
local stand_ins = require "cekura.testing.redact.stand_ins"
local tape = require "cekura.testing.tape"
local urls = require "cekura.testing.redact.urls"

local recorder = {}

-- Headers that belong to one connection, or that this side sets: the key, for instance, is the real one.
local OF_REQUESTS = names.set("accept-encoding connection content-length expect host keep-alive proxy-authorization "
  .. "proxy-connection te trailer transfer-encoding upgrade user-agent x-cekura-api-key")

-- What came is decoded and whole.
local OF_REPLIES = names.set("alt-svc connection content-encoding content-length date keep-alive proxy-authenticate "
  .. "strict-transport-security trailer transfer-encoding upgrade")

-- Headers that name the service's own URLs.
local LINKS = names.set "location link"

-- ---- passing on ----

local function lines_of(headers)
  local lines = {}
  for name, value in pairs(headers) do
    if not OF_REQUESTS[name] then
      lines[#lines + 1] = value == "" and name .. ";" or name .. ": " .. value -- libcurl's form for an empty value
    end
  end
  table.sort(lines)
  return lines
end

-- Whether an error is a whole answer of the service, whatever its status.
local function is_answer(err)
  local status = err.response and err.status
  if not status or err.cause then
    return false
  elseif status < 400 then
    return err.kind == "protocol" and status >= 300
  end
  return err.kind ~= "protocol" and err.kind ~= "network" and err.kind ~= "tls" and err.kind ~= "timeout"
end

---@class cekura.testing.Recorder
---@field client cekura.Client
---@field file userdata
---@field redactor cekura.testing.Redactor
---@field wanted cekura.testing.Wanted
---@field url string of this server
---@field base_url string of the service
local Recorder = {}
Recorder.__index = Recorder

-- Asks the service. Returns its answer: { status, head, body }.
function Recorder:ask(received)
  local reply, err = request.send(self.client, {
    method = received.method, path = core.encode_path(received.uri), headers = lines_of(received.headers),
    body = received.body, once = true,
  })
  if not reply and is_answer(err) then
    reply = err.response
  end
  return reply and { status = reply.status, head = reply._head, body = reply.body }, err
end

function Recorder:append(received, answer)
  local exchange = {
    request = capture.request(self.redactor, received), reply = capture.reply(self.redactor, answer, self.wanted),
  }
  assert(self.file:write(tape.line(exchange), "\n"))
  assert(self.file:flush())
end

-- ---- answering ----

-- The service's own URLs become this server's, so that a program that follows them goes on being recorded.
function Recorder:pass_back(answer)
  local headers = {}
  for written, value in answer.head:gmatch "\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    local name = ascii.lower(written)
    if not OF_REPLIES[name] then
      headers[name] = headers[name] or {}
      table.insert(headers[name], LINKS[name] and urls.rebase(value, self.base_url, self.url) or value)
    end
  end
  headers["content-type"] = headers["content-type"] or {}
  local body = redact.is_text(answer.body) and urls.rebase(answer.body, self.base_url, self.url) or answer.body
  return { status = answer.status, headers = headers, body = body }
end

local function fault(status, message, retry_after)
  return { status = status, headers = { ["Retry-After"] = retry_after }, body = { detail = message } }
end

function Recorder:reply_to(received)
  if not received.uri:find "^/" then
    return fault(400, "not recorded: the request names no path")
  end
  local answer, err = self:ask(received)
  if not answer then
    return fault(err.kind == "rate_limited" and 429 or 502, "not recorded: " .. tostring(err), err.retry_after)
  end
  local ok, why = pcall(self.append, self, received, answer)
  if not ok then
    return fault(500, show.format("not recorded: %s", tostring(why)))
  end
  return self:pass_back(answer)
end

-- A reply that is made in a task; see cekura.simulator.server.
function Recorder:answer(received)
  local made
  local task = cekura.spawn(function()
    return self:reply_to(received)
  end)
  cekura.spawn(function()
    local reply, raised = task:join()
    made = reply or fault(500, show.format("not recorded: %s", tostring(raised)))
  end)
  return { later = function()
    cekura.step()
    return made
  end }
end

-- ---- making ----

---@class cekura.testing.RecorderOptions
---@field file string
---@field url string of this server
---@field client cekura.Options
---@field headers? string[] names of further headers of replies that are kept
---@field binary? boolean
---@field redact? string the program's function, dumped

local function redactor_of(options, client, base_url)
  local own = redact.load(options.redact)
  local made = redact.new { replace = stand_ins.new(), own = function(text)
    text = core.redact(client, text):gsub("%[key%]", redact.STAND_IN)
    return own and own(text) or text
  end }
  local key = options.client.api_key or os.getenv "CEKURA_API_KEY"
  if key then
    made:add_secret(key) -- in base64, too
  end
  made:add_service(base_url)
  made:add_service(options.url)
  made:add_host_of_service(base_url)
  return made
end

--- A function that answers requests as a service does, and records it.
---@param options cekura.testing.RecorderOptions
---@return (fun(request: table): table)? answer
---@return function|cekura.Error|string reset
function recorder.new(options)
  options.client.loop, options.client.retries, options.client.max_in_flight = "own", 0, 64
  local client, err = cekura.new(options.client)
  if not client then
    return nil, err
  end
  core.set_speed(client, 1e6) -- what a 429 asks for is up to the program
  local file, why = io.open(options.file, "wb")
  if not file then
    client:close()
    return nil, show.format("the recording cannot be written: %s", why)
  end
  assert(file:write(tape.HEAD, "\n") and file:flush())
  local base_url = core.fields(client)._base_url
  local self = setmetatable({
    client = client, file = file, url = options.url, base_url = base_url,
    redactor = redactor_of(options, client, base_url),
    wanted = { headers = options.headers and names.set(ascii.lower(table.concat(options.headers, " "))),
      binary = options.binary },
  }, Recorder)
  return function(received)
    return self:answer(received)
  end, function() end -- the recording goes on
end

return recorder
