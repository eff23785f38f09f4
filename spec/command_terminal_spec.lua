--- The command on a real terminal (tmux): what a person sees. The screens are kept in build/spec/sessions.

local command = require "spec.support.command"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local tmux = require "spec.support.tmux"

local START = "/observability/v1/call-logs/improve_prompt_bg/"
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"
local RESULT = "/test_framework/v2/results/9001/"

local SESSIONS = "build/spec/sessions"

-- What a transcript may try: the title of the window, colours, the cursor, a bell, the alternate screen, control
-- characters of one byte in UTF-8, and an order of reading that hides what is written.
local HOSTILE = "A\27]0;owned\7B\27[31mred\27[2J\27[1;1H\r\8C\27[?1049hD\194\155" .. "31mE\226\128\174gnol\226\128\172F"

describe("on a terminal, cekura-lua", function()
  local server = simulator.during(setup, teardown)
  local dir, terminal

  setup(function()
    shell("mkdir -p " .. SESSIONS)
  end)

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":gsub("%s", "")
    file.write(dir .. "/prompt.txt", "You are the receptionist of a practice.\nBe brief.\n")
  end)

  after_each(function()
    if terminal then
      terminal:stop()
      terminal = nil
    end
    shell("rm -rf " .. dir)
  end)

  local function start(arguments, options)
    options = options or {}
    terminal = tmux.start(("env %s %s %s %s; echo \"status $?\""):format(command.environment(server),
      options.before or "", command.program, arguments), options)
    return terminal
  end

  -- Keeps what is on the screen as a session that documents may show.
  local function keep(name, options)
    local screen = terminal:screen(options)
    assert(not screen:find(server.key, 1, true), "the key is on the screen")
    file.write(("%s/%s.txt"):format(SESSIONS, name), screen .. "\n")
    return screen
  end

  local function widest(screen)
    local most = 0
    for line in (screen .. "\n"):gmatch "(.-)\n" do
      most = math.max(most, select(2, line:gsub("[^\128-\191]", "")))
    end
    return most
  end

  for _, columns in ipairs { 80, 40 } do
    it(("shows one job as one line, at %d columns"):format(columns), function()
      server:script(RESULT, { { body = { id = 9001, status = "in_progress", total_runs_count = 4,
        completed_runs_count = 1, runs = {} } },
        { hold = "end", body = { id = 9001, status = "completed", runs = {} } } })
      start("start results.run --agent-id 2142 --tags smoke --wait --yes --interval 0.5", { columns = columns })
      terminal:wait_for "running %(in_progress%) +0:0[1-9]"
      local screen = keep("one-job-" .. columns)
      assert.truthy(keep("one-job-colour-" .. columns, { styles = true }):find "\27%[36mrunning")
      assert.equal(0, select(2, screen:gsub("\n", "")), screen)
      assert.is_true(widest(screen) < columns, screen)
      server:release "end"
      terminal:wait_for "status 0"
      screen = keep("one-job-end-" .. columns)
      assert.truthy(screen:find "^✓ ", screen)
      assert.truthy(screen:find "\nstatus: +completed\n", screen)
    end)

    it(("shows several jobs as a table that is redrawn, at %d columns"):format(columns), function()
      local tokens = {}
      for id = 1, 3 do
        server:script(("/test_framework/v2/results/%d/"):format(id), { { hold = "end " .. id,
          body = { id = id, status = id == 2 and "failed" or "completed", runs = {} } } })
        tokens[id] = command.run(server, "jobs token results.run " .. id):match "%S+"
      end
      start("jobs watch --interval 0.2 " .. table.concat(tokens, " "), { columns = columns })
      terminal:wait_for "STATE"
      server:release "end 2"
      terminal:wait_for "failed"
      local screen = keep("table-" .. columns)
      assert.equal(3, select(2, screen:gsub("\n", "")), screen)
      assert.is_true(widest(screen) < columns, screen)
      server:release "end 1"
      server:release "end 3"
      terminal:wait_for "status 1"
      keep("table-end-" .. columns, { all = true })
    end)
  end

  it("asks for confirmation of what costs credits, and sends nothing without a yes", function()
    start "start results.run --agent-id 2142 --tags smoke"
    terminal:wait_for "Continue%? %[y/N%]"
    terminal:send_keys "n Enter"
    terminal:wait_for "status 1"
    assert.truthy(keep "question":find "Nothing was sent%.")
    assert.equal(0, #server:requests())
  end)

  it("leaves a job at Ctrl-C, and ends with the command that resumes the wait", function()
    server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
    start("start results.run --agent-id 2142 --tags smoke --wait --interval 0.2", { columns = 200 })
    terminal:wait_for "Continue%?"
    terminal:send_keys "y Enter"
    terminal:wait_for "in_progress"
    terminal:send_keys "C-c"
    terminal:wait_for "status 130"
    local screen = keep "ctrl-c"
    local last = "Interrupted; the job goes on in the service%. To resume the wait:\ncekura%-lua jobs watch cekura2"
    assert.truthy(screen:find(last), screen)
  end)

  describe("shows a difference", function()
    local IMPROVED = "You are the receptionist of Lakeside Dental.\nBe brief.\n- Repeat the date.\n"

    local function improve(options)
      server:script(POLL, { { body = { status = "completed", output = { improved_prompt = IMPROVED,
        summary_of_changes = "One rule added." } } } })
      local arguments = "improve --agent-id 2142 --call-logs all --yes --interval 0.1 --diff --prompt-file "
        .. "%s/prompt.txt"
      start(arguments:format(dir), options)
      terminal:wait_for "status 0"
    end

    it("in colour", function()
      improve()
      local styled = keep("diff-colour", { styles = true })
      assert.truthy(styled:find "\27%[", styled)
      assert.falsy(terminal:screen():find("[-", 1, true))
      assert.truthy(terminal:screen():find "Lakeside Dental")
      assert.equal(1, server:count(START))
    end)

    it("without colours, and on a dumb terminal without moving the cursor", function()
      for name, env in pairs { no_color = { NO_COLOR = "1" }, dumb = { TERM = "dumb" } } do
        improve { env = env }
        local styled = keep("diff-" .. name, { styles = true })
        assert.falsy(styled:find "\27%[[%d;]*3[12]", styled)
        assert.truthy(terminal:screen():find("[-a practice-]{+Lakeside Dental+}", 1, true), styled)
        terminal:stop()
        terminal = nil
        server:reset()
      end
    end)
  end)

  describe("does not let a text", function()
    local function hostile_call()
      server:script("/observability/v2/call-logs/7/", { { body = { id = 7, status = HOSTILE,
        call_ended_reason = HOSTILE, transcript_object = {
          { role = "Main Agent", content = HOSTILE, start_time = 0.4, end_time = 3 },
          { role = HOSTILE, content = "After.", start_time = 4, end_time = 5 },
          { role = "Function Call", data = { name = HOSTILE, arguments = { text = HOSTILE } }, start_time = 6 },
        },
        evaluation = { metrics = { { id = 1, name = HOSTILE, eval_type = "binary", passed = false,
          explanation = { HOSTILE } } } } } } })
    end

    -- What has reached the terminal, byte for byte: by a pipe beside tmux.
    local function bytes_of(arguments)
      local output = shell(("env %s LANG=C.UTF-8 TERM=xterm script -qec '%s %s --color never' /dev/null </dev/null")
        :format(command.environment(server), command.program, arguments))
      return (output:gsub("\r\n", "\n"))
    end

    for _, arguments in ipairs { "calls get 7", "calls get 7 --transcript", "calls get 7 --metrics",
      "calls get 7 --json", "calls get 7 --transcript --json", "request GET /observability/v2/call-logs/7/",
      "calls get 8" } do
      it("of the service act on it: " .. arguments, function()
        hostile_call()
        server:script("/observability/v2/call-logs/8/", { { status = 400, body = { detail = HOSTILE } } })
        local bytes = bytes_of(arguments)
        assert.truthy(bytes:find("red", 1, true), bytes)
        assert.falsy(bytes:find "[%z\1-\8\11-\31\127]", ("%q"):format(bytes))
        assert.falsy(bytes:find "\194[\128-\159]", ("%q"):format(bytes))
        assert.falsy(bytes:find "\226\128[\142\143\168-\174]", ("%q"):format(bytes))
        file.write(("%s/hostile-%s.txt"):format(SESSIONS, arguments:gsub("[^%w]+", "-")), bytes)
      end)
    end

    it("of the service be hidden: a transcript is shown with its escapes", function()
      hostile_call()
      start("calls get 7 --transcript", { columns = 100 })
      terminal:wait_for "status 0"
      local screen = keep "hostile-transcript"
      assert.truthy(screen:gsub("\n%s*", ""):find([[A\x1b]0;owned\x07B\x1b[31mred\x1b[2J\x1b[1;1H\r\x08C\x1b[?1049h]]
        .. [[D\u{9b}31mE\u{202e}gnol\u{202c}F]], 1, true), screen)
    end)
  end)
end)
