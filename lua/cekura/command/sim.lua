--- `sim`: the simulated service, alone or beside a program that is tested.

local cekura = require "cekura"
local exits = require "cekura.command.exits"
local output = require "cekura.command.output"

-- ---- the environment of a program ----

local PROXIES = { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" }

-- Programs that know nothing of CEKURA_LOOPBACK_ONLY would ask a proxy for this machine.
local function add_proxy_exception(set)
  for _, name in ipairs(PROXIES) do
    if (os.getenv(name) or "") ~= "" then
      local known = os.getenv "no_proxy" or os.getenv "NO_PROXY" or ""
      set.no_proxy = known ~= "" and known .. ",127.0.0.1" or "127.0.0.1"
      set.NO_PROXY = set.no_proxy
    end
  end
end

-- The variables of the program, as a list of "NAME=value".
local function environment(native, service, speed)
  local set = { CEKURA_API_URL = service.url, CEKURA_API_KEY = service.key, CEKURA_LOOPBACK_ONLY = "1",
    CEKURA_LOOPBACK_SPEED = speed and ("%.14g"):format(speed) or "" }
  add_proxy_exception(set)
  local variables = {}
  for _, variable in ipairs(native.environment()) do
    if set[variable:match "^[^=]*"] == nil then
      variables[#variables + 1] = variable
    end
  end
  for name, value in pairs(set) do
    variables[#variables + 1] = value ~= "" and name .. "=" .. value or nil
  end
  return variables
end

-- ---- recordings ----

-- Starts the service that the options ask for.
local function start(session)
  local testing, options = require "cekura.testing", session.options -- from files, which the other commands do without
  local wanted, service, err = { port = options.port, speed = options.speed }, nil, nil
  if options.record and options.replay then
    session:usage "sim: give --record or --replay, not both"
  elseif options.replay then
    service, err = testing.replay(options.replay, wanted)
  elseif options.record then
    wanted.config_file = options.config_file
    service, err = testing.record(options.record, wanted)
  else
    service, err = testing.start(wanted)
  end
  if err and err.file then
    session:usage(err.message)
  end
  return session:check(service, err)
end

-- Reports the requests that were not recorded. A status of success becomes one of failure.
local function report_unrecorded(session, service, status)
  local list = service:unrecorded()
  for _, request in ipairs(list) do
    session:note(request.unrecorded)
  end
  return list[1] and status == exits.OK and exits.FAILED or status
end

-- ---- what it does ----

-- As a shell has it.
local CANNOT_RUN, NOT_FOUND, SIGNALLED = 126, 127, 128

-- Runs the program, and exits as it does.
local function run_program(session, service, words)
  local native = require "cekura.simulator"
  local status, signal, fault, is_unknown = native.run(words, environment(native, service, session.options.speed))
  if fault then
    session:note(("%s: %s"):format(words[1], fault))
    return is_unknown and NOT_FOUND or CANNOT_RUN
  end
  return status or SIGNALLED + signal
end

-- Runs until a signal comes.
local function serve(session, service)
  session:at_end(function()
    local status = report_unrecorded(session, service, exits.OK)
    service:stop()
    return session.signal and (status ~= exits.OK and status or exits.SIGNALS[session.signal])
  end)
  local what = session.options.record and "The recording" or session.options.replay and "The replay"
    or "The simulator of the API"
  session:note(what .. " runs until Ctrl-C. In another terminal, type:")
  if session.options.json then
    session:print(output.json { url = service.url, api_key = service.key })
  else
    session:print("export CEKURA_API_URL=" .. service.url)
    session:print("export CEKURA_API_KEY=" .. service.key)
  end
  while true do
    cekura.sleep(3600)
  end
end

return {
  name = "sim",
  summary = "Run the simulated service, for tests.",
  description = "Runs a simulated service on this machine, which answers as Cekura does and costs nothing. With "
    .. "COMMAND, runs that program with CEKURA_API_URL and CEKURA_API_KEY set to the service, and with "
    .. "CEKURA_LOOPBACK_ONLY=1, so that it reaches no other; then exits with its status, or with 128 plus the number "
    .. "of the signal that ended it. Without COMMAND, prints the variables, and runs until it is interrupted; the "
    .. "status is then 130 or 143. With --record, the real service answers, and a file keeps the exchanges without "
    .. "secrets, hosts, phone numbers and e-mail addresses; with --replay, the file answers. Requests that were not "
    .. "recorded are printed to stderr, and the status is 1 unless that of COMMAND is another failure.",
  arguments = { { name = "command", count = "*", help = "A program and its arguments, after --." } },
  options = {
    { name = "port", type = "integer", help = "The port on 127.0.0.1 (a free one)." },
    { name = "speed", type = "seconds", shown = "N",
      help = "Divide all pauses, and the seconds that jobs take, by N." },
    { name = "record", type = "text", shown = "FILE", help = "Pass requests on to the real service, and record them." },
    { name = "replay", type = "text", shown = "FILE", help = "Answer as the service did that was recorded." },
  },
  examples = {
    { "cekura-lua sim -- ./my-test.sh", "Run a test against the simulated service." },
    { "cekura-lua sim --speed 100 --replay calls.jsonl -- ./my-test.sh", "Run it against a recording." },
  },
  run = function(session, given)
    if session.options.dry_run then
      session:note "Nothing is started: --dry-run."
      return exits.OK
    end
    local service = start(session)
    local words = given.words.command or {}
    if not words[1] then
      return serve(session, service)
    end
    local status = report_unrecorded(session, service, run_program(session, service, words))
    service:stop()
    return status
  end,
}
