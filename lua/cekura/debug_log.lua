--- CEKURA_DEBUG=1 in the environment: a line on stderr for each event. docs/debugging.md describes the lines.

local core = require "cekura.core"
local errors = require "cekura.errors"

local debug_log = {}

-- Not by "%.3f", which follows the locale.
local function seconds(value)
  local milliseconds = math.floor(value * 1000 + 0.5)
  return ("%d.%03d s"):format(math.floor(milliseconds / 1000), milliseconds % 1000)
end

-- How a try or a request ended: "HTTP 503", "network".
local function ending(event)
  local status = event.status and "HTTP " .. event.status
  return event.outcome == "response" and status or event.outcome .. (status and ", " .. status or "")
end

local function request(event, text)
  return ("#%d %s %s: %s"):format(event.request, event.method or "?", event.path or "?", text)
end

local TEXTS = {
  request_started = function(event)
    return request(event, ("try %d"):format(event.attempt))
  end,

  request_retried = function(event)
    return request(event, ("try %d ended: %s; next try in %s"):format(event.attempt, ending(event),
      seconds(event.pause)))
  end,

  request_finished = function(event)
    return request(event, ("ended: %s; tries: %d; %s"):format(ending(event), event.attempt, seconds(event.elapsed)))
  end,

  job_changed = function(event)
    return ("job %s %s: %s%s%s"):format(event.job.kind, event.job.id or "(no id)", event.state,
      event.status and (", status %q"):format(event.status) or "",
      event.progress and (", progress %d %%"):format(math.floor(event.progress * 100 + 0.5)) or "")
  end,

  warning = function(event)
    return "warning: " .. event.message
  end,
}

-- The line is one write, so that lines of several threads and processes do not mix.
local function write(event)
  local text = errors.excerpt(TEXTS[event.name](event), 1000)
  io.stderr:write(("cekura[%d] %s %s\n"):format(core.pid(), os.date "%H:%M:%S", text))
end

--- The function that a client calls for each event: it writes the log, if the environment asks for it, and then calls
-- the program's function.
---@param on_event? fun(event: cekura.ClientEvent)
---@return (fun(event: cekura.ClientEvent))? nil: events are not needed
function debug_log.around(on_event)
  if os.getenv "CEKURA_DEBUG" ~= "1" then
    return on_event
  end
  return function(event)
    write(event)
    if on_event then
      on_event(event)
    end
  end
end

return debug_log
