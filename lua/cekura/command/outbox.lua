--- The commands for an outbox: calls that are kept on disk until the service has them (cekura.outbox).

local cekura = require "cekura"
local core = require "cekura.core"
local errors = require "cekura.errors"
local exits = require "cekura.command.exits"
local output = require "cekura.command.output"
local text = require "cekura.command.text"
local times = require "cekura.records.times"

local DIRECTORY = { name = "dir", help = "The directory of the outbox." }

local SYNC = { name = "sync", help = "Sync what is written to the disk, so that it survives a power cut." }

-- Opens the outbox. Ends the command if that fails, and with --dry-run.
local function open(session, path, options)
  if session.options.dry_run then
    session:print(session.options.json and output.json { path = path }
      or text.visible(("The outbox %s. Nothing was sent."):format(path)))
    session:exit(exits.OK)
  end
  options.path, options.sync = path, session.options.sync
  return session:check(cekura.outbox(options))
end

-- The same, for an outbox that exists.
local function open_existing(session, path)
  local directory, fault = io.open(path .. "/.")
  if directory then
    directory:close()
  elseif not session.options.dry_run then
    session:usage(session.file_fault(path, "read", fault))
  end
  return open(session, path, {})
end

-- ---- run ----

-- Prints a call that was refused.
local function print_refused(session, rows, call, err)
  if session.options.json then
    session:print(output.json { call_id = call.call_id, kind = err.kind, status = err.status, message = err.message })
  else
    rows:add { call_id = call.call_id, kind = err.kind, message = errors.line(err) }
  end
end

local run = {
  name = "run",
  summary = "Send the calls of an outbox.",
  description = "Sends the calls that programs put into the directory, in the order of their arrival, until it is "
    .. "interrupted. Prints a line for each call that is refused: call_id, kind and message, with tabs between them. "
    .. "Those calls are kept in the directory refused. While another process sends, it stands by. With --until-empty, "
    .. "ends once no call waits, and the exit status is 1 if any was refused.",
  arguments = { DIRECTORY },
  options = {
    { name = "until-empty", help = "End once no call waits." },
    { name = "give-up", type = "seconds",
      help = "Seconds after which a call is refused that fails while later ones are accepted (86400)." },
    SYNC,
  },
  examples = {
    { "cekura-lua outbox run /var/spool/cekura", "Send until Ctrl-C or SIGTERM." },
    { "cekura-lua outbox run /var/spool/cekura --until-empty", "Send what there is, for instance from cron." },
  },
  run = function(session, given)
    local refused, task, raised = 0, nil, nil
    local rows = output.table(session, nil, { "call_id", "kind", "message" }, true)
    local client = not session.options.dry_run and session:client() or nil
    local box = open(session, given.words.dir, { client = client, give_up = session.options.give_up,
      on_refused = function(call, err)
        refused = refused + 1
        local printed, fault = pcall(print_refused, session, rows, call, err)
        if not printed then
          raised = raised or fault
          task:cancel()
        end
      end })
    task = cekura.spawn(function()
      return { box:run { until_empty = session.options.until_empty } }
    end)
    session:at_end(function()
      if not session.signal then
        return
      end
      box:close()
      task:join()
      return exits.SIGNALS[session.signal]
    end)
    local ended = task:join()
    if raised then
      error(raised, 0)
    end
    local sent = session:check(ended and ended[1], ended and ended[2])
    if not session.options.quiet then -- cron would send it each time
      session:note(("%d sent, %d refused."):format(sent, refused))
    end
    return refused > 0 and exits.FAILED or exits.OK
  end,
}

-- ---- status ----

local status = {
  name = "status",
  summary = "Show how many calls wait in an outbox.",
  description = "Shows how many calls wait, the size of their texts in bytes, when the oldest of them was put, how "
    .. "many were refused, and how many torn ones the files have, whose writers were killed. No API key is needed.",
  arguments = { DIRECTORY },
  examples = {
    { "cekura-lua outbox status /var/spool/cekura", "Show the numbers." },
    { "cekura-lua outbox status /var/spool/cekura --json", "Show them as JSON." },
  },
  run = function(session, given)
    local box = open_existing(session, given.words.dir)
    local numbers = session:check(box:status())
    if not session.options.json and numbers.oldest then
      numbers.oldest = ("%s (%d s ago)"):format(times.text(numbers.oldest), core.date() - numbers.oldest)
    end
    output.value(session, numbers, { "waiting", "bytes", "oldest", "refused", "torn" })
  end,
}

-- ---- retry ----

local retry = {
  name = "retry",
  summary = "Put the refused calls of an outbox back.",
  description = "Puts the calls that were refused back, behind those that wait, and prints how many. outbox run sends "
    .. "them again. No API key is needed.",
  arguments = { DIRECTORY },
  options = { SYNC },
  examples = {
    { "cekura-lua outbox retry /var/spool/cekura", "Put them back." },
    { "cekura-lua outbox retry /var/spool/cekura --json", "Print the number as JSON." },
  },
  run = function(session, given)
    local box = open_existing(session, given.words.dir)
    local count = session:check(box:retry())
    session:print(session.options.json and output.json { put_back = count } or ("%d"):format(count))
  end,
}

return {
  name = "outbox",
  summary = "Send calls that programs keep on disk.",
  description = "Sends the calls that programs put into a directory by cekura.outbox, shows how many wait, and puts "
    .. "refused ones back. Any number of processes may put calls there; one sends.",
  examples = { run.examples[1], status.examples[1] },
  commands = { run, status, retry },
}
