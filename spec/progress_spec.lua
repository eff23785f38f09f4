--- What a person sees of jobs that the command waits for: on real terminals, with jobs of the simulator.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local tmux = require "spec.support.tmux"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local IMPROVE = "/observability/v1/call-logs/improve_prompt_progress/"
local GENERATE = "/test_framework/v1/scenarios/generate-progress/"
local METRICS = "/test_framework/v1/metrics/generate_metrics_progress/"

-- Waits for the jobs KIND:ID of its arguments, as the command does.
local PROGRAM = [[
  local cekura, core = require "cekura", require "cekura.core"
  local stream = require("cekura.command.terminal").open().err
  local shown = require("cekura.command.progress").new(stream, { quiet = os.getenv "QUIET" ~= nil })
  local client, jobs = cekura.assert(cekura.new { config_file = false }), {}
  for index, word in ipairs(arg) do
    jobs[index] = client:job(word:match "^(.-):(.*)$")
  end
  core.catch_signals()
  cekura.run(function()
    local waits = cekura.spawn(function()
      for _, job in ipairs(jobs) do
        shown:add(job)
      end
      if os.getenv "NOTE" then
        shown:note(os.getenv "NOTE")
      end
      local options = { timeout = 60, interval = tonumber(os.getenv "INTERVAL" or 0.05),
        on_progress = function(job) shown:changed(job) end }
      local next_ended = cekura.each(jobs, options) -- called, since Lua 5.1 cannot wait in the iterator of a `for`
      local job, _, err = next_ended()
      while job do
        shown:ended(job, err)
        job, _, err = next_ended()
      end
    end)
    local ticks = cekura.spawn(function()
      while not core.caught_signal() do
        cekura.sleep(0.02)
        shown:tick()
      end
      waits:cancel()
    end)
    local _, err = waits:join()
    ticks:cancel()
    assert(not err or err.kind == "cancelled", err)
  end)
  shown:close()
  shown:close()
  stream:write "over\n"
  os.exit(core.caught_signal() and 130 or 0)
]]

describe("jobs that are waited for:", function()
  local server = simulator.during(setup, teardown)
  local path, terminal

  setup(function()
    path = os.tmpname()
    file.write(path, PROGRAM)
  end)

  teardown(function()
    os.remove(path)
  end)

  before_each(function()
    server:reset()
  end)

  after_each(function()
    if terminal then
      terminal:stop()
      terminal = nil
    end
  end)

  local function environment(env)
    local all = { CEKURA_API_URL = server.url, CEKURA_API_KEY = server.key }
    for name, value in pairs(env or {}) do
      all[name] = value
    end
    return all
  end

  -- Starts the program on a terminal that shows some lines already.
  local function start(jobs, options)
    options = options or {}
    local command = "for n in 1 2 3 4 5 6; do echo before; done; %s %s %s; status=$?; echo after; exit $status"
    terminal = tmux.start(command:format(lua, path, jobs),
      { columns = options.columns, rows = options.rows, env = environment(options.env) })
  end

  -- The lines below those that were there before.
  local function lines(options)
    local list = {}
    for _, line in ipairs(terminal:lines(options)) do
      list[#list + 1] = line ~= "before" and line or nil
    end
    return list
  end

  -- How the lines differ from those patterns, one for each line; nil: they do not.
  local function difference(patterns, options)
    local list = lines(options)
    for index, pattern in ipairs(patterns) do
      if not (list[index] or ""):find("^" .. pattern .. "$") then
        return terminal:screen() .. "\n\nnot: " .. pattern
      end
    end
    return #patterns ~= #list and terminal:screen() .. "\n\nmore than was expected" or nil
  end

  -- Waits until they do not.
  local function shows(patterns, options)
    local found
    local same = process.comes_true(function()
      found = difference(patterns, options)
      return not found
    end)
    assert.is_true(same, found)
  end

  local function script(poll, ...)
    local replies = {}
    for index, reply in ipairs { ... } do
      replies[index] = reply.body and reply or { body = reply }
    end
    server:script(poll, replies)
  end

  local PROCESSING = { status = "processing", progress = 0.456 }
  local HELD = { hold = "end", body = { status = "completed", output = { improved_prompt = "Be brief." } } }
  local ONE = "calls.improve_prompt:7f3a9c21-88d2"

  describe("one is a line", function()
    it("with a bar, which is replaced by the outcome", function()
      script(IMPROVE, PROCESSING, HELD)
      start(ONE, { columns = 110 })
      terminal:wait_for "polling"
      shows { "[⠀-⣿]+ calls.improve_prompt 7f3a9c21… running %(processing%)  %d:%d%d  █████░░░░░░░  45 %%  polling" }
      server:release "end"
      assert.equal(0, terminal:wait())
      shows { "✓ calls.improve_prompt 7f3a9c21… succeeded %(completed%)  %d:%d%d", "over", "after" }
      assert.equal("0 9", terminal:value "#{cursor_x} #{cursor_y}")
    end)

    it("without a bar if the service does not count", function()
      script(IMPROVE, { status = "processing" }, HELD)
      start(ONE)
      terminal:wait_for "polling"
      shows { "[⠀-⣿]+ calls.improve_prompt 7f3a9c21… running %(processing%)  %d:%d%d  polling" }
    end)

    it("with the time until the next poll", function()
      script(IMPROVE, PROCESSING, HELD)
      start(ONE, { columns = 110, env = { INTERVAL = "1000" } })
      terminal:wait_for "45 %%  next poll in 1?%d%d%d s"
    end)

    it("with fewer parts on a narrower terminal", function()
      for columns, pattern in pairs {
        [80] = "running %(processing%)  %d:%d%d  █████░░░░░░░  45 %%  polling", [24] = "running  %d:%d%d  45 %%",
        [40] = "running %(processing%)  %d:%d%d  45 %%", [16] = "running  %d:%d%d", [8] = "runn…",
      } do
        script(IMPROVE, PROCESSING, HELD)
        start(ONE, { columns = columns })
        assert.truthy(process.comes_true(function()
          local list = lines()
          return #list == 1 and list[1]:find("^[⠀-⣿]+ " .. pattern .. "$")
        end), terminal:screen())
        terminal:stop()
      end
    end)

    it("in ASCII where the locale is not UTF-8", function()
      script(IMPROVE, PROCESSING, HELD)
      start(ONE, { env = { LANG = "C" } })
      terminal:wait_for "polling"
      shows { "[-|/\\] running %(processing%)  %d:%d%d  %[#####%.%.%.%.%.%.%.%]  45 %%  polling" }
      server:release "end"
      terminal:wait_for "after"
      shows { "ok calls.improve_prompt 7f3a9c%.%.%. succeeded %(completed%)  %d:%d%d", "over", "after" }
    end)

    it("with colours, unless they are turned off", function()
      for value, wanted in pairs { [""] = "\27[31mfailed", ["1"] = "failed" } do
        script(IMPROVE, { status = "failed", error = "no" })
        start(ONE, { env = { NO_COLOR = value } })
        terminal:wait_for "after"
        local screen = terminal:screen { styles = true }
        assert.truthy(screen:find(wanted, 1, true), screen)
        assert.equal(value == "", screen:find("\27", 1, true) ~= nil)
        terminal:stop()
      end
    end)

    it("that stays when Ctrl-C ends the wait", function()
      script(IMPROVE, PROCESSING, HELD)
      start(ONE)
      terminal:wait_for "polling"
      terminal:send_keys "C-c"
      assert.equal(130, terminal:wait())
      shows { "– calls.improve_prompt 7f3a9c21… running %(processing%)  %d:%d%d", "over", "after" }
    end)

    it("whose wait has failed", function()
      script(IMPROVE, { body = { detail = "Wrong key." }, status = 401 })
      start(ONE)
      terminal:wait_for "after"
      shows { "✗ calls.improve_prompt 7f3a9c21… pending, auth  %d:%d%d", "over", "after" }
    end)

    it("below messages, without escape sequences of the service", function()
      script(IMPROVE, { status = "\27[31mred\27[2J\n\226\128\174", progress = 1 }, HELD)
      start(ONE, { columns = 100, env = { NOTE = "first\27[2J\nsecond" } })
      terminal:wait_for "polling"
      shows { "first\\x1b%[2J", "second",
        "[⠀-⣿]+ running %(\\x1b%[31mred\\x1b%[2J\\n\\u{…%)  %d:%d%d  ████████████  100 %%  polling" }
    end)
  end)

  local THREE = ONE .. " scenarios.generate:日本語日本語日本語 metrics.generate:3"

  local function script_three()
    script(IMPROVE, PROCESSING, HELD)
    script(GENERATE, { status = "処理中" }, { hold = "fail", body = { status = "failed", error = "no" } })
    script(METRICS, { status = "\27[2Jx" }, { hold = "never", body = { status = "processing" } })
  end

  local TABLE = { "[⠀-⣿]+ KIND                  ID         STATE                 ELAPSED  DONE",
    "  calls.improve_prompt  7f3a9c21…  running %(processing%)     %d:%d%d  45 %%",
    "  scenarios.generate    日本語日…  running %(処理中%)         %d:%d%d",
    "  metrics.generate      3          running %(\\x1b%[2Jx%)       %d:%d%d" }

  describe("several are a table", function()
    it("that is redrawn in place", function()
      script_three()
      start(THREE)
      terminal:wait_for "x1b"
      terminal:wait_for "処理中"
      terminal:wait_for "45"
      shows(TABLE)
      server:release "fail"
      server:release "end"
      terminal:wait_for "✗"
      terminal:wait_for "✓"
      local mixed = { "[⠀-⣿]+ KIND                  ID         STATE                  ELAPSED",
        "✓ calls.improve_prompt  7f3a9c21…  succeeded %(completed%)     %d:%d%d",
        "✗ scenarios.generate    日本語日…  failed                    %d:%d%d",
        "  metrics.generate      3          running %(\\x1b%[2Jx%)        %d:%d%d" }
      mixed[1] = mixed[1] .. "  PROGRESS"
      shows(mixed)
      terminal:send_keys "C-c"
      assert.equal(130, terminal:wait())
      mixed[1], mixed[4] = mixed[1]:gsub("^.-KIND", "  KIND"), mixed[4]:gsub("^ ", "–")
      mixed[5], mixed[6] = "over", "after"
      shows(mixed)
    end)

    it("with fewer columns on a narrower terminal", function()
      script_three()
      start(THREE, { columns = 40 })
      terminal:wait_for "45"
      shows { "[⠀-⣿]+ ID         STATE    ELAPSED  DONE", "  7f3a9c21…  running     %d:%d%d  45 %%",
        "  日本語日…  running     %d:%d%d", "  3          running     %d:%d%d" }
    end)

    it("of which nothing is left over when the terminal becomes narrower or wider", function()
      script_three()
      start(THREE)
      terminal:wait_for "45"
      local narrow = { "[⠀-⣿]+ ID         STATE    ELAPSED  DONE", "  7f3a9c21…  running     %d:%d%d  45 %%",
        "  日本語日…  running     %d:%d%d", "  3          running     %d:%d%d" }
      terminal:resize(42, 24)
      terminal:wait_for "%S ID         STATE    ELAPSED  DONE"
      shows(narrow, { all = true })
      terminal:resize(80, 24)
      terminal:wait_for "KIND"
      shows(TABLE, { all = true })
    end)

    it("that leaves room on a low terminal, and is whole at the end", function()
      script_three()
      local jobs = { THREE }
      for id = 4, 12 do
        jobs[#jobs + 1] = "metrics.generate:" .. id
      end
      start(table.concat(jobs, " "), { rows = 9, columns = 40 })
      server:release "fail"
      server:release "end"
      local low = { "[⠀-⣿]+ ID  STATE    ELAPSED  DONE" }
      for id = 3, 7 do
        low[#low + 1] = ("  %d   %%l+ing     %%d:%%d%%d"):format(id)
      end
      low[#low + 1] = "… and 7 more, 5 running"
      assert.truthy(process.comes_true(function()
        return terminal:screen():find("7 more, 5 running", 1, true)
      end), terminal:screen())
      shows(low)
      terminal:send_keys "C-c"
      terminal:wait_for "after"
      local all = lines { all = true }
      assert.equal(1 + 12 + 2, #all, table.concat(all, "\n"))
    end)

    it("of which only those lines are written that have changed, by few escape sequences", function()
      script_three()
      start("metrics.generate:1 metrics.generate:2", { env = { NO_COLOR = "1" } })
      terminal:wait_for "x1b"
      local read = terminal:record()
      terminal:wait_for "0:0[2-9]"
      local written, last, count = read(), {}, 0
      local rest = written:gsub("\r", ""):gsub("\27%[K", ""):gsub("\27%[%d+A", "")
      assert.is_nil(rest:find "[%z\1-\9\11-\31\127]", rest)
      for line, id in rest:gmatch "(  metrics%.generate  (%d)[^\n]*)" do
        assert.not_equal(last[id], line)
        last[id], count = line, count + 1
      end
      assert.is_true(count >= 2, count)
      assert.is_true(select(2, rest:gsub("KIND", "")) > count)
    end)
  end)

  describe("elsewhere each change is a plain line", function()
    local LINES = { "calls.improve_prompt 7f3a9c21… pending, after %d+ s",
      "calls.improve_prompt 7f3a9c21… running %(processing%), 45 %%, after %d+ s",
      "calls.improve_prompt 7f3a9c21… running %(\\x1b%[31mred%), 50 %%, after %d+ s",
      "calls.improve_prompt 7f3a9c21… succeeded %(completed%), after %d+ s", "over" }

    before_each(function()
      script(IMPROVE, PROCESSING, PROCESSING, { status = "\27[31mred", progress = 0.5 },
        { status = "completed", output = { improved_prompt = "Be brief." } })
    end)

    it("in a pipe", function()
      local variables = {}
      for name, value in pairs(environment { LC_ALL = "C.UTF-8", TERM = "xterm", CLICOLOR_FORCE = "1" }) do
        variables[#variables + 1] = name .. "=" .. value
      end
      local output = shell(("%s timeout 60 %s %s %s"):format(table.concat(variables, " "), lua, path, ONE))
      assert.is_nil(output:find "[%z\1-\9\11-\31\127]", output)
      assert.truthy(output:find("^" .. table.concat(LINES, "\n") .. "\n$"), output)
    end)

    it("on a dumb terminal", function()
      start(ONE, { env = { TERM = "dumb" } })
      terminal:wait_for "after\n?$"
      local wanted = { "after" }
      for index, line in ipairs(LINES) do
        table.insert(wanted, index, line)
      end
      shows(wanted)
    end)

    it("and nothing at all if progress is unwanted, on a terminal as well", function()
      start(ONE, { env = { QUIET = "1", NOTE = "noted" } })
      terminal:wait_for "after"
      shows { "noted", "over", "after" }
    end)
  end)
end)

describe("core.next_poll()", function()
  local server = simulator.during(setup, teardown)

  it("returns the time until the next poll, if one is scheduled", function()
    local client = server:renew_client { headers = { ["X-Simulate"] = "life=endless" } }
    server:script(IMPROVE, { { hold = "first", body = { status = "processing" } }, { pass = true } })
    local job = cekura.assert(client:job("calls.improve_prompt", "7f3a"))
    assert.is_nil(core.next_poll(job))
    cekura.run(function()
      local wait = cekura.spawn(function()
        job:wait { interval = 1000, timeout = 2000 }
      end)
      server:wait_for(IMPROVE)
      assert.equal(0, core.next_poll(job))
      server:release "first"
      patience.eventually(function() return job.state == "running" end)
      local first = core.next_poll(job)
      assert.is_true(first > 500 and first <= 1100, first)
      patience.eventually(function() return core.next_poll(job) < first end)
      wait:cancel()
      wait:join()
    end)
    assert.is_nil(core.next_poll(job))
  end)
end)
