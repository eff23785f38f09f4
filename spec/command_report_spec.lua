--- `calls report` over a period, and `improve --diff --html`: what they ask for, write, show, and leave behind.

local cases = require "spec.support.period_cases"
local command = require "spec.support.command"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local file = require "spec.support.file"
local harmless_page = require "spec.support.harmless_page"
local patience = require "spec.support.patience"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local tmux = require "spec.support.tmux"

local LIST = "/observability/v2/call-logs/"
local IMPROVE = "improve --agent-id 2142 --call-logs 5181749 --interval 0.05 --diff --prompt-file "
local PERIOD = "--agent-id 2142 --from 2026-11-01T00:00:00Z --to 2026-11-04T00:00:00Z"

-- A page of calls, as the service sends it.
local function page(calls, next_page)
  return { body = encode({ results = setmetatable(calls, core.array_mt), next = next_page
    and "https://api.example/observability/v2/call-logs/?page=" .. next_page }, "page") }
end

describe("cekura-lua calls report", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function run(arguments, ...)
    return command.run(server, arguments, ...)
  end

  -- Runs it, asserts its exit status, and returns what it wrote.
  local function report(expected, arguments, ...)
    local out, err, status = run(("calls report %s"):format(arguments:gsub("DIR", dir)), ...)
    assert.equal(expected, status, out .. err)
    return out, err
  end

  local function files()
    return (shell("ls -A " .. dir):gsub("%s+", " "):gsub(" $", ""))
  end

  -- Two pages of four calls: day 3, day 2, day 2, day 1.
  local function script_pages()
    server:script(LIST, { page({
      cases.call(3, true, { cases.metric(1, "Greeting", true) }, { id = 4, agent_name = "Desk" }),
      cases.call(2, false, { cases.metric(1, "Greeting", false) }, { id = 3 }) }, 2), page {
      cases.call(2, true, { cases.metric(1, "Greeting", true) }, { id = 2 }), cases.call(1, nil, nil, { id = 1 }) } })
  end

  it("writes a page and a table about all calls of the filter", function()
    script_pages()
    local out, err = report(0, PERIOD .. " --filter duration,gte,60 --failed --html DIR/calls.html --csv DIR/calls.csv")
    assert.equal("", out)
    assert.equal(("1 call, 1 of 3 days\n2 calls, 2 of 3 days\n4 calls, 3 of 3 days\nThe report is in %s/calls.html.\n"
      .. "The numbers are in %s/calls.csv.\n"):format(dir, dir), err)
    assert.equal("calls.csv calls.html", files())
    local html, csv = file.read(dir .. "/calls.html"), file.read(dir .. "/calls.csv")
    local elements = harmless_page.check(html, false)
    assert.same({ "Calls of Desk" }, harmless_page.texts(elements, "h1"))
    assert.truthy(html:find("66.7\194\160% passed (2 of 3)", 1, true))
    assert.truthy(html:find("<dt>Condition</dt><dd>duration gte 60</dd>", 1, true))
    assert.truthy(csv:find("calls,,,,,,,calls,4\r\n", 1, true))
    assert.truthy(csv:find("metric,2026-11-02,1,Greeting,,,,failed,1\r\n", 1, true))
    local uri = server:requests()[1].uri
    for _, part in ipairs { "?agent_id=2142&", "&page_size=200&", "%22field%22%3A%22success%22",
      "&ql=%7Bid%2Ctimestamp%2Cstatus%2Csuccess%2Cduration%2Ccall_ended_reason%2Cmetrics%2Cagent_name%7D&",
      "&timestamp_from=2026-11-01T00%3A00%3A00Z&", "&timestamp_to=2026-11-04T00%3A00%3A00Z" } do
      assert.truthy(uri:find(part, 1, true), uri)
    end
  end)

  it("takes dates, the last of which is a part of the period", function()
    script_pages()
    local _, err = report(0, "--agent-id 2142 --from 2026-11-01 --to 2026-11-03 --html DIR/calls.html")
    assert.truthy(err:find("4 calls, 3 of 3 days\n", 1, true), err)
    local uri = server:requests()[1].uri
    assert.truthy(uri:find("&timestamp_from=2026-11-01T00%3A00%3A00Z&", 1, true), uri)
    assert.truthy(uri:find("&timestamp_to=2026-11-03T23%3A59%3A59.999999Z", 1, true), uri)
  end)

  it("writes one of them to stdout, and is silent if asked", function()
    script_pages()
    local out, err = report(0, PERIOD .. " --csv - --quiet")
    assert.truthy(out:find("^figure,day,"))
    assert.equal("", err)
    server:reset()
    out, err = report(0, "--agent-id 2142 --from 20d --html - --csv DIR/calls.csv")
    harmless_page.check(out, false)
    assert.truthy(err:find("3 calls, 21 of 21 days\n", 1, true), err)
    assert.equal("calls.csv", files())
  end)

  it("prints the numbers of the table as JSON, a line each", function()
    script_pages()
    local out, err = report(0, PERIOD .. " --json --quiet --csv DIR/calls.csv")
    assert.equal(("The numbers are in %s/calls.csv.\n"):format(dir), err)
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      local row = core.decode(line)
      lines[#lines + 1] = table.concat({ row.figure, row.day or "", row.metric_id or "", row.metric or "",
        row.other_metric_id or "", row.other_metric or "", row.name or "", row.measure, ("%.14g"):format(row.value) },
        ",")
    end
    local csv = file.read(dir .. "/calls.csv"):gsub("\r", "")
    assert.equal(csv:match "\n(.*)\n$", table.concat(lines, "\n"))
    assert.equal("calls,,,,,,,calls,4", lines[1])
  end)

  it("writes to a named pipe, whose reader gets all of it", function()
    script_pages()
    shell(("cd %s && mkfifo pipe && { (timeout 60 cat pipe >read; echo >over) >/dev/null 2>&1 & }"):format(dir))
    report(0, PERIOD .. " --csv DIR/pipe", "timeout -k 1 30")
    patience.eventually(function() return file.read(dir .. "/over") end)
    assert.truthy(file.read(dir .. "/read"):find "^figure,day,")
  end)

  it("reports an empty period, and one without evaluations", function()
    server:script(LIST, { page {} })
    local out = report(0, PERIOD .. " --html -")
    assert.truthy(out:find("There is no call in the period.", 1, true))
    server:reset()
    server:script(LIST, { page { cases.call(1, nil, nil, { id = 1 }), cases.call(1, nil, nil, { id = 2 }) } })
    out = report(0, PERIOD .. " --html -")
    assert.truthy(out:find("No call is evaluated.", 1, true))
  end)

  it("refuses options that make no sense together, before it asks the service", function()
    for arguments, message in pairs {
      [""] = "give the id of a call, or --agent-id",
      ["--from 1d --html -"] = "give the id of a call, or --agent-id",
      ["--agent-id 1 --html -"] = "--from is missing",
      ["--agent-id 1 --from 1d"] = "--html is missing",
      ["--agent-id 1 --from 1d --html - --csv -"] = "only one of --html and --csv",
      ["--agent-id 1 --from 2026-02-29 --html -"] = "--from: a time (2026-11-26, ",
      ["--agent-id 1 --from 1d --to 2d --html -"] = "--to is before --from",
      ["--agent-id 1 --from 5000d --html -"] = "at most 3660 days",
      ["--agent-id 1 --from 1d --html /no/where"] = "/no/where cannot be written: No such file",
      ["--agent-id 1 --from 1d --html DIR/x --csv DIR/x"] = "--html and --csv name the same file",
      ["--agent-id 1 --from 1d --html ''"] = '"" cannot be written: No such file',
      ["--agent-id 1 --from 1d --csv= --html -"] = '"" cannot be written: No such file',
      ["--agent-id 1 --from 2999-01-01T00:00:00Z --html -"] = "--from is in the future",
      ["--agent-id 1 --from 1d --csv /no/where"] = "/no/where cannot be written: No such file",
      ["5 --agent-id 1 --html -"] = "not both",
      ["5 --failed --html -"] = "not both",
      ["5 --html - --csv DIR/x"] = "--csv is for the calls of a period",
      ["5 --html DIR/x --json"] = "--json is for the calls of a period",
      ["--agent-id 1 --from 1d --html - --json"] = "only one of --html and --json",
      ["--agent-id 1 --from 1d --csv - --json"] = "only one of --csv and --json",
    } do
      local out, err = report(2, arguments)
      assert.equal("", out, arguments)
      assert.truthy(err:find(message, 1, true), arguments .. ": " .. err)
    end
    assert.equal(0, #server:requests())
    assert.equal("", files())
  end)

  it("leaves no file behind if it fails or is interrupted, and keeps what there was", function()
    file.write(dir .. "/calls.html", "before")
    shell(("chmod 600 %s/calls.html"):format(dir))
    local first = page({ cases.call(3, true) }, 2)
    server:script(LIST, { first, { status = 404, body = "{}" } })
    report(6, PERIOD .. " --html DIR/calls.html --csv DIR/calls.csv")
    server:reset()
    server:script(LIST, { first, { hold = "never", body = {} } })
    local line = ("calls report %s --html %s/calls.html --csv %s/calls.csv"):format(PERIOD, dir, dir)
    local out, err, status = command.interrupt(server, "INT", line, function()
      return server:count(LIST) == 2
    end)
    assert.equal(130, status, out .. err)
    assert.truthy(err:find("1 call, 1 of 3 days\nInterrupted.\n", 1, true), err)
    assert.equal("before", file.read(dir .. "/calls.html"))
    assert.equal("calls.html", files())
    script_pages()
    report(0, PERIOD .. " --html DIR/calls.html")
    assert.truthy(file.read(dir .. "/calls.html"):find "^<!DOCTYPE html>")
    assert.equal("600", shell(("stat -c %%a %s/calls.html"):format(dir)):match "%d+")
  end)

  it("shows the first request instead, with --dry-run", function()
    local out, err = report(0, PERIOD .. " --html DIR/calls.html --dry-run")
    assert.truthy(out:find(LIST .. "?agent_id=2142&page_size=200", 1, true), out)
    assert.equal("", err)
    assert.equal("", files())
  end)

  it("has no key, though the service repeats it", function()
    local key = server.key
    server:script(LIST, { page { cases.call(1, false, { cases.metric("1" .. key, "A " .. key, false) },
      { id = key, agent_name = key, call_ended_reason = key }), cases.call(1, nil, nil, { id = key, status = key }) } })
    report(0, PERIOD .. " --html DIR/calls.html --csv DIR/calls.csv")
    assert.falsy(file.read(dir .. "/calls.html"):find(key, 1, true))
    assert.falsy(file.read(dir .. "/calls.csv"):find(key, 1, true))
  end)

  it("counts calls and days on one line of a terminal", function()
    script_pages()
    local terminal = tmux.start(("env %s %s calls report %s --html %s/calls.html"):format(command.environment(server),
      command.program, PERIOD, dir))
    finally(function()
      terminal:stop()
    end)
    terminal:wait_for "The report is in"
    assert.equal("4 calls, 3 of 3 days", terminal:lines()[1])
  end)

  it("is preceded by a check that --html of improve can be written, which spends no credits", function()
    file.write(dir .. "/prompt.txt", "Be nice.")
    for options, message in pairs { ["--html /no/where"] = "/no/where cannot be written",
      ["--html - --json"] = "both write to standard output",
      ["--html ''"] = '"" cannot be written: No such file',
      ["--html DIR/x --output DIR/x"] = "--html and --output name the same file",
      ["--html DIR/prompt.txt"] = "--html and --prompt-file name the same file",
      ["--html - --no-wait"] = "cannot be given with --no-wait" } do
      local out, err, status = run(IMPROVE .. dir .. "/prompt.txt " .. options:gsub("DIR", dir))
      assert.equal(2, status, out .. err)
      assert.truthy(err:find(message, 1, true), err)
    end
    local _, err = run("improve --agent-id 1 --call-logs all --html - --prompt-file " .. dir .. "/prompt.txt")
    assert.truthy(err:find("it needs --diff", 1, true), err)
    assert.equal(0, #server:requests())
  end)
end)

describe("cekura-lua improve --diff --html", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":match "%S+"
    file.write(dir .. "/prompt.txt", "Be <b>nice</b>.")
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function improve(expected, options)
    local out, err, status = command.run(server, ((IMPROVE .. "DIR/prompt.txt " .. options):gsub("DIR", dir)))
    assert.equal(expected, status, out .. err)
    return out, err
  end

  it("writes the changes as a page, to a file or to stdout", function()
    local out, err = improve(0, "--html DIR/changes.html --output DIR/better.txt")
    assert.equal("", out)
    assert.truthy(err:find(("The improved prompt is in %s/better.txt.\nThe changes are in %s/changes.html.\n"):format(
      dir, dir), 1, true), err)
    local page_written = file.read(dir .. "/changes.html")
    harmless_page.check(page_written, false)
    assert.truthy(page_written:find("Be &lt;b&gt;nice&lt;/b&gt;.", 1, true))
    assert.truthy(page_written:find("<p>Two rules added, from 1 call logs", 1, true))
    assert.truthy(page_written:find("<ins>", 1, true))
    out = improve(0, "--html -")
    assert.equal(page_written, out)
  end)

  it("writes no page where there is nothing to improve", function()
    server:script("/observability/v1/call-logs/improve_prompt_progress/",
      { { body = { status = "failed", error = "No issues found in the call logs" } } })
    local out, err = improve(0, "--html DIR/changes.html")
    assert.equal("", out)
    assert.truthy(err:find("Nothing to improve", 1, true), err)
    assert.is_nil(file.read(dir .. "/changes.html"))
  end)

  it("prints the prompt if the page cannot be written, and exits with 2", function()
    local out, err = improve(2, "--html /dev/full")
    assert.truthy(out:find "^Be <b>nice</b>%.\n")
    assert.truthy(err:find("/dev/full cannot be written", 1, true), err)
    out, err = improve(2, "--html /dev/full --json")
    assert.truthy(core.decode(out).result.improved_prompt:find "^Be <b>nice</b>%.\n")
    assert.truthy(err:find("/dev/full cannot be written", 1, true), err)
  end)
end)
