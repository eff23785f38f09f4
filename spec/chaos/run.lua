--- Runs every fault CHAOS_RUNS times, many cases at once, and prints the table; see README.md.
--
-- A run is four cases: the start meets the fault once or each time; a poll meets it once or each time. Each case has a
-- separate client and address.

local cekura = require "cekura"
local core = require "cekura.core"
local faults = require "spec.chaos.faults"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local RUNS = tonumber(os.getenv "CHAOS_RUNS") or 100
local BUILD = os.getenv "CHAOS_BUILD" -- the absolute path of the compiled programs
local ONLY = os.getenv "CHAOS_ONLY" -- only rows whose name contains this text

-- With more cases at once, a round of the loop takes longer than the 50 ms that are checked.
local SIDE_BY_SIDE = 50
local KIND = "calls.improve_prompt"
-- On a busy machine the server may take as long as a deadline here, so all times are multiplied.
local STRETCH = tonumber(os.getenv "CHAOS_STRETCH") or 1
local REQUEST = 0.8 * STRETCH -- seconds for a request to a silent server
local ENDLESS = 1.2 * STRETCH -- seconds for a wait that meets the fault each time
local PATIENT = 20 * STRETCH -- seconds for a wait that must succeed
local IDLE = 0.3 * STRETCH -- seconds until bytes on an idle connection have arrived
local GRACE = tonumber(os.getenv "CHAOS_GRACE") or 0.05 -- seconds by which an end may be later than a bare timer
local ELSEWHERE = "127.250.0.%d"

local START_BODY = '{"progress_id":"job-1"}'
local DONE_BODY = '{"status":"completed","output":{"improved_prompt":"Better.","summary_of_changes":"All."},'
  .. '"error":null}'

local CASES = { { "start", "once" }, { "start", "always" }, { "poll", "once" }, { "poll", "always" } }

-- ---- the server ----

local server, port

local CERTIFICATES = [[cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=chaos-ca \
    -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE &&
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other-ca -keyout otherca.key -out otherca.pem &&
  mkdir issued && touch index.txt && echo 01 >serial &&
  printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=issued\ndefault_md=sha256\npolicy=p
unique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n' >ca.conf &&
  issue() { # name, DNS name, from, to, authority
    openssl req -newkey rsa:2048 -nodes -subj /CN=chaos -keyout $1.key -out $1.csr -addext subjectAltName=DNS:$2 &&
    openssl ca -batch -config ca.conf -in $1.csr -out $1.pem -startdate $3 -enddate $4 -cert $5.pem \
      -keyfile $5.key -notext
  } &&
  issue good '*.chaos.test' 20200101000000Z 20490101000000Z ca &&
  issue expired '*.chaos.test' 20200101000000Z 20210101000000Z ca &&
  issue early '*.chaos.test' 20480101000000Z 20490101000000Z ca &&
  issue other '*.elsewhere.test' 20200101000000Z 20490101000000Z ca &&
  issue unknown '*.chaos.test' 20200101000000Z 20490101000000Z otherca &&
  cp good.pem old.pem && cp good.key old.key &&
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=chaos -addext 'subjectAltName=DNS:*.chaos.test' \
    -keyout selfsigned.key -out selfsigned.pem && echo made]]

local function start_server()
  port = process.free_port()
  server = process.start(("%s/fault_server %d ."):format(BUILD, port), function(self)
    return self:output():find "ready"
  end, function(dir)
    local said = shell(CERTIFICATES:format(dir))
    assert(said:find "made\n$", said)
  end)
end

local administrator

local function admin(path, ...)
  local address = select("#", ...) > 0 and path:format(...) or path
  return cekura.assert(administrator:request("GET", address)):json()
end

local function gzip(body)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(body)
  file:close()
  local pipe = assert(io.popen("gzip -9nc " .. name, "r"))
  local bytes = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return bytes
end

local function send_scripts(number, row)
  for part, body in pairs { start = START_BODY, poll = DONE_BODY } do
    if row.steps then
      local text = table.concat(row.steps(body, gzip, part), "\n")
      if row.elsewhere then -- only this program knows the number of the row
        local function hex(plain)
          return (plain:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
        end
        text = text:gsub(hex "ELSEWHERE", hex(ELSEWHERE:format(number))):gsub(hex "TLS_PORT", hex(tostring(port + 1)))
          :gsub(hex "PORT", hex(tostring(port)))
      end
      cekura.assert(administrator:request("POST", ("/script/%d/%s%s"):format(number, part, row.idle and "idle" or ""),
        { body = text .. "\n" }))
    end
  end
end

-- ---- a bare timer, which shows how late this process itself is ----

local ticks, ticking = {}, true

local function tick()
  while ticking do
    local due = core.now() + 0.005
    cekura.sleep(0.005)
    ticks[#ticks + 1] = { due = due, fired = core.now() }
    if #ticks > 20000 then
      for index = 1, 10000 do
        ticks[index] = ticks[index + 10000]
      end
      for index = #ticks, 10001, -1 do
        ticks[index] = nil
      end
    end
  end
end

-- The greatest delay of a bare timer that fired after `from`, or is still to fire.
local function lag(from)
  local newest = ticks[#ticks]
  local most = newest and core.now() - newest.fired - 0.005 or 0
  for index = #ticks, 1, -1 do
    local each = ticks[index]
    if each.fired < from then
      break
    end
    most = math.max(most, each.fired - each.due)
  end
  return math.max(most, 0)
end

-- ---- one case ----

local Case = {}
Case.__index = Case

function Case:wrong(format, ...)
  self.faulty = self.faulty or ("%s, %s: "):format(self.part, self.times) .. format:format(...)
end

-- Calls a function with that deadline, and checks the time of its return.
function Case:within(seconds, fn, ...)
  local began = core.now()
  local value, err = fn(...)
  self.took = core.now() - began
  self.lag = lag(began)
  local over = self.took - seconds
  if over > GRACE and over - lag(began + seconds) > GRACE then
    self.late = true
    self:wrong("%.0f ms after the deadline, a bare timer %.0f ms", over * 1000, lag(began + seconds) * 1000)
  end
  if err and not value and err.kind == "timeout" and over < -0.005 and not self.row.connect_timeout then
    self:wrong("a timeout %.0f ms before the deadline", -over * 1000)
  end
  return value, err
end

function Case:request_timeout()
  return self.row.timeout and self.row.timeout * STRETCH or REQUEST
end

function Case:client()
  local row = self.row
  local host, scheme, at = self.address, "http", port
  if row.tls or row.named then
    host = ("%s-%d-%d-%d.chaos.test"):format(row.named or "tls", self.address:match "%.(%d+)%.(%d+)%.(%d+)")
    self.host = host
  end
  if row.tls then
    scheme, at = "https", port + 1
  elseif row.no_listener then
    at = port + 2
  end
  return cekura.assert(cekura.new {
    api_key = "k", config_file = false, base_url = ("%s://%s:%d"):format(scheme, host, at), allow_http = true,
    ca_file = row.tls and server.dir .. "/ca.pem" or nil, timeout = self:request_timeout(),
    connect_timeout = row.connect_timeout and row.connect_timeout * STRETCH, retries = self.retries,
    max_response = 1024 * 1024,
  })
end

-- Ends a fault that the server does not end itself. Returns what the server has counted so far.
function Case:heal()
  local counts = admin("/heal/%s", self.address)
  if self.row.no_listener and not self.opened then
    self.opened = true
    admin("/open/%s", self.address)
  elseif self.row.named then
    assert(io.open(("%s/%s"):format(self.names, self.host), "w")):close()
  end
  return counts
end

-- Checks that an error is the expected one; nil means none.
function Case:check(err, expected)
  local function same(name, is, must)
    if must ~= nil and is ~= must then
      self:wrong("err.%s is %s, must be %s; %s", name, tostring(is), tostring(must), tostring(err))
    end
  end
  if not err or not expected then
    if err or expected then
      self:wrong("%s, must be %s", err and tostring(err) or "no error", expected and expected.kind or "no error")
    end
    return
  end
  same("kind", err.kind, expected.kind)
  same("cause", err.cause and err.cause.kind, expected.cause)
  same("sent", err.sent, expected.sent)
  same("attempts", err.attempts, expected.attempts)
  if expected.at_once and self.took - self.lag > REQUEST then
    self:wrong("%.2f s, must be at once", self.took)
  end
end

function Case:start()
  local row = self.row
  -- A fault that the server does not end itself ends while the start is retried.
  local heals = self.part == "start" and self.times == "once" and (row.no_listener or row.named)
  if self.part == "start" and row.idle then
    cekura.assert(self.api:request("GET", "/warm/"))
    cekura.sleep(0.02)
  end
  if heals then
    cekura.spawn(function()
      cekura.sleep(0.05)
      self:heal()
    end)
  end
  local params = { call_logs = { 1 }, prompt = row.large and ("x"):rep(1024 * 1024) or "x" }
  local timeout = heals and PATIENT or self:request_timeout()
  return self:within(timeout, self.api.start, self.api, KIND, params, { timeout = timeout })
end

function Case:wait(job, seconds)
  -- An idle connection stays idle until the bytes on it have arrived.
  local interval = self.row.idle and IDLE or 0.05
  local result, err = self:within(seconds, job.wait, job, { interval = interval, timeout = seconds })
  if result and result.improved_prompt ~= "Better." then
    self:wrong("another result")
  end
  return result, err
end

-- The start meets the fault.
function Case:run_start()
  local expected = self.row.expected.start[self.times]
  local job, err = self:start()
  self:check(err, expected)
  self.got, self.seconds = err, self.took
  local at_least = self.row.at_least
  if at_least and self.took < at_least then
    self:wrong("after %.2f s, must be at least %g", self.took, at_least)
  end
  local counts = admin("/heal/%s", self.address)
  self.seen = counts.start_connections
  if job then
    local result, wait_err = self:wait(job, PATIENT)
    if not result then
      self.lost = true
      self:wrong("no result: %s", tostring(wait_err))
    end
  elseif counts.processed > 0 and not err.sent then
    self.lost = true
  end
  local must = not expected and 1 or expected.processed or 0
  if counts.processed ~= must then
    self:wrong("the server processed %d starts, must be %d", counts.processed, must)
  end
  if expected and expected.sent and counts.start_connections ~= expected.attempts and expected.attempts then
    self:wrong("the server saw %d connections for %d attempts", counts.start_connections, expected.attempts)
  end
end

-- A poll meets the fault.
function Case:run_poll()
  local row = self.row
  local expected = row.expected.poll[self.times]
  local job
  if row.no_listener or row.named or row.tls and not row.steps then
    job = self.api:job(KIND, "job-1")
  else
    job = cekura.assert(self:start())
  end
  if self.times == "once" and (row.no_listener or row.named) then
    cekura.spawn(function()
      cekura.sleep(0.1)
      self:heal()
    end)
  end
  local began = core.now()
  local result, err = self:wait(job, expected and (self.times == "always" or row.held) and ENDLESS or PATIENT)
  self:check(err, expected)
  self.got, self.seconds = err, self.took
  if result and row.at_least and core.now() - began < row.at_least then
    self:wrong("after %.2f s, must be at least %g", core.now() - began, row.at_least)
  end
  if result then
    return
  end
  -- Work that the server finished is not lost: the job can still be polled.
  self.seen = self:heal().polls
  if row.held then -- this client holds back as asked, for minutes; another client was not asked
    self.other = self:client()
    job = cekura.assert(self.other:resume(job:token()))
  end
  result, err = self:wait(job, PATIENT)
  if not result then
    self.lost = true
    self:wrong("no result after the fault was over: %s", tostring(err))
  end
end

function Case:run_all()
  -- Retried until the fault ends, or once.
  self.retries = (self.row.no_listener or self.row.named) and self.times == "once" and 8 or 1
  if self.part == "poll" then
    self.retries = 2 -- the number of odd answers in a row that end a wait
  end
  self.api = self:client()
  if self.row.full then
    admin("/fill/%s", self.address)
  end
  if self.part == "start" then
    self:run_start()
  else
    self:run_poll()
  end
  local counts = admin("/counts/%s", self.address)
  self.duplicate = counts.processed > 1
  self.seen = self.seen or counts.polls
  self.api:close()
  if self.other then
    self.other:close()
  end
  self.api, self.other = nil, nil -- the loop scans every client that is not collected
end

-- ---- all cases ----

local function take(row, case)
  row.cases = (row.cases or 0) + 1
  row.bad_runs = row.bad_runs or {}
  if case.faulty or case.late or case.lost or case.duplicate then
    row.bad_runs[case.run] = true
    row.note = row.note or case.faulty
  end
  row.duplicates = (row.duplicates or 0) + (case.duplicate and 1 or 0)
  row.late = (row.late or 0) + (case.late and 1 or 0)
  row.lost = (row.lost or 0) + (case.lost and 1 or 0)
  local name, got = case.part .. case.times, case.got
  row.got = row.got or {}
  row.got[name] = row.got[name] or { seconds = {}, seen = 0 }
  row.got[name].what = got and got.kind .. (got.cause and " (" .. got.cause.kind .. ")" or "")
    or (case.part == "start" and "job" or "result")
  row.got[name].seen = math.max(row.got[name].seen, case.seen or 0)
  table.insert(row.got[name].seconds, case.seconds or 0)
end

local function run_cases(cases)
  local next_case = 1
  local function work()
    while cases[next_case] do
      local case = cases[next_case]
      cases[next_case] = true
      next_case = next_case + 1
      local ended, raised = cekura.spawn(function()
        case:run_all()
        return true
      end):join()
      if not ended then -- an error must not end the worker, because the others would wait for ever
        case:wrong("%s", tostring(raised))
      end
      take(case.row, case)
    end
    return true
  end
  local workers = {}
  for index = 1, math.min(SIDE_BY_SIDE, #cases) do
    workers[index] = cekura.spawn(work)
  end
  for _, worker in ipairs(workers) do
    cekura.assert(worker:join())
  end
end

-- The cases of the selected rows, so ordered that cases of the same fault are not neighbours.
local function cases_of(names, jumping)
  local cases = {}
  for run = 1, RUNS do
    for number, row in ipairs(faults) do
      if (row.jumps or false) == jumping and (not ONLY or row.name:find(ONLY, 1, true)) then
        for index, each in ipairs(CASES) do
          local low = run * 4 + index - 1
          cases[#cases + 1] = setmetatable({
            row = row, run = run, part = each[1], times = each[2], names = names,
            address = ("127.%d.%d.%d"):format(number, math.floor(low / 256), low % 256),
          }, Case)
        end
      end
    end
  end
  return cases
end

local function jump_while(fn, ...)
  local shim = BUILD .. "/preload.so"
  local forward = assert(package.loadlib(shim, "jump_forward"))
  local back = assert(package.loadlib(shim, "jump_back"))
  local jumping = true
  local before = os.time()
  forward()
  assert(os.time() > before + 3600, "the date does not jump")
  back()
  local task = cekura.spawn(function()
    while jumping do
      forward()
      cekura.sleep(0.013)
      back()
      cekura.sleep(0.011)
      back()
      cekura.sleep(0.017)
      forward()
      cekura.sleep(0.007)
    end
  end)
  fn(...)
  jumping = false
  task:join()
end

local function summary(got)
  table.sort(got.seconds)
  return ("%s %.2f s %d"):format(got.what, got.seconds[math.ceil(#got.seconds / 2)], got.seen)
end

local function got(row, part)
  local once, always = row.got[part .. "once"], row.got[part .. "always"]
  local same = once.what == always.what and once.seen == always.seen
  return same and summary(once) or summary(once) .. "; " .. summary(always)
end

local function print_table(took)
  local wrong, kinds = 0, 0
  print(("%-40s %5s %5s %10s %5s %5s  %-58s %s"):format("fault", "runs", "right", "duplicates", "late", "lost",
    "a start gets", "a wait gets"))
  for _, row in ipairs(faults) do
    if row.cases then
      kinds = kinds + 1
      local bad = 0
      for _ in pairs(row.bad_runs) do
        bad = bad + 1
      end
      print(("%-40s %5d %5d %10d %5d %5d  %-58s %s"):format(row.name, RUNS, RUNS - bad, row.duplicates, row.late,
        row.lost, got(row, "start"), got(row, "poll")))
      if bad > 0 then
        wrong = wrong + 1
        print("    " .. (row.note or ""))
      end
    end
  end
  print(("%d faults, %d of them wrong, %.0f s"):format(kinds, wrong, took))
  return wrong == 0 and kinds > 0
end

local function main()
  local names = os.getenv "CHAOS_NAMES"
  start_server()
  administrator = cekura.assert(cekura.new {
    api_key = "k", config_file = false, base_url = "http://127.0.0.1:" .. port, max_in_flight = 4,
  })
  for number, row in ipairs(faults) do
    send_scripts(number, row)
  end
  local began = core.now()
  cekura.run(function()
    local ticker = cekura.spawn(tick)
    run_cases(cases_of(names, false))
    jump_while(run_cases, cases_of(names, true))
    ticking = false
    ticker:join()
    for number, row in ipairs(faults) do
      if row.elsewhere and row.cases and admin("/counts/" .. ELSEWHERE, number).connections > 0 then
        row.bad_runs[1] = true
        row.note = "the redirect was followed"
      end
    end
  end)
  local right = print_table(core.now() - began)
  administrator:close()
  server:stop()
  return right
end

os.exit(main() and 0 or 1)
