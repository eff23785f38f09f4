--- What the server answers that replays a recording. It runs in the server's thread.

local matcher = require "cekura.testing.matcher"
local names = require "cekura.testing.redact.names"
local redact = require "cekura.testing.redact"
local stand_ins = require "cekura.testing.redact.stand_ins"
local tape = require "cekura.testing.tape"
local urls = require "cekura.testing.redact.urls"

local replayer = {}

-- Misdirected Request: a server that cannot answer for this resource. No client repeats it, and it ends every wait.
local NOT_RECORDED = 421

-- Headers that name the service's own URLs.
local LINKS = names.set "location link"

local function reply_of(exchange, url)
  local reply, headers = exchange.reply, {}
  for _, pair in ipairs(reply.headers) do
    local name, value = pair[1], pair[2]
    value = LINKS[name] and urls.rebase(value, stand_ins.SERVICE_URL, url) or value
    headers[name] = headers[name] or {}
    table.insert(headers[name], value)
  end
  headers["content-type"] = headers["content-type"] or {} -- none, not the usual one
  local body = tape.bytes(reply.body)
  if reply.body.json or reply.body.text then
    body = urls.rebase(body, stand_ins.SERVICE_URL, url)
  end
  return { status = reply.status, headers = headers, body = body }
end

---@class cekura.testing.ReplayerOptions
---@field file string
---@field url string of this server
---@field ignore? string[] names of parameters and members that may differ
---@field redact? string the program's function, dumped

--- A function that answers requests by a recording.
---@param options cekura.testing.ReplayerOptions
---@return (fun(request: table): table)? answer
---@return function|cekura.Error reset
function replayer.new(options)
  local exchanges, err = tape.read(options.file)
  if not exchanges then
    return nil, err
  end
  local settings = { ignored = names.set(table.concat(options.ignore or {}, " ")), own = redact.load(options.redact) }
  function settings.prepare(redactor)
    redactor:add_service(options.url)
    redactor:add_service(stand_ins.SERVICE_URL)
  end
  local found = matcher.new(exchanges, settings)
  return function(request)
    local exchange, report = found:find(request)
    if exchange then
      return reply_of(exchange, options.url)
    end
    request.unrecorded = report
    return { status = NOT_RECORDED, body = { detail = report } }
  end, function()
    found = matcher.new(exchanges, settings)
  end
end

return replayer
