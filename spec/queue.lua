--- The queue of `make test`, `make test-hosts` and `make test-redis`: prints a line for each suite, the longest suite
-- first.
--   LUA spec/queue.lua test|hosts|redis LUA...
-- A line has four parts, separated by tabs: the seconds after which the suite counts as hung; "tap" if the output lists
-- the tests that passed, or "check" if only the exit status counts; the name; the command.

local function lines_of(command)
  local lines = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

-- HAProxy runs on the Lua that it was built with.
local HAPROXY = "lua" .. (table.concat(lines_of "haproxy -vv 2>&1"):match "Built with Lua version : Lua (%d%.%d)" or "")

-- Three Luas represent all for a spec whose subject lies above the differences between them, or which is long and whose
-- parts other specs run on every Lua. 5.1 has no integers and no yields across pcall, but environments of functions and
-- userdata, and its folders are LuaJIT's, too; 5.4 has integers, and all that 5.2 and 5.3 brought; LuaJIT has a
-- compiler of its own.
local THREE = { "lua5.1", "lua5.4", "luajit" }

-- Spec files are found by name: spec/*_spec.lua for `test`, spec/redis/*_spec.lua for `redis`, these and
-- spec/hosts/*_spec.lua for `hosts`. They run on every Lua
-- and take a second, except for these:
--   seconds  how long it takes on a quiet machine
--   on       the Luas that it runs on: that of its host, or those that represent all
--   once     its subject is the engine or the source, which do not depend on the Lua
local SPECS = {
  adaptive = { seconds = 8 },
  addresses = { seconds = 11, once = true },
  api = { seconds = 30, once = true }, -- it installs packages
  architecture = { once = true },
  bench = { once = true },
  build = { seconds = 25, once = true },
  call_end = { seconds = 10, on = { "lua5.3", "lua5.4", "luajit" } }, -- those of HAProxy and nginx
  callbacks = { seconds = 18 },
  calls = { seconds = 4 },
  chaos = { seconds = 46, once = true },
  cjson = { seconds = 8 },
  command = { seconds = 40, on = THREE }, -- it starts a program hundreds of times
  command_report = { seconds = 10 },
  command_show = { seconds = 4 },
  command_sim = { seconds = 6 },
  command_streams = { seconds = 20 },
  command_terminal = { seconds = 11 },
  commands = { seconds = 100, once = true },
  config_file = { seconds = 7 },
  copas = { seconds = 7, on = { "lua5.1", "lua5.2", "luajit" } },
  cqueues = { seconds = 12 },
  cycles = { seconds = 12, once = true },
  debugging = { seconds = 5 },
  descriptors = { seconds = 12, once = true },
  diff = { seconds = 17 },
  dnsdist = { seconds = 30, on = { "luajit" } },
  encoding = { seconds = 4, once = true },
  examples = { seconds = 33 },
  failure = { seconds = 3 },
  fair = { seconds = 15, once = true },
  fleet_page = { seconds = 63, on = { "luajit" } }, -- it installs packages, which only one process can do at a time
  fork = { seconds = 8 },
  fleet = { seconds = 140 },
  fleet_failover = { seconds = 20, once = true },
  fleet_command = { seconds = 35, on = THREE },
  fleet_proof = { seconds = 45, on = { "lua5.4" } },
  form = { seconds = 17 },
  fuzz = { seconds = 5 },
  glib = { seconds = 5, on = { "lua5.1", "lua5.2", "lua5.3", "luajit" } },
  handover = { seconds = 2 },
  guide = { seconds = 3, on = { "lua5.4", "luajit" } },
  haproxy = { seconds = 80, on = { HAPROXY } },
  holds = { seconds = 8, once = true },
  host = { seconds = 11 },
  hosts_pages = { seconds = 200, once = true },
  hosts_table = { once = true },
  improve = { seconds = 15 },
  install = { seconds = 110, on = THREE }, -- the Makefile treats 5.2 and 5.3 as 5.4, by their names
  interrupt = { seconds = 140, on = { "lua5.3", "lua5.4" } },
  job = { seconds = 17 },
  kinds = { seconds = 14 },
  kamailio = { seconds = 11, on = { "lua5.1" } },
  kamailio_outbox = { seconds = 15, on = { "lua5.1" } },
  kamailio_page = { seconds = 50, once = true },
  late = { seconds = 29, on = { "lua5.4", "luajit" } }, -- spec/engine/deadline_test.c tests the engine
  library_limits = { seconds = 17 },
  knot_resolver = { on = { "luajit" } },
  layers = { once = true },
  limits = { seconds = 3, once = true },
  locale = { seconds = 4 },
  loop = { seconds = 28 },
  lua_http = { on = { "lua5.1", "luajit" } },
  luv = { seconds = 7 },
  manual = { seconds = 6, once = true },
  messages = { seconds = 25 },
  odd = { seconds = 20 },
  mistakes = { seconds = 5 },
  ngx = { seconds = 80, on = { "luajit" } },
  operations = { seconds = 5 },
  options = { seconds = 13 },
  packages = { seconds = 12, once = true },
  nginx_page = { seconds = 100, on = { "luajit" } },
  outbox = { seconds = 40, on = THREE },
  outbox_command = { seconds = 6, on = THREE },
  outbox_hosts = { seconds = 10, on = { "luajit", HAPROXY } },
  outbox_proof = { seconds = 20, once = true },
  pages = { seconds = 60, on = THREE },
  ngx_tasks = { seconds = 8, on = { "luajit" } },
  progress = { seconds = 10 },
  prosody = { seconds = 30, on = { "lua5.4" } },
  proxy = { seconds = 26, once = true },
  rate = { seconds = 20, once = true },
  redis = { seconds = 20 },
  redis_hosts = { seconds = 20, on = { "luajit", "lua5.3", "lua5.4" } },
  redis_pages = { once = true },
  redis_sentinel = { seconds = 60, once = true },
  redis_tls = { seconds = 8, once = true },
  redact = { seconds = 3, on = THREE },
  reference = { seconds = 100, once = true },
  replay = { seconds = 15, on = THREE },
  report_changes = { seconds = 2 },
  report_page = { seconds = 150, once = true },
  report_period = { seconds = 5, on = THREE },
  release = { seconds = 18, once = true },
  retry = { seconds = 15, once = true },
  secrets = { seconds = 30, on = THREE }, -- they differ in what userdata refers to
  selection = { seconds = 4 },
  setup = { seconds = 10, once = true },
  simulator = { seconds = 8 },
  slices = { seconds = 15, once = true },
  startup = { seconds = 18 },
  states = { seconds = 100, on = { "lua5.4", "luajit" } },
  step = { seconds = 3 },
  tasks = { seconds = 9 },
  testing = { seconds = 20 },
  testing_http = { seconds = 25, on = { "lua5.1", "lua5.4" } },
  testing_ngx = { seconds = 2, on = { "luajit" } },
  terminal = { seconds = 11 },
  timeout = { seconds = 5 },
  times = { seconds = 10 },
  tls = { seconds = 15, once = true },
  toml = { seconds = 2 },
  transcript = { seconds = 5 },
  turns = { seconds = 4 },
  types = { seconds = 8 },
  unbegun = { seconds = 2 },
  version = { seconds = 5 },
  watch = { seconds = 25 },
  watch_holder = { seconds = 53 },
  watch_odd = { seconds = 20 },
  watch_redis = { seconds = 58 },
  watch_store = { seconds = 40 },
  watch_window = { seconds = 37 },
  wipe = { seconds = 2, once = true },
}

-- The fuzz targets that take longer than five seconds.
local SECONDS = { answer = 20, api = 100, config_file = 8, durations = 45, encode = 20, json = 13, token = 45,
  webhook = 12 }

-- The number of texts. Targets in Lua take 2,000, the others 50,000, except for these, whose texts are whole programs
-- or conversations, or are read in many ways; a text of `durations` makes eight clients.
local RUNS = { api = 150, durations = 500, turns = 500, wire = 2000 }

local goal = arg[1]
local luas, is_wanted = {}, {}
for index = 2, #arg do
  luas[#luas + 1], is_wanted[arg[index]] = arg[index], true
end
local main = is_wanted["lua5.4"] and "lua5.4" or luas[1] -- the Lua for suites that run once

local suites = {}

local function add(seconds, kind, name, command)
  suites[#suites + 1] = { seconds = seconds, kind = kind, name = name, command = command, place = #suites }
end

local function luas_of(plan)
  if plan.once then
    return { main }
  elseif not plan.on then
    return luas
  end
  local chosen = {}
  for _, lua in ipairs(plan.on) do
    chosen[#chosen + 1] = is_wanted[lua] and lua
  end
  return chosen
end

local function add_specs(folder)
  for _, path in ipairs(lines_of("ls " .. folder .. "/*_spec.lua")) do
    local name = path:match "([%w_]+)_spec%.lua$"
    local plan = SPECS[name] or {}
    for _, lua in ipairs(luas_of(plan)) do
      add(plan.seconds or 1, "tap", name .. " on " .. lua,
        ("spec/env %s %s /usr/bin/busted -o TAP %s"):format(lua, lua, path))
    end
  end
end

-- Each target of libFuzzer takes a fixed number of texts, always the same. Those in C also take their corpus, with gcc.
local function add_fuzz_targets()
  for _, program in ipairs(lines_of "ls build/sanitized/*_replay") do
    local target = program:match "([%w_]+)_replay$"
    add(2, "check", "fuzz: " .. target .. " by gcc", program .. " spec/fuzz/corpus/" .. target .. "/*")
  end
  for _, program in ipairs(lines_of "ls build/fuzz/*_fuzzer") do
    local target = program:match "([%w_]+)_fuzzer$"
    local in_lua = io.open("spec/fuzz/targets/" .. target .. ".lua")
    if in_lua then
      in_lua:close()
    end
    if target ~= "lua" then -- this target runs all targets that are written in Lua, by name
      local run = "spec/fuzz/run %s build/spec/fuzz/%s -runs=%d -seed=1"
      add(SECONDS[target] or 5, "check", "fuzz: " .. target, run:format(target, target,
        RUNS[target] or in_lua and 2000 or 50000))
    end
  end
end

local function add_checks()
  add(5, "check", "lint", "make --no-print-directory -s lint")
  for _, program in ipairs(lines_of "ls build/sanitized/units/*_test") do
    add(5, "tap", "engine: " .. program:match "([%w_]+)_test$", "CMOCKA_MESSAGE_OUTPUT=TAP " .. program)
  end
  add_fuzz_targets()
  for _, lua in ipairs(luas) do
    add(5, "check", "three readers of JSON on " .. lua, ("spec/env %s %s spec/fuzz/compare.lua 10000"):format(lua, lua))
  end
  if is_wanted["lua5.4"] then -- every 17th allocation; make check-memory fails each of them
    add(70, "tap", "allocations that fail", "spec/memory/failing 17 lua5.4")
  end
end

if goal == "test" then
  add_checks()
  add_specs "spec"
else
  add_specs "spec/redis"
  if is_wanted["lua5.4"] then
    add(10, "tap", "allocations that fail with Redis", "spec/memory/failing 17 lua5.4 redis")
  end
end
if goal == "hosts" then
  add_specs "spec/hosts"
end

table.sort(suites, function(a, b)
  if a.seconds ~= b.seconds then
    return a.seconds > b.seconds
  end
  return a.place < b.place
end)
for _, suite in ipairs(suites) do
  -- A suite that takes ten times as long may be on a busy machine; beyond that it is hung.
  print(("%d\t%s\t%s\t%s"):format(300 + 10 * suite.seconds, suite.kind, suite.name, suite.command))
end
