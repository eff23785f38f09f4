--- The command cekura-lua: what goes where, and each exit status.

local cekura = require "cekura"
local command = require "spec.support.command"
local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local START = "/observability/v1/call-logs/improve_prompt_bg/"
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"
local RESULT = "/test_framework/v2/results/9001/"
local RUN = "start results.run --agent-id 2142 --tags smoke --wait --interval 0.05"

describe("cekura-lua", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":gsub("%s", "")
    file.write(dir .. "/prompt.txt", "Be nice.")
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function run(arguments, ...)
    return command.run(server, arguments, ...)
  end

  local function improve(options)
    local arguments = "improve --agent-id 2142 --call-logs 5181749,5181752 --interval 0.05 --prompt-file %s/prompt.txt "
      .. "%s"
    return run(arguments:format(dir, options or ""))
  end

  local function last_line(text)
    return text:match "([^\n]*)\n$"
  end

  -- Asserts an exit status, with what was written in the message.
  local function assert_status(expected, out, err, status)
    assert.equal(expected, status, out .. err)
    return out, err
  end

  local function decode_lines(text)
    local values = {}
    for line in text:gmatch "[^\n]+" do
      values[#values + 1] = assert(core.decode(line))
    end
    return values
  end

  -- Asserts that stderr ends with the command that takes a job up, and that it does; returns what that prints.
  local function assert_taken_up(err, status)
    local line = last_line(err)
    assert.truthy(line:find "^cekura%-lua jobs watch cekura2%.", err)
    local out, _, ended = run(line:match "^cekura%-lua (.*)$" .. " --interval 0.05")
    assert.equal(status or 0, ended, out)
    return out
  end

  describe("reads the command line: it", function()
    it("writes a fault and the usage to stderr, and exits with 2", function()
      for arguments, message in pairs {
        [""] = "a command is required",
        ["nonsense"] = "unknown command 'nonsense'",
        ["calls get"] = "missing argument 'id'",
        ["calls get 1 2"] = "too many arguments",
        ["calls list --agnt-id 1"] = "Did you mean '--agent-id'",
        ["calls list --limit many"] = '--limit: a whole number above 0 expected, got "many"',
        ["calls list --from soon"] = "--from: a time (",
        ["calls list --filter duration"] = "--filter: FIELD,OPERATOR,VALUE expected",
        ["calls list --filter duration,over,5"] = "there is no operator over",
        ["jobs watch results.rum 5"] = "did you mean results.run",
        ["jobs watch 4711"] = "4711 is not a token; give the token that start printed, or the kind",
        ["kinds results.rum"] = "did you mean results.run",
        ["start scenarios.generate"] = "--num-scenarios is missing",
        ["start metrics.simplify_prompt --original-prompt x --params /nowhere"] = "/nowhere cannot be read: No such",
        ["improve --agent-id 1 --call-logs 0x"] = "--prompt-file is missing",
        ["improve --agent-id 1 --prompt-file " .. dir .. "/prompt.txt"] = "call_logs is missing",
        ["improve --call-logs all --agent-id 1 --prompt-file /nowhere"] = "/nowhere cannot be read",
        ["improve --call-logs all --agent-id 1 --output /no/where --prompt-file " .. dir .. "/prompt.txt"] =
          "/no/where cannot be written",
        ["results gate"] = "give the id of a run, --scenarios, --tags or --folder-path",
        ["calls send --from-file " .. dir .. "/prompt.txt"] = "is not valid JSON",
        ["calls tail"] = "--agent-id or --project-id is missing",
        ["completion tcsh"] = "argument 'shell' must be one of",
        ["start results.run --tags ''"] = "a value beside each comma expected",
        ["jobs watch results.run 5 --interval soon"] = 'a number of seconds above 0, or adaptive, expected, got "soon"',
        ["start results.run --tags a,"] = "a value beside each comma expected",
        ["calls get 5 --transcript --metrics"] = "--transcript or --metrics, not both",
        ["calls report 5"] = "calls report: --html is missing",
        ["jobs answer results.run 5 Only in German"] = "put quotes around a text",
        ["fleet submit"] = "fleet submit: a kind or --from-file is missing",
        ["fleet submit results.rum"] = "Did you mean 'results.run'",
        ["fleet submit scenarios.generate"] = "--num-scenarios is missing",
        ["fleet submit results.run --tags a --from-file x"] = "give either it or a kind",
        ["fleet submit --from-file /nowhere"] = "/nowhere cannot be read",
        ["fleet submit --from-file " .. dir .. "/prompt.txt"] = dir .. "/prompt.txt:1: not valid JSON",
        ["fleet submit results.run --tags a"] = "--redis is missing, and CEKURA_REDIS is not set",
        ["fleet status --redis unix:///nowhere"] = "--fleet is missing, and CEKURA_FLEET is not set",
        ["fleet work --redis unix:///nowhere --fleet x --rate many"] = "--rate: a number above 0 expected",
        ["agents upload-knowledge-base 5 --files /nowhere"] = "/nowhere: No such file or directory",
      } do
        local out, err = assert_status(2, run(arguments))
        assert.equal("", out, arguments)
        assert.truthy(err:find(message, 1, true), arguments .. ": " .. err)
      end
      assert.equal(0, #server:requests())
    end)

    it("takes names with hyphens and with underscores, and values of each type", function()
      local out = run "start results.run --agent_id 2142 --scenario-ids 1,2 --tags a,b --mode text --dry-run"
      assert.truthy(out:find('{"agent_id":2142,"mode":"text","scenarios":[1,2],"tags":["a","b"]}', 1, true), out)
      out = run "calls mark_metric_vote 5 --metric-id 7 --thumbs-up false --expected-value 'a \"b\"' --dry-run"
      assert.truthy(out:find([["expected_value":"a \"b\"","metric_id":7,"thumbs_up":false]], 1, true), out)
      out = run "agents delete 5 --delete-related --dry-run"
      assert.truthy(out:find("/aiagents/5/?delete_related=true\n", 1, true), out)
      out = run "start insights.deep_research --project 3 --date-from 2026-11-01 --date-to 2026-11-30 --dry-run"
      local period = '"date_from":"2026-11-01T00:00:00Z","date_to":"2026-11-30T23:59:59.999999Z"'
      assert.truthy(out:find(period, 1, true), out)
      out = run "improve --agent-id 1 --call-logs first:12 --prompt-file spec/env --dry-run"
      assert.truthy(out:find('"call_logs":12', 1, true), out)
    end)

    it("takes parameters from a file, which options take precedence over", function()
      file.write(dir .. "/run.json", '{"agent_id": 5, "tags": ["a"], "name": "n"}')
      local out = run(("start results.run --params %s/run.json --agent-id 6 --dry-run"):format(dir))
      assert.truthy(out:find('{"agent_id":6,"name":"n","tags":["a"]}', 1, true), out)
    end)
  end)

  it("refuses options that have no effect, before anything is sent", function()
    local line = "improve --agent-id 2142 --call-logs 1 --no-wait --yes --prompt-file " .. dir .. "/prompt.txt "
    for arguments, fault in pairs {
      [line .. "--output " .. dir .. "/o"] = "--output cannot be given with --no-wait",
      [line .. "--diff"] = "--diff cannot be given with --no-wait",
      [line .. "--timeout 3"] = "--timeout cannot be given with --no-wait",
      ["start agents.auto_fetch --agent-id 1 --yes --interval 3"] = "--interval needs --wait",
      ["jobs answer scenarios.generate 77 Yes --timeout 3"] = "--timeout needs --wait",
      ["calls send --yes --cancel-on-exit --from-file " .. dir .. "/prompt.txt"] = "--cancel-on-exit needs --wait",
      ["calls evaluate 5 --yes --timeout 3"] = "--timeout needs --wait",
      ["calls get 5 --transcript --fields id"] = "give --fields or one of --transcript and --metrics",
      ["fleet submit agents.auto_fetch --agent-id 1 --yes --timeout 3"] = "--timeout needs --wait",
    } do
      local out, err, status = run(arguments)
      assert.same({ 2, "" }, { status, out }, arguments)
      assert.truthy(err:find(fault, 1, true), arguments .. ": " .. err)
    end
    local _, err, status = run "start agents.auto_fetch --agent-id 1 --exit-status --dry-run" -- it may end in its start
    assert.equal(0, status, err)
    assert.equal(0, #server:requests())
  end)

  describe("prints", function()
    it("records as lines, as fields and as JSON", function()
      local out = assert_status(0, run "calls get 5181749 --fields id,status,customer_number")
      assert.equal("id:              5181749\nstatus:          success\ncustomer_number: +15550100\n", out)
      out = assert_status(0, run "calls get 5181749 --json")
      assert.equal(9007199254740993, tonumber((out:match '"external_id":(%d+)')))
      assert.equal(1, select(2, out:gsub("\n", "")))
    end)

    it("lists as lines with tabs, and as one object per line", function()
      local out, err = assert_status(0, run "calls list --agent-id 2142 --fields id,status --limit 2")
      assert.equal("5181751\tevaluating\n5181749\tsuccess\n", out)
      assert.equal("", err)
      out = assert_status(0, run "calls list --agent-id 2142 --all --json --fields id,status")
      local lines = decode_lines(out)
      assert.same({ "evaluating", "success", "reviewed_success" },
        { lines[1].status, lines[2].status, lines[3].status })
    end)

    it("with --json, one object or one a line, whatever the answer is", function()
      local arguments = { ["calls delete 5181753"] = 1, ["jobs cancel results.run 1"] = 1, ["completion bash"] = 1,
        ["request DELETE /observability/v2/call-logs/5181750/"] = 1, ["request GET /observability/v2/call-logs/1/"] = 2,
        ["calls evaluate-metrics --call-logs 5181749,5181752 --metrics 501 --agent-id 2142"] = 2 }
      server:script("/test_framework/v1/results/1/end_calls/", { { body = "{}" } })
      server:script("/observability/v2/call-logs/1/", { { body = '[{"id":1},{"id":2}]' } })
      for line, count in pairs(arguments) do
        local values = decode_lines((assert_status(0, run(line .. " --json"))))
        assert.equal(count, #values, line)
        for _, value in ipairs(values) do
          assert.is_table(value, line)
          assert.is_nil(value[1], line)
        end
      end
      local out = assert_status(1, run "jobs cancel scenarios.generate 1 --json")
      assert.is_false(decode_lines(out)[1].cancelled)
    end)

    it("only the calls with some ids", function()
      local out = assert_status(0, run "calls list --call-ids 5181749,5181753 --timestamp-from 20d --fields id")
      assert.equal("5181749\n5181753\n", out)
    end)

    it("a note on stderr that there are more records", function()
      local out, err = assert_status(0, run "calls list --agent-id 2142 --page-size 1 --fields id")
      assert.equal("5181751\n", out)
      assert.truthy(err:find("--all", 1, true))
    end)

    it("only the calls that a filter lets through", function()
      local out = assert_status(0, run "calls list --agent-id 2143 --failed --fields id")
      assert.equal("5181750\n", out)
      out = assert_status(0, run "calls list --agent-id 2142 --filter duration,gte,60 --fields id")
      assert.equal("5181749\n", out)
    end)

    it("the kinds and their parameters", function()
      local out = assert_status(0, run "kinds --json")
      assert.equal(#cekura.kinds(), #decode_lines(out))
      out = assert_status(0, run "kinds calls.improve-prompt")
      assert.truthy(out:find("%-%-call%-logs +ID,%.%.%.|all|first:N  %(required%)"), out)
    end)

    it("the body of any request", function()
      local out = assert_status(0, run "request GET /observability/v2/call-logs/5181749/ --query ql={id}")
      assert.equal('{"id":5181749}', out)
      file.write(dir .. "/change.json", '{"feedback":"Good."}')
      out = assert_status(0, run("request PATCH /observability/v2/call-logs/5181749/ --body -", nil,
        "<" .. dir .. "/change.json"))
      assert.truthy(out:find('"feedback":"Good."', 1, true), out)
    end)

    it("where the key and the URL come from", function()
      local out = assert_status(0, run "auth status")
      assert.truthy(out:find("the environment variable CEKURA_API_KEY", 1, true))
      assert.truthy(out:find("the service accepts the key", 1, true))
      server:admin("POST", "key/", { key = "another" })
      out = assert_status(4, run "auth status")
      assert.truthy(out:find("the service refuses the key", 1, true))
    end)

    it("settings of the configuration file, but not the key", function()
      file.write(dir .. "/config.toml", 'api_key = "sim-key"\ndefault_project_id = 310\n')
      shell("chmod 600 " .. dir .. "/config.toml")
      local out = assert_status(0, run("config get --config-file " .. dir .. "/config.toml"))
      assert.equal("api_key = (set; not shown)\ndefault_project_id = 310\n", out)
      out = assert_status(0, run("config path --config-file " .. dir .. "/config.toml"))
      assert.equal(dir .. "/config.toml\n", out)
      assert_status(1, run("config get api_url --config-file " .. dir .. "/config.toml"))
      assert_status(4, run "config get --config-file /nowhere")
      local none, err = assert_status(0, run("config get", "HOME=" .. dir))
      assert.equal("", none)
      assert.equal(dir .. "/.cekura/config.toml has no settings, or does not exist.\n", err)
    end)

    it("a request instead of sending it, without the key", function()
      local out, err = assert_status(0, run "calls evaluate 5 --agent-id 2142 --dry-run")
      assert.equal("POST " .. server.url .. "/observability/v1/call-logs/rerun_evaluation/\n"
        .. "X-CEKURA-API-KEY: [not shown]\nContent-Type: application/json\n\n"
        .. '{"agent_id":2142,"call_logs":[5]}\n', out)
      assert.equal("", err)
      out = assert_status(0, run "calls evaluate 5 --agent-id 2142 --dry-run --json")
      assert.same({ agent_id = 2142, call_logs = { 5 } }, decode_lines(out)[1].body)
      assert.equal(0, #server:requests())
    end)

    it("a task that it would submit, and which fleet it would reach, without the password", function()
      local out, err = assert_status(0, run "fleet submit results.run --tags a --key k --project 3 --dry-run")
      assert.equal('{"key":"k","kind":"results.run","options":{"project_id":3},"params":{"tags":["a"]}}\n', out)
      assert.equal("", err)
      file.write(dir .. "/tasks", out)
      assert.equal(out, (assert_status(0, run("fleet submit --from-file " .. dir .. "/tasks --dry-run"))))
      for _, arguments in ipairs { "work", "drain --no-work", "status", "result 5" } do
        out = assert_status(0, run("fleet " .. arguments .. " --fleet f --dry-run",
          "CEKURA_REDIS=redis://user:pass@word@host:6380/2"))
        assert.equal("The fleet f on redis://***@host:6380/2. Nothing was sent.\n", out)
      end
      out = assert_status(0, run "fleet status --redis unix://:word@/s?db=1 --fleet f --dry-run --json")
      assert.same({ fleet = "f", redis = "unix://***@/s?db=1" }, decode_lines(out)[1])
    end)

    it("a form that it would send", function()
      file.write(dir .. "/faq.txt", "Questions")
      local out = assert_status(0, run(("agents upload-knowledge-base 5 --files %s/faq.txt --dry-run"):format(dir)))
      assert.truthy(out:find('filename="faq.txt"', 1, true), out)
      assert.equal(0, #server:requests())
    end)

    it("each event on stderr, with CEKURA_DEBUG=1", function()
      local out, err = assert_status(0, run("calls get 5181749 --fields id", "CEKURA_DEBUG=1"))
      assert.equal("id: 5181749\n", out)
      assert.truthy(err:find("GET /observability/v2/call-logs/5181749/: try 1", 1, true), err)
    end)

    it("an error if the output cannot be written", function()
      local _, err = assert_status(2, run("calls get 5181749", nil, ">/dev/full"))
      assert.truthy(err:find("the output cannot be written", 1, true), err)
    end)
  end)

  it("writes a page about a call, to a file or to stdout", function()
    local client = server:client()
    local page = cekura.report(cekura.assert(client.calls:get(5181749)))
    client:close()
    local out, err = assert_status(0, run(("calls report 5181749 --html %s/call.html"):format(dir)))
    assert.equal("", out)
    assert.equal(("The report is in %s/call.html.\n"):format(dir), err)
    assert.equal(page, file.read(dir .. "/call.html"))
    out, err = assert_status(0, run "calls report 5181749 --html -")
    assert.equal(page, out)
    assert.equal("", err)
    err = select(2, assert_status(2, run "calls report 5181749 --html /no/where"))
    assert.truthy(err:find("/no/where cannot be written", 1, true), err)
    assert_status(6, run(("calls report 99 --html %s/none.html"):format(dir)))
    assert.is_nil(file.read(dir .. "/none.html"))
  end)

  describe("improves a prompt: it", function()
    it("prints the prompt byte for byte, and the summary on stderr", function()
      local out, err = assert_status(0, improve())
      assert.truthy(out:find "^Be nice%.\n\n%- Confirm .* once%.$", out)
      assert.equal("Summary of changes: Two rules added, from 2 call logs: confirm details before the end of a call, "
        .. "and offer a transfer.", last_line(err))
    end)

    it("writes a file, and prints what has changed", function()
      local out = assert_status(0, improve(("--output %s/new.txt --diff"):format(dir)))
      assert.truthy(file.read(dir .. "/new.txt"):find "^Be nice%.\n\n%- Confirm .* once%.$")
      assert.truthy(out:find("{+- Confirm", 1, true), out)
    end)

    it("writes to stdout for -, as all commands do, and once at most", function()
      local out = assert_status(0, improve(("--output - --diff --html %s/changes.html"):format(dir)))
      assert.truthy(out:find "^Be nice%.\n\n%- Confirm .* once%.$")
      assert.truthy(file.read(dir .. "/changes.html"):find "^<!DOCTYPE html>")
      assert.is_nil(file.read "-")
      for _, options in ipairs { "--output - --json", "--output - --diff", "--output - --diff --html -" } do
        local _, err = assert_status(2, improve(options))
        assert.truthy(err:find("both write to standard output", 1, true), err)
      end
    end)

    it("prints a job as JSON", function()
      local out = assert_status(0, improve "--json")
      local job = decode_lines(out)[1]
      assert.equal("succeeded", job.state)
      assert.truthy(job.result.improved_prompt:find "^Be nice")
      assert.truthy(job.token:find "^cekura2")
    end)

    it("writes no file and exits with 0, or with 3 if asked, where there is nothing to improve", function()
      server:script(POLL, { { body = { status = "failed", error = "No issues found in the call logs" } } })
      for option, expected in pairs { [""] = 0, ["--exit-status"] = 3 } do
        local out, err = assert_status(expected, improve(("--output %s/new.txt %s"):format(dir, option)))
        assert.equal("", out)
        assert.truthy(err:find("Nothing to improve", 1, true), err)
        assert.equal("", file.read(dir .. "/new.txt") or "")
      end
    end)

    it("prints the prompt if its file cannot be written, and exits with 2", function()
      local out, err = assert_status(2, improve "--output /dev/full")
      assert.truthy(out:find "^Be nice%.\n\n%- Confirm", out)
      assert.truthy(err:find("/dev/full cannot be written", 1, true), err)
    end)
  end)

  describe("exits with", function()
    it("1 if the job failed or was cancelled in the service, or the request is invalid", function()
      server:script(RESULT, { { body = { id = 9001, status = "failed", runs = {} } } })
      assert_status(1, run(RUN))
      server:reset()
      server:script(RESULT, { { body = { id = 9001, status = "cancelled", runs = {} } } })
      assert_status(1, run(RUN))
      file.write(dir .. "/change.json", "{}")
      local _, err = assert_status(1, run("request POST /observability/v1/observe/ --body -", nil,
        "<" .. dir .. "/change.json"))
      assert.truthy(err:find("HTTP 400", 1, true), err)
    end)

    it("4 without a key, for a refused key, and for a token of another service", function()
      assert_status(4, run("calls get 5181749", "CEKURA_API_KEY="))
      local out = run "jobs token results.run 5"
      assert_status(4, run("jobs watch " .. out:match "%S+", "CEKURA_API_URL=http://127.0.0.1:1"))
      server:admin("POST", "key/", { key = "another" })
      assert_status(4, run "calls get 5181749")
    end)

    it("5 if the wait timed out, and prints the command that resumes it", function()
      server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
      local out, err = assert_status(5, run(RUN .. " --timeout 0.2"))
      assert.equal("", out)
      server:script(RESULT, { { pass = true } })
      assert.truthy(assert_taken_up(err):find "total_runs_count")
    end)

    it("6 if the service knows neither job nor record", function()
      assert_status(6, run "calls get 99")
      assert_status(6, run "jobs watch results.run 99")
      server:script(START, { { status = 404, body = "<html>" } })
      local _, err = assert_status(6, improve())
      assert.truthy(err:find("2026-06-30", 1, true), err)
    end)

    it("7 if a start may have been received", function()
      server:script(START, { { status = 504, body = "" } })
      assert_status(7, improve())
    end)

    it("8 if the job needs input, which jobs answer sends", function()
      server:script("/test_framework/v1/scenarios/generate-progress/", { { body = { status = "pending_clarification",
        session_id = "s1", clarification = { questions = { "Which language?" } }, total_scenarios = 3,
        completed_scenarios = 0, failed_scenarios = 0 } } })
      local _, err = assert_status(8, run("start scenarios.generate --num-scenarios 3 --agent-id 2142 --wait "
        .. "--interval 0.05"))
      assert.truthy(last_line(err):find "^cekura%-lua jobs answer cekura2%.%S+ TEXT$", err)
      assert.truthy(err:find('The job asks: {"questions":["Which language?"]}', 1, true), err)
      local token = last_line(err):match "cekura2%S+"
      local out
      out, err = assert_status(8, run("jobs status --json " .. token))
      assert.equal("Which language?", decode_lines(out)[1].question.questions[1])
      assert.truthy(last_line(err):find "^cekura%-lua jobs answer cekura2%.%S+ TEXT$", err)
    end)

    it("9 if the service cannot be reached, or answers nothing that can be used", function()
      assert_status(9, run("calls get 5", "CEKURA_API_URL=http://127.0.0.1:1", "--retries 0"))
      server:script("/observability/v2/call-logs/5/", { { status = 503 } })
      assert_status(9, run "calls get 5 --retries 0")
      server:script("/observability/v2/call-logs/5/", { { status = 429 } })
      assert_status(9, run "calls get 5 --retries 0")
      server:script("/observability/v2/call-logs/5/", { { body = "[1" } })
      assert_status(9, run "calls get 5 --retries 0")
      server:script("/observability/v2/call-logs/5/", { { hold = "never", body = { id = 5 } } })
      assert_status(9, run "calls get 5 --request-timeout 0.2")
    end)

    it("the most severe status of several jobs, after all of them have ended", function()
      server:script("/test_framework/v2/results/1/", { { body = { id = 1, status = "completed", runs = {} } } })
      server:script("/test_framework/v2/results/2/", { { body = { id = 2, status = "failed", runs = {} } } })
      local tokens = {}
      for id = 1, 3 do
        tokens[id] = run("jobs token results.run " .. id):match "%S+"
      end
      local out = assert_status(6, run("jobs watch --json --interval adaptive " .. table.concat(tokens, " ")))
      local states = {}
      for _, job in ipairs(decode_lines(out)) do
        states[job.id] = job.state
      end
      assert.same({ ["1"] = "succeeded", ["2"] = "failed", ["3"] = "gone" }, states)
    end)
  end)

  describe("as a gate", function()
    local GATE = "results gate --agent-id 2142 --tags smoke --interval 0.05 "

    local function runs(one, other)
      return { ["21"] = { id = 21, status = "completed", success = one }, ["22"] = { id = 22, status = "completed",
        success = other, evaluation = { metrics = { { id = 1, name = "Courtesy", type = "binary", passed = other,
          explanation = { "The agent shouted." } } } } } }
    end

    it("exits with 0 only if all calls have passed", function()
      server:script(RESULT, { { body = { id = 9001, status = "completed", runs = runs(true, true) } } })
      assert.equal("passed: 2 of 2 calls\n", (assert_status(0, run(GATE))))
    end)

    it("exits with 1, and prints the calls that did not pass and why", function()
      server:script(RESULT, { { body = { id = 9001, status = "completed", runs = runs(true, false) } } })
      assert.equal("run 22: did not pass\n  Courtesy: The agent shouted.\nnot passed: 1 of 2 calls\n",
        (assert_status(1, run(GATE))))
      assert_status(1, run("results gate 9001 --interval 0.05"))
    end)

    it("prints the calls in the order of their ids, whatever members they have", function()
      server:script(RESULT, { { body = [=[{"id":9001,"status":"completed","runs":{"10":{"id":10,"success":false,
        "status":"completed","metrics":[1]},"x":5,"y":"z","9":{"id":9,"success":null,"status":null,"evaluation":
        {"metrics":[{"passed":false}]}},"w":[1]}}]=] } })
      assert.equal("run 9: did not pass\n  ?: failed\nrun 10: did not pass\n",
        (assert_status(1, run(GATE)):gsub("not passed.*", "")))
    end)

    it("exits with 1 if nothing ran", function()
      for _, none in ipairs { "{}", "[]", "null", "5" } do
        server:script("/test_framework/v2/results/5/", { { body = '{"id":5,"status":"completed","runs":' .. none
          .. "}" } })
        assert.equal("not passed: 0 of 0 calls\n", (assert_status(1, run "results gate 5")))
      end
    end)

    it("exits with 5 if the wait timed out; the calls go on, or are ended with --cancel-on-exit", function()
      server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
      local _, err = assert_status(5, run(GATE .. "--timeout 0.2"))
      local line = last_line(err)
      assert.truthy(line:find "^cekura%-lua results gate cekura2%.", err)
      server:script(RESULT, { { body = { id = 9001, status = "completed", runs = runs(true, false) } } })
      assert.equal("not passed: 1 of 2 calls", (assert_status(1, run(line:match "^cekura%-lua (.*)$"))
        :match "([^\n]*)\n$")) -- with the verdict, as before
      assert.equal(0, server:count "/test_framework/v1/results/9001/end_calls/")
      server:script("/test_framework/v2/results/9002/", { { body = { id = 9002, status = "in_progress", runs = {} } } })
      _, err = assert_status(5, run(GATE .. "--timeout 0.2 --cancel-on-exit"))
      assert.truthy(err:find("Cancelled in the service: results.run 9002", 1, true), err)
      assert.equal(1, server:count "/test_framework/v1/results/9002/end_calls/")
    end)
  end)

  it("without hiredis, says what the commands for a fleet need, and exits with 4", function()
    local _, err = assert_status(4, run("fleet status --redis redis://:word@localhost --fleet f",
      [[LUA_INIT='package.preload["cekura.redis"] = function() error "libhiredis.so: no such file" end']]))
    assert.truthy(err:find("libhiredis-dev", 1, true), err)
    assert.truthy(err:find("libhiredis.so: no such file", 1, true), err)
    assert.is_nil(err:find("word", 1, true), err)
  end)

  describe("interrupted", function()
    -- Runs a command line until a request to a path has come, and it has written a text, if one is given. Sends it a
    -- signal, and returns what it wrote and its status.
    local function interrupted(signal, arguments, path, written)
      return command.interrupt(server, signal, arguments, function(out)
        return server:count(path) > 0 and (not written or out:find(written, 1, true))
      end)
    end

    it("by Ctrl-C or SIGTERM, it leaves the job in the service, and prints the command that resumes it", function()
      for signal, expected in pairs { INT = 130, TERM = 143 } do
        server:reset()
        server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
        local out, err = assert_status(expected, interrupted(signal, RUN, RESULT))
        assert.equal("", out)
        server:script(RESULT, { { pass = true } })
        assert_taken_up(err)
      end
    end)

    it("with --cancel-on-exit, it cancels the job in the service", function()
      server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
      local _, err = assert_status(130, interrupted("INT", RUN .. " --cancel-on-exit", RESULT))
      assert.truthy(err:find("Cancelled in the service: results.run 9001", 1, true), err)
      assert.equal(1, server:count "/test_framework/v1/results/9001/end_calls/")
    end)

    it("in a direct job that was sent, it exits with 7", function()
      local path = "/test_framework/v3/metrics/simplify_prompt/"
      for _, options in ipairs { "--direct", "--direct --cancel-on-exit" } do
        server:reset()
        server:script(path, { { hold = "never", body = { status = "completed" } } })
        local _, err = assert_status(7, interrupted("INT", "start metrics.simplify_prompt --original-prompt x "
          .. options, path))
        assert.truthy(err:find("cannot be resumed", 1, true), err)
      end
    end)

    it("in a start that was sent, it exits with 7", function()
      server:script(START, { { hold = "never", body = { progress_id = "p" } } })
      local _, err = assert_status(7, interrupted("INT", "improve --agent-id 1 --call-logs all --prompt-file " .. dir
        .. "/prompt.txt", START))
      assert.truthy(err:find("may have been processed", 1, true), err)
    end)

    it("while it follows calls, it has printed those that were evaluated, and exits with 130", function()
      local out = assert_status(130, interrupted("INT", "calls tail --agent-id 2142 --every 0.1 --from 30d --fields id",
        "/observability/v2/call-logs/", "5181749\n"))
      assert.falsy(out:find("5181751\n", 1, true), out) -- it is being evaluated
    end)

    it("in a request that changes nothing, it exits with 130", function()
      server:script("/observability/v2/call-logs/5/", { { hold = "never", body = { id = 5 } } })
      assert_status(130, interrupted("INT", "calls get 5", "/observability/v2/call-logs/5/"))
    end)
  end)
end)
