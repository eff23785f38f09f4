--- cekura: background jobs of the Cekura API, without blocking the host.

local call_log = require "cekura.records.call_log"
local catalog = require "cekura.api.catalog"
local check = require "cekura.check"
local cjson = require "cekura.cjson"
local client = require "cekura.client"
local core = require "cekura.core"
local diff = require "cekura.diff"
local errors = require "cekura.errors"
local later = require "cekura.later"
local list = require "cekura.list"
local record = require "cekura.records.record"
local outbox = later "cekura.outbox"
local prometheus = later "cekura.prometheus"
local redis = later "cekura.fleet.redis"
local report = later "cekura.report"
local telephony = later "cekura.api.calls.telephony"
local transcript = require "cekura.records.transcript"
local choose_loop = require "cekura.loop"
local unbegun = require "cekura.loop.unbegun"
local wait = require "cekura.job.wait"
local watch = require "cekura.watch"

---@class cekura the module, as `require "cekura"` returns it
---@field _VERSION string
---@field null lightuserdata JSON's null, which lua-cjson calls cjson.null
---@field redis cekura.Connections
local cekura = {
  _VERSION = require "cekura.version",
  null = cjson.null,
  new = client.new,
  kind = client.kind,
  kinds = catalog.kinds,
  operations = catalog.operations,
  call_log = call_log.read,
  record = record.of_text,
  list = list.mark,
  diff = diff,
  all = wait.all,
  each = wait.each,
  watch = watch.new,
  redis = redis,
}

-- Whether a value is a record of a class.
local function is_a(what)
  return function(value)
    return core.type(value) == what
  end
end

unbegun.check_in(cekura) -- the functions below wait, or spawn, which checks, too
-- The tables of methods are complete now: the modules above have added their methods.
check.methods("client", core.client_methods, core.is_client, unbegun)
check.methods("job", core.job_methods, core.is_job, unbegun)
for name, methods in pairs(record.classes()) do
  check.methods(name, methods, is_a(name))
end

--- assert() for this module: raises tostring(err), which plain assert loses on Lua 5.1, 5.2 and in
-- nginx.
---@generic T
---@param value T?
---@param err? any
---@param ... any
---@return T value, any ...
function cekura.assert(value, err, ...)
  if value then
    return value, err, ...
  end
  errors.raise(err == nil and "assertion failed!" or tostring(err))
end

--- Opens an outbox: call logs that are kept on disk until the service has them (docs/outbox.md).
---@param options cekura.OutboxOptions
---@return cekura.Outbox? outbox, cekura.Error? err of kind "config": the directory cannot be made or read
function cekura.outbox(options)
  return outbox.new(options)
end

--- The counters of clients, in the text format of Prometheus (docs/monitoring.md). Sends nothing.
---@param clients table<integer|string, cekura.Client|cekura.Stats> a list, or clients by their names, which the label
---`client` has; in place of a client its stats(), for instance from another process
---@return string text of the type "text/plain; version=0.0.4"
function cekura.prometheus(clients)
  return prometheus.text(clients)
end

--- A page about one call: its metrics, its turns in time, its recording and its transcript. It needs no other file, but
-- for the recording, which stays where the record says.
---@param call cekura.Call a call log or a run
---@return string html
function cekura.report(call)
  return report.html(call)
end

--- The body of calls:send, from what telephony knows of a call (docs/call-logs.md). It is checked as calls:send does.
-- Times of turns count from the answer.
---@param call cekura.TelephonyCall
---@return cekura.Calls.SendParams body a plain table
function cekura.call(call)
  return telephony.body(call)
end

--- The turns in the transcript of a provider, in the service's roles, in seconds, with tool calls in `data`. What
-- cannot be read stays as it came. Prompts and interim results are left out.
---@param value any the decoded transcript, an object that contains it, JSON text, a text, a record, a field of one
---@param provider? "vapi"|"retell"|"elevenlabs"|"deepgram"|"livekit"|"bland"|"pipecat"|"cekura" nil: recognized, where
---an item can only be of one provider
---@return cekura.Turn[] turns empty where there are none
function cekura.turns(value, provider)
  return transcript.turns(value, provider)
end

local function check_function(fn)
  if fn == nil then
    errors.misuse "fn: function expected, got nothing"
  end
  check.callback("fn", fn)
end

--- Runs `fn(...)` as a task until it and all tasks that it spawned have ended. If it raises, the other tasks are
-- cancelled, and its error is raised once they have ended. Otherwise the first error of a task that was not joined by
-- then is raised.
---@param fn function
---@param ... any
---@return any ... the results of fn
function cekura.run(fn, ...)
  check_function(fn)
  return choose_loop().run(fn, ...)
end

--- Starts a task, which runs beside the caller.
---@param fn function
---@param ... any
---@return cekura.Task
function cekura.spawn(fn, ...)
  check_function(fn)
  return choose_loop().spawn(fn, ...)
end

local function check_seconds(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    errors.misuse("seconds: a number of at least 0 expected, got %q", seconds)
  end
end

--- Waits, while other tasks run. In a task that is cancelled it raises an error of kind "cancelled".
---@param seconds number
function cekura.sleep(seconds)
  check_seconds(seconds)
  choose_loop().sleep(seconds)
end

--- For hosts that only tick: does the work that is due, once, for all clients, timers and tasks of this Lua state.
-- Raises inside a host that has a loop.
---@param seconds? number first waits up to this long for work to become due
---@return number? seconds until more work is due; nil: none is known
function cekura.step(seconds)
  if seconds ~= nil then
    check_seconds(seconds)
  end
  local loop = choose_loop()
  loop = loop.running and loop.running() or loop
  if not loop.tick then
    errors.misuse("step: the loop of %s runs its clients and tasks", loop.name)
  end
  return loop.tick(seconds)
end

check.functions("cekura", cekura)

return setmetatable(cekura, {
  __name = "cekura",
  __tostring = function()
    return "cekura " .. cekura._VERSION
  end,
  __index = function(_, name)
    return check.spelling("cekura", name, cekura)
  end,
})
