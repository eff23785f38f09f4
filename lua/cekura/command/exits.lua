--- Exit statuses of the command. They are a promise to scripts; docs/command.md lists them.

local exits = {}

exits.OK = 0
exits.FAILED = 1         -- the job failed or was cancelled in the service, the request is invalid, the gate is shut
exits.USAGE = 2          -- the command line, or a file that it names
exits.NOTHING_TO_DO = 3  -- only with --exit-status
exits.CONFIG = 4         -- the key or the configuration
exits.TIMEOUT = 5        -- the wait is over, the job goes on
exits.GONE = 6           -- the service does not know it
exits.UNKNOWN = 7        -- it may have been started
exits.NEEDS_INPUT = 8
exits.UNREACHABLE = 9    -- no answer, or none that can be used
exits.BUG = 70           -- an error in the command itself: EX_SOFTWARE of sysexits.h

--- By the signal that ended the command: 128 and its number, as a shell has it.
exits.SIGNALS = { SIGINT = 130, SIGTERM = 143 }

local OF_KIND = {
  config = exits.CONFIG, auth = exits.CONFIG,
  invalid = exits.FAILED, job_failed = exits.FAILED, job_cancelled = exits.FAILED, raised = exits.FAILED,
  gone = exits.GONE, not_found = exits.GONE,
  unknown_outcome = exits.UNKNOWN,
  needs_input = exits.NEEDS_INPUT,
  network = exits.UNREACHABLE, tls = exits.UNREACHABLE, server = exits.UNREACHABLE, rate_limited = exits.UNREACHABLE,
  protocol = exits.UNREACHABLE, timeout = exits.UNREACHABLE, closed = exits.UNREACHABLE, cancelled = exits.FAILED,
}

--- The exit status for an error of a request.
---@param err cekura.Error
---@return integer
function exits.of(err)
  return OF_KIND[err.kind] or exits.BUG
end

--- The exit status for the end of a wait. A timeout with a job is that of the wait.
---@param err cekura.Error
---@return integer
function exits.of_wait(err)
  return err.kind == "timeout" and exits.TIMEOUT or exits.of(err)
end

-- What a caller has to hear of first, where several jobs ended differently.
local ORDER = { exits.BUG, 130, 143, exits.UNKNOWN, exits.CONFIG, exits.UNREACHABLE, exits.GONE, exits.FAILED,
  exits.NEEDS_INPUT, exits.TIMEOUT, exits.NOTHING_TO_DO, exits.OK }

--- The one exit status of several.
---@param statuses integer[]
---@return integer
function exits.worst(statuses)
  local found = {}
  for _, status in ipairs(statuses) do
    found[status] = true
  end
  for _, status in ipairs(ORDER) do
    if found[status] then
      return status
    end
  end
  return exits.OK
end

return exits
