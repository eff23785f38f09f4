--- Runs every fault CHAOS_RUNS times, side by side, and prints the table; see README.md.
--
-- A run is four stories: the start meets the fault once, or each time; a poll does, once or each time. Each story has a
-- client and an address of its own.

local cekura = require "cekura"
local core = require "cekura.core"
local faults = require "spec.chaos.faults"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local RUNS = tonumber(os.getenv "CHAOS_RUNS") or 100
local BUILD = os.getenv "CHAOS_BUILD" -- the folder of what was compiled, absolute
local ONLY = os.getenv "CHAOS_ONLY" -- rows whose name has that text

-- With more, a round of the loop takes longer than the 50 ms that are looked for.
local SIDE_BY_SIDE = 50
local KIND = "calls.improve_prompt"
-- On a busy machine the server may take as long as a deadline here: all spans are as many times longer.
local STRETCH = tonumber(os.getenv "CHAOS_STRETCH") or 1
local REQUEST = 0.8 * STRETCH -- seconds for a request that meets silence
local ENDLESS = 1.2 * STRETCH -- seconds for a wait that meets the fault each time
local PATIENT = 20 * STRETCH -- for one that is to end well
local IDLE = 0.3 * STRETCH -- until what comes on an idle connection has come
local GRACE = tonumber(os.getenv "CHAOS_GRACE") or 0.05 -- seconds that an end may be later than a bare timer
local ELSEWHERE = "127.250.0.%d"

local START_BODY = '{"progress_id":"job-1"}'
local DONE_BODY = '{"status":"completed","output":{"improved_prompt":"Better.","summary_of_changes":"All."},'
  .. '"error":null}'

local STORIES = { { "start", "once" }, { "start", "always" }, { "poll", "once" }, { "poll", "always" } }

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
      if row.elsewhere then -- the place of the numbers is known only here
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

-- ---- a bare timer, to see how late this process is by itself ----

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

-- How late a bare timer was at most that fired after `from`, or that is still to fire.
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

-- ---- a story ----

local Story = {}
Story.__index = Story

function Story:wrong(format, ...)
  self.faulty = self.faulty or ("%s, %s: "):format(self.part, self.times) .. format:format(...)
end

-- Calls what has that deadline.
function Story:within(seconds, fn, ...)
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

function Story:request_timeout()
  return self.row.timeout and self.row.timeout * STRETCH or REQUEST
end

function Story:client()
  local row = self.row
  local host, scheme, at = self.address, "http", port
  if row.tls or row.named then
    host = ("%s-%d-%d-%d.chaos.test"):format(row.named or "tls", self.address:match "%.(%d+)%.(%d+)%.(%d+)")
    self.host = host
  end
  if row.tls then
    scheme, at = "https", port + 1
  elseif row.nobody then
    at = port + 2
  end
  return cekura.assert(cekura.new {
    api_key = "k", config_file = false, base_url = ("%s://%s:%d"):format(scheme, host, at), allow_http = true,
    ca_file = row.tls and server.dir .. "/ca.pem" or nil, timeout = self:request_timeout(),
    connect_timeout = row.connect_timeout and row.connect_timeout * STRETCH, retries = self.retries,
    max_response = 1024 * 1024,
  })
end

-- Ends the fault, where it is not the server that does. Returns what the server has counted so far.
function Story:heal()
  local counts = admin("/heal/%s", self.address)
  if self.row.nobody and not self.opened then
    self.opened = true
    admin("/open/%s", self.address)
  elseif self.row.named then
    assert(io.open(("%s/%s"):format(self.names, self.host), "w")):close()
  end
  return counts
end

-- Whether an error is the one that must come; nil: none must.
function Story:check(err, expected)
  local function same(name, is, must)
    if must ~= nil and is ~= must then
      self:wrong("err.%s is %s, must be %s; %s", name, tostring(is), tostring(must), tostring(err))
    end
  end
  if not err or not expected then
    if err or expected then
      self:wrong("%s, must be %s", err and tostring(err) or "all went well", expected and expected.kind or "well")
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

function Story:start()
  local row = self.row
  -- What the server does not heal by itself heals while the start is tried again and again.
  local heals = self.part == "start" and self.times == "once" and (row.nobody or row.named)
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

function Story:wait(job, seconds)
  -- An idle connection is left idle until what comes on it has come.
  local interval = self.row.idle and IDLE or 0.05
  local result, err = self:within(seconds, job.wait, job, { interval = interval, timeout = seconds })
  if result and result.improved_prompt ~= "Better." then
    self:wrong("another result")
  end
  return result, err
end

-- The start meets the fault.
function Story:tell_start()
  local expected = self.row.expected.start[self.times]
  local job, err = self:start()
  self:check(err, expected)
  self.got, self.seconds = err, self.took
  local at_least = self.row.at_least
  if at_least and self.took < at_least then
    self:wrong("after %.2f s, must be %g", self.took, at_least)
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
    self:wrong("the server did %d starts, must be %d", counts.processed, must)
  end
  if expected and expected.sent and counts.start_connections ~= expected.attempts and expected.attempts then
    self:wrong("the server saw %d connections for %d attempts", counts.start_connections, expected.attempts)
  end
end

-- A poll meets the fault.
function Story:tell_poll()
  local row = self.row
  local expected = row.expected.poll[self.times]
  local job
  if row.nobody or row.named or row.tls and not row.steps then
    job = self.api:job(KIND, "job-1")
  else
    job = cekura.assert(self:start())
  end
  if self.times == "once" and (row.nobody or row.named) then
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
    self:wrong("after %.2f s, must be %g", core.now() - began, row.at_least)
  end
  if result then
    return
  end
  -- What the server finished is not lost: the job is still good.
  self.seen = self:heal().polls
  if row.held then -- this client does as it was told, for minutes; another was told nothing
    self.other = self:client()
    job = cekura.assert(self.other:resume(job:token()))
  end
  result, err = self:wait(job, PATIENT)
  if not result then
    self.lost = true
    self:wrong("no result after the fault was over: %s", tostring(err))
  end
end

function Story:tell()
  -- Tried until it heals, or else just once more.
  self.retries = (self.row.nobody or self.row.named) and self.times == "once" and 8 or 1
  if self.part == "poll" then
    self.retries = 2 -- so many odd answers in a row are one too many
  end
  self.api = self:client()
  if self.row.full then
    admin("/fill/%s", self.address)
  end
  if self.part == "start" then
    self:tell_start()
  else
    self:tell_poll()
  end
  local counts = admin("/counts/%s", self.address)
  self.duplicate = counts.processed > 1
  self.seen = self.seen or counts.polls
  self.api:close()
  if self.other then
    self.other:close()
  end
  self.api, self.other = nil, nil -- the loop looks at every client that is not collected
end

-- ---- all of them ----

local function take(row, story)
  row.stories = (row.stories or 0) + 1
  row.bad_runs = row.bad_runs or {}
  if story.faulty or story.late or story.lost or story.duplicate then
    row.bad_runs[story.run] = true
    row.note = row.note or story.faulty
  end
  row.duplicates = (row.duplicates or 0) + (story.duplicate and 1 or 0)
  row.late = (row.late or 0) + (story.late and 1 or 0)
  row.lost = (row.lost or 0) + (story.lost and 1 or 0)
  local name, got = story.part .. story.times, story.got
  row.got = row.got or {}
  row.got[name] = row.got[name] or { seconds = {}, seen = 0 }
  row.got[name].what = got and got.kind .. (got.cause and " (" .. got.cause.kind .. ")" or "")
    or (story.part == "start" and "job" or "result")
  row.got[name].seen = math.max(row.got[name].seen, story.seen or 0)
  table.insert(row.got[name].seconds, story.seconds or 0)
end

local function run_stories(stories)
  local next_story = 1
  local function work()
    while stories[next_story] do
      local story = stories[next_story]
      stories[next_story] = true
      next_story = next_story + 1
      local told, raised = cekura.spawn(function()
        story:tell()
        return true
      end):join()
      if not told then -- one that ended its worker would have the others wait for ever
        story:wrong("%s", tostring(raised))
      end
      take(story.row, story)
    end
    return true
  end
  local workers = {}
  for index = 1, math.min(SIDE_BY_SIDE, #stories) do
    workers[index] = cekura.spawn(work)
  end
  for _, worker in ipairs(workers) do
    cekura.assert(worker:join())
  end
end

-- The stories of the rows that are chosen; the same fault's are not neighbours.
local function stories_of(names, jumping)
  local stories = {}
  for run = 1, RUNS do
    for number, row in ipairs(faults) do
      if (row.jumps or false) == jumping and (not ONLY or row.name:find(ONLY, 1, true)) then
        for index, each in ipairs(STORIES) do
          local low = run * 4 + index - 1
          stories[#stories + 1] = setmetatable({
            row = row, run = run, part = each[1], times = each[2], names = names,
            address = ("127.%d.%d.%d"):format(number, math.floor(low / 256), low % 256),
          }, Story)
        end
      end
    end
  end
  return stories
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

local function told(got)
  table.sort(got.seconds)
  return ("%s %.2f s %d"):format(got.what, got.seconds[math.ceil(#got.seconds / 2)], got.seen)
end

local function got(row, part)
  local once, always = row.got[part .. "once"], row.got[part .. "always"]
  local same = once.what == always.what and once.seen == always.seen
  return same and told(once) or told(once) .. "; " .. told(always)
end

local function print_table(took)
  local wrong, kinds = 0, 0
  print(("%-40s %5s %5s %10s %5s %5s  %-58s %s"):format("fault", "runs", "right", "duplicates", "late", "lost",
    "a start gets", "a wait gets"))
  for _, row in ipairs(faults) do
    if row.stories then
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
    run_stories(stories_of(names, false))
    jump_while(run_stories, stories_of(names, true))
    ticking = false
    ticker:join()
    for number, row in ipairs(faults) do
      if row.elsewhere and row.stories and admin("/counts/" .. ELSEWHERE, number).connections > 0 then
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
