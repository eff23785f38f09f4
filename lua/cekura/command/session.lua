--- One run of the command: its client, its streams, its questions, and how it ends.

local cekura = require "cekura"
local core = require "cekura.core"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local output = require "cekura.command.output"
local preview = require "cekura.command.preview"
local progress = require "cekura.command.progress"
local terminal = require "cekura.command.terminal"
local text = require "cekura.command.text"

---@class cekura.command.Session
---@field options table<string, any> of the command line
---@field out cekura.CommandStream results
---@field err cekura.CommandStream progress and messages
---@field signal? string "SIGINT" or "SIGTERM", once received
---@field private pipes any[] files that were checked
---@field on_lost? fun() says where results can be had that cannot be written
---@field resumed_by? string the command that resumes the wait of this one; nil: jobs watch
---@field progress? cekura.Progress while jobs are waited for
local Session = {}
Session.__index = Session

local session = {}

-- ---- ends ----

-- Raised by commands to end with a status, after they have printed the reason.
local Exit = {}

-- Ends the work. The error is kept here, too, because join() of a cancelled task does not return it.
local function raise(self, what)
  self.raised = what
  error(what, 0)
end

--- Ends the command with a status.
---@param status integer
function Session:exit(status)
  raise(self, setmetatable({ status = status }, Exit))
end

--- Ends the command with a usage error.
---@param message string
function Session:usage(message)
  self:note(message)
  self:exit(exits.USAGE)
end

--- Returns the value. If there is none, ends the command with the error.
---@generic T
---@param value T?
---@param err? cekura.Error
---@return T
function Session:check(value, err)
  if value == nil or value == false then
    raise(self, err)
  end
  return value
end

-- Ends the command if a signal has come: before a system call that may block, and after one that it has interrupted.
local function end_if_interrupted(self)
  self.signal = self.signal or core.caught_signal()
  if self.signal then
    raise(self, errors.new("cancelled", "interrupted"))
  end
end

-- ---- output ----

-- A text without the key, which the service may repeat in any of its answers.
local function redacted(self, content)
  return self.made and core.redact(self.made, content) or content
end

-- Ends the command if results cannot be written, since all further results would be lost.
local function write(self, content)
  local ok, fault = self.out:write(redacted(self, content))
  if not ok then
    end_if_interrupted(self)
    self:note("the output cannot be written: " .. tostring(fault))
    if self.on_lost then
      self.on_lost()
    end
    self:exit(exits.USAGE)
  end
end

--- Prints a line of results. Text of the service in it must have been made visible.
---@param line string
function Session:print(line)
  write(self, line .. "\n")
end

--- Prints text of the service as the result: byte for byte to a file or a pipe, made visible on a terminal.
---@param content string
function Session:data(content)
  if self.out.is_terminal then
    content = text.visible_lines(content)
    content = content:find "\n$" and content or content .. "\n"
  end
  write(self, content)
end

--- Prints a message to stderr.
---@param message string untrusted
function Session:note(message)
  message = text.visible_lines(redacted(self, message))
  if self.progress then
    self.progress:note(message)
  else
    self.err:write(message .. "\n")
  end
end

-- ---- the client ----

local function client_options(options)
  return { config_file = options.config_file, project_id = options.project, timeout = options.request_timeout,
    retries = options.retries, loop = "own" }
end

--- The options of the client, for commands that explain them.
function Session:client_options()
  return client_options(self.options)
end

-- Shows a request instead of sending it.
local function show_request(self, client, outgoing)
  if self.options.json then
    self:print(output.json(preview.object(client, outgoing)))
  else
    self:print(preview.text(client, outgoing))
  end
  self.shown = true
  return errors.new("cancelled", "not sent: --dry-run")
end

--- The client. Ends the command if it cannot be made.
---@return cekura.Client
function Session:client()
  if not self.made then
    self.made = self:check(cekura.new(client_options(self.options)))
    if self.options.dry_run then
      core.fields(self.made)._instead = function(outgoing)
        return show_request(self, self.made, outgoing)
      end
    end
  end
  return self.made
end

-- ---- questions ----

--- Asks for confirmation on a terminal, unless --yes is given. Elsewhere, does not ask.
---@param what string such as "An evaluation costs credits."
function Session:confirm(what)
  end_if_interrupted(self)
  if self.options.yes or self.options.dry_run or not self.err.is_terminal or not core.terminal(0) then
    return
  end
  self.err:write(text.visible(what) .. " Continue? [y/N] ")
  local answer = io.read "*l"
  if core.caught_signal() then
    self.err:write "\n"
  end
  end_if_interrupted(self)
  if not (answer or ""):lower():find "^%s*y" then
    self:note "Nothing was sent."
    self:exit(exits.FAILED)
  end
end

-- The name of a file in messages.
local function file_name(path)
  return path == "-" and "standard input" or path == "" and '""' or path
end

--- The message for a file that cannot be used. The fault may begin with the path, as those of io.open do.
---@param path string
---@param what "read"|"written"
---@param fault any
---@return string
function Session.file_fault(path, what, fault)
  local reason = tostring(fault)
  if reason:sub(1, #path + 2) == path .. ": " then
    reason = reason:sub(#path + 3)
  end
  return ("%s cannot be %s: %s"):format(file_name(path), what, reason)
end

--- The content of a file that the command line names; "-" is standard input.
---@param path string
---@return string
function Session:read_file(path)
  end_if_interrupted(self)
  local file, fault = io.stdin, nil
  if path ~= "-" then
    file, fault = io.open(path, "rb")
  end
  local content
  if file then
    content, fault = file:read "*a"
  end
  if file and path ~= "-" then
    file:close()
  end
  if not content then
    end_if_interrupted(self)
    self:usage(self.file_fault(path, "read", fault))
  end
  return content
end

local ENOENT = 2

-- The name of a new file that becomes the one at a path once it is whole; nil if there is something at the path, which
-- keeps its permissions and its type, or no name.
local function new_name(path)
  if path == "" then
    return nil -- as open() then says
  end
  local _, _, code = os.rename(path, path) -- which changes nothing
  return code == ENOENT and ("%s.%d.new"):format(path, core.date() * 1e6 % 1e9) or nil
end

--- Replaces a file that the command line names. Unless it existed, it is there with its whole content or not at all.
---@param path string
---@param content string
---@return boolean? ok, any fault
function Session.write_file(path, content)
  local name = new_name(path)
  local file, fault = io.open(name or path, "wb")
  local ok = file and true
  if file then
    ok, fault = file:write(content)
    local closed, close_fault = file:close()
    ok, fault = ok and closed, fault or close_fault
  end
  if ok and name then
    ok, fault = os.rename(name, path)
  end
  if name and not ok then
    os.remove(name)
    fault = tostring(fault):gsub("^.*: ", "")
  end
  return ok and true, fault
end

-- Ends the command if a file cannot be written. A file that does not exist is not made. A pipe stays open, since its
-- reader would take its being closed for the end.
local function check_file(self, path)
  local name = new_name(path)
  local file, fault = io.open(name or path, "ab")
  if file and file:seek() then
    file:close()
  elseif file then
    self.pipes[#self.pipes + 1] = file
  end
  if name then
    os.remove(name)
    fault = fault and fault:gsub("^.*: ", "")
  end
  if not file then
    end_if_interrupted(self)
    self:usage(self.file_fault(path, "written", fault))
  end
end

--- Ends the command if the files that options name cannot be written, or if one would replace another: to be called
--- before the work. "-" is standard output.
---@param command string its name
---@param ... string the names of the options
function Session:check_files(command, ...)
  local first = {}
  for _, option in ipairs { ... } do
    local path = self.options[option]
    if path and path ~= "-" then
      if first[path] then
        self:usage(("%s: --%s and --%s name the same file"):format(command, first[path], option))
      end
      first[path] = option
      if not self.options.dry_run then
        check_file(self, path)
      end
    end
  end
end

--- The JSON in a file.
---@param path string
---@return any
function Session:read_json(path)
  local value, fault = core.decode(self:read_file(path))
  if value == nil then
    self:usage(("%s is not valid JSON: %s"):format(file_name(path), tostring(fault)))
  end
  return value
end

-- ---- the run ----

-- Seconds between two checks for signals, and between two frames of the progress display.
local TICK = 0.1

-- Cancels the work once a signal has been received.
local function look_after(self, work)
  while not self.over do
    self.signal = self.signal or core.caught_signal()
    if self.signal then
      return work:cancel()
    elseif self.progress then
      self.progress:tick()
    end
    cekura.sleep(TICK)
  end
end

--- The message of an error that the library raised for a wrong argument, which came from the command line.
---@param raised any
---@return string? message nil: it is another error
function Session.misuse(raised)
  return type(raised) == "string" and (raised:match "^[^\n]-:%d+: cekura: (.*)$" or raised:match "^cekura: (.*)$")
end

local READS = { GET = true, HEAD = true }

-- Reports that a signal ended the work. Returns the exit status.
local function interrupted(self, err)
  if errors.is(err) and err.sent and err.method and not READS[err.method] then
    self:note(("Interrupted. %s %s was sent: it may have been processed, and it cannot be resumed."):format(
      err.method, err.path))
    return exits.UNKNOWN
  end
  self:note "Interrupted."
  return exits.SIGNALS[self.signal]
end

-- Reports the error that ended the work. Returns the exit status.
local function conclude(self, raised, traceback)
  if getmetatable(raised) == Exit then
    return raised.status
  elseif self.shown then
    return exits.OK
  elseif self.signal then
    return interrupted(self, raised)
  elseif errors.is(raised) then
    self:note(raised.message)
    return exits.of(raised)
  elseif self.misuse(raised) then
    self:note(self.misuse(raised))
    return exits.USAGE
  end
  self:note("Internal error of cekura-lua: " .. tostring(raised) .. "\n" .. tostring(traceback or ""))
  return exits.BUG
end

--- Registers a function that is called at the end in any case. After a signal it may wait, unlike the work itself.
---@param fn fun(): integer? an exit status instead of the work's
function Session:at_end(fn)
  self.last = fn
end

--- Runs a command.
---@param command cekura.command.Command
---@param given cekura.command.Given
---@return integer exit status
function session.run(command, given)
  local streams = terminal.open { color = given.options.color }
  local self = setmetatable({ options = given.options, out = streams.out, err = streams.err,
    pipes = {} }, Session)
  if os.getenv "CEKURA_DEBUG" == "1" then
    self.err.redraws = false -- the lines of the log would break the redrawing
  end
  return cekura.run(function()
    local work = cekura.spawn(function()
      self.status = command.run(self, given) or exits.OK
    end)
    local watcher = cekura.spawn(look_after, self, work)
    local _, raised, traceback = work:join()
    self.over = true
    watcher:cancel()
    self:hide_jobs()
    local status = self.last and self.last() or self.status or conclude(self, self.raised or raised, traceback)
    if self.made then
      self.made:close()
    end
    return status
  end)
end

--- Shows jobs on stderr until hide_jobs() is called.
function Session:show_jobs(jobs)
  self.progress = progress.new(self.err, { quiet = self.options.quiet })
  for _, job in ipairs(jobs) do
    self.progress:add(job)
  end
end

function Session:hide_jobs()
  if self.progress then
    self.progress:close()
    self.progress = nil
  end
end

return session
