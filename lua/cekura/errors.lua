--- Errors, in two forms. A failure at run time is returned as a value, `nil, err`; errors.new() makes it. A mistake in
-- the calling program is raised at the caller's line by errors.misuse().

local show = require "cekura.show"

local errors = {}

---@alias cekura.ErrorKind
---| "config" # no key, a bad base URL or configuration file, a token that is not for this client
---| "network" # no answer
---| "tls" # a bad certificate
---| "timeout" # a deadline passed, of an operation or of a wait
---| "auth" # 401, 403, a proxy's 407
---| "invalid" # 400 and other 4xx
---| "not_found" # 404 or 410 of anything but a start and a poll
---| "gone" # 404 or 410 of a start or a poll: the service does not know the job, or the endpoint
---| "rate_limited" # 429, after the retries
---| "server" # 5xx, after the retries
---| "protocol" # an answer that is not what the operation promises
---| "job_failed" # the job failed in the service
---| "job_cancelled" # the job was cancelled in the service
---| "needs_input" # the job waits for job:answer()
---| "unknown_outcome" # a request that must not be repeated was cut off after it may have been received
---| "cancelled" # by this side: job:cancel(), task:cancel()
---| "closed" # the client was closed, or the host ends
---| "raised" # what a handler of a watch raised

---@class cekura.Error
---@field kind cekura.ErrorKind
---@field message string for people: one line, except for a missing key, with a line for each way to give it
---@field status? integer HTTP status
---@field fields? table<string, string[]> the service's messages about single fields, from a 400
---@field retry_after? number seconds
---@field method? string
---@field path? string
---@field attempts? integer the number of tries
---@field sent? boolean whether the request may have reached the service
---@field cause? cekura.Error
---@field job? cekura.Job
---@field result? table the result of a job that failed or was cancelled, as in job.result
---@field response? cekura.Response
---@field file? string the file that cannot be read or was changed while it was sent, or the directory of an outbox that
---cannot be written (kind "config")
---@field traceback? string of an error that a handler of a watch raised (kind "raised")
local Error = { __name = "cekura.error" }
Error.__index = Error

--- The message of an error on one line.
---@param err cekura.Error
---@return string
function errors.line(err)
  return (err.message:gsub(":\n *", ": "):gsub("\n *", "; "))
end

function Error:__tostring()
  return "cekura: " .. self.kind .. ": " .. errors.line(self)
end

local function concatenated(value)
  if getmetatable(value) == Error then
    return tostring(value)
  elseif type(value) ~= "string" and type(value) ~= "number" then
    error("attempt to concatenate a " .. type(value) .. " value", 3)
  end
  return value
end

function Error.__concat(left, right)
  return concatenated(left) .. concatenated(right)
end

-- The longest message. cekura.show already shortens values; messages that are made without it are cut here.
local LONGEST = 1000

--- Makes an error value.
---@param kind string
---@param message string|string[] a list has lines
---@param fields? table further fields of the error; it becomes the error
---@return cekura.Error
function errors.new(kind, message, fields)
  local err, lines = fields or {}, {}
  for index, line in ipairs(type(message) == "table" and message or { message }) do
    lines[index] = show.excerpt(line, LONGEST)
  end
  err.kind = kind
  err.message = table.concat(lines, "\n")
  return setmetatable(err, Error)
end

--- Whether a value is an error that errors.new() made.
function errors.is(value)
  return getmetatable(value) == Error
end

errors.excerpt = show.excerpt

-- The folder of this file, which contains the library's own code; of modules in the core, that of their source.
local own_code = debug.getinfo(1, "S").source:match("^(@.*[/\\])[^/\\]*$")

-- Further files of the library, which are not in the core.
local own_files = {}

--- Has a file count as the library's, so that its mistakes are raised at the lines of its callers.
---@param source string as debug.getinfo() has it
function errors.own(source)
  own_files[source] = true
end

-- The level of the first function outside the library, as error() counts from its caller.
local function caller_level()
  if not own_code then -- compiled without the name of its source
    return 3
  end
  local level = 3 -- the caller of misuse() or raise()
  while true do
    local info = debug.getinfo(level, "S")
    if not info then
      return 0 -- no Lua function has called: there is no line to name
    end
    if info.what ~= "C" and info.what ~= "tail" and info.source:sub(1, #own_code) ~= own_code
      and not own_files[info.source] then
      return level - 1
    end
    level = level + 1
  end
end

--- Raises a text at the line of the program that called the library, however deep the call is in the library.
---@param text string
function errors.raise(text)
  error(text, caller_level())
end

--- Raises an error at the line of the program that called the library.
---@param message string with the argument's name; a format of cekura.show if values follow it
function errors.misuse(message, ...)
  message = select("#", ...) > 0 and show.format(message, ...) or message
  error("cekura: " .. show.excerpt(message, LONGEST), caller_level())
end

return errors
