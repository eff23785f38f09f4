--- Exit statuses of the command. Scripts rely on them; the man page and docs/command.md have the same table.

local exits = {}

--- Each status, its name in this module, and its meaning.
---@type { [1]: integer, [2]: string, [3]: string }[]
exits.STATUSES = {
  { 0, "OK", "It succeeded, or there was nothing to do." },
  { 1, "FAILED", "The job failed or was cancelled in the service; the request is invalid; a gate was not passed, or "
    .. "nothing ran; or the user declined a confirmation." },
  { 2, "USAGE", "The command line is wrong, or a file that it names cannot be read or written." },
  { 3, "NOTHING_TO_DO", "There was nothing to do; only with --exit-status." },
  { 4, "CONFIG", "There is no API key, the service refuses it, or the configuration is wrong." },
  { 5, "TIMEOUT", "The wait timed out, and the job goes on. The last line of stderr is the command that resumes it." },
  { 6, "GONE", "The service does not know the job, the record or the endpoint." },
  { 7, "UNKNOWN", "A request was sent, and it is not known whether it was processed." },
  { 8, "NEEDS_INPUT", "The job needs an answer; jobs answer sends one." },
  { 9, "UNREACHABLE", "The service cannot be reached, is overloaded, or its answer cannot be used." },
  { 70, "BUG", "An error in cekura-lua itself." }, -- EX_SOFTWARE of sysexits.h
  { 130, "SIGINT", "Interrupted by SIGINT (Ctrl-C): as 5, unless --cancel-on-exit is given." },
  { 143, "SIGTERM", "Interrupted by SIGTERM: as 130." },
}

for _, row in ipairs(exits.STATUSES) do
  exits[row[2]] = row[1]
end

--- By the signal that ended the command: 128 plus its number, as in a shell.
exits.SIGNALS = { SIGINT = exits.SIGINT, SIGTERM = exits.SIGTERM }

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
  return err.file and exits.USAGE or OF_KIND[err.kind] or exits.BUG
end

-- The order of severity, for several jobs that ended differently.
local ORDER = { exits.BUG, exits.SIGINT, exits.SIGTERM, exits.UNKNOWN, exits.CONFIG, exits.UNREACHABLE, exits.GONE,
  exits.FAILED, exits.NEEDS_INPUT, exits.TIMEOUT, exits.NOTHING_TO_DO, exits.OK }

--- The most severe of several exit statuses.
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
