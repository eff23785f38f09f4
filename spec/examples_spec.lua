--- The examples, run as a user runs them.

local shell = require "spec.support.shell"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local POLL = "/observability/v1/call-logs/improve_prompt_progress/"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

describe("examples", function()
  local server = simulator.during(setup, teardown)
  local dir

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":gsub("%s", "")
    shell(("printf 'Be nice.' > %s/prompt.txt"):format(dir))
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function environment(key)
    return ("CEKURA_API_URL=%s CEKURA_API_KEY=%s"):format(server.url, key or server.key)
  end

  local function improve(arguments, key)
    return shell(("%s %s examples/improve_prompt.lua %s"):format(environment(key), lua, arguments))
  end

  describe("gate.lua", function()
    local RESULT = "/test_framework/v2/results/9001/"

    local function gate(arguments, before)
      return shell(("%s %s %s examples/gate.lua %s 2>&1"):format(environment(), before or "", lua, arguments))
    end

    local function runs(one, other)
      return { ["21"] = { id = 21, status = "completed", success = one }, ["22"] = { id = 22, status = "completed",
        success = other, evaluation = { metrics = { { id = 1, name = "Courtesy", type = "binary", passed = other,
          explanation = { "The agent shouted." } } } } } }
    end

    it("exits with 0 if all calls have passed", function()
      server:script(RESULT, { { body = { id = 9001, status = "completed", runs = runs(true, true) } } })
      local output, status = gate "2142 smoke,nightly"
      assert.equal(0, status, output)
      assert.truthy(output:find "^result 9001\ncompleted 100 %% after %d+ s\n2 of 2 passed\n$", output)
      assert.equal('{"agent_id":2142,"tags":["smoke","nightly"]}', server:requests()[1].body)
    end)

    it("exits with 1 and names the calls that did not pass", function()
      server:script(RESULT, { { body = { id = 9001, status = "completed", runs = runs(true, false) } } })
      local output, status = gate "2142 smoke"
      assert.equal(1, status, output)
      local expected = "run 22: did not pass\n  Courtesy: The agent shouted.\n1 of 2 passed\n"
      assert.truthy(output:find(expected, 1, true), output)
    end)

    it("leaves the calls alone when the time is over, and ends them with --cancel-on-exit", function()
      server:script(RESULT, { { body = { id = 9001, status = "in_progress", runs = {} } } })
      local output, status = gate "--timeout 0.05 2142 smoke"
      assert.equal(5, status, output)
      assert.truthy(output:find("the calls go on: cekura2.", 1, true), output)
      assert.equal(0, server:count "/test_framework/v1/results/9001/end_calls/")
      output, status = gate "--cancel-on-exit --timeout 0.05 2142 smoke"
      assert.equal(5, status, output)
      assert.truthy(output:find("ended in the service", 1, true), output)
      assert.equal(1, server:count "/test_framework/v1/results/9002/end_calls/")
    end)

    it("leaves the calls alone after Ctrl-C, and ends them with --cancel-on-exit", function()
      for cancels, option in pairs { [0] = "", "--cancel-on-exit" } do
        server:reset()
        local output = gate(option .. " 2142 smoke", "timeout --foreground --preserve-status -s INT 1")
        assert.truthy(output:find("interrupted; the calls ", 1, true), output)
        assert.equal(cancels, server:count "/test_framework/v1/results/9001/end_calls/", output)
      end
    end)

    it("exits with 2 for wrong usage and 4 for a wrong key", function()
      assert.equal(2, select(2, gate "2142"))
      assert.equal(2, select(2, gate "--cancel 2142 smoke"))
      server:admin("POST", "key/", { key = "another" })
      assert.equal(4, select(2, gate "2142 smoke"))
    end)
  end)

  describe("improve_prompt.lua", function()
    it("prints a line for each change, result and summary, and writes the improved prompt", function()
      local output, status = improve(("2142 101,102 %s/prompt.txt %s/improved.txt"):format(dir, dir))
      assert.equal(0, status, output)
      assert.truthy(output:find "^queued after %d+%.%d s\nprocessing after %d+%.%d s\ncompleted after ")
      assert.truthy(output:find("\nImproved prompt: Be nice.", 1, true))
      assert.truthy(output:find("\nSummary of changes: Two rules added, from 2 call logs", 1, true))
      local file = assert(io.open(dir .. "/improved.txt"))
      assert.truthy(file:read "*a":find "^Be nice%.\n\n%- Confirm")
      file:close()
      assert.truthy(server:requests()[1].body:find('"call_logs":[101,102]', 1, true))
    end)

    it("redraws one line on a terminal as time passes", function()
      if select(2, shell "script -qec true /dev/null") ~= 0 then
        pending "there are no terminals here"
      end
      server:script(POLL, { { hold = "queued", body = { status = "queued" } },
        { hold = "done", body = { status = "completed", output = { improved_prompt = "Be very nice." } } } })
      shell(("{ %s script -qec '%s examples/improve_prompt.lua 2142 all %s/prompt.txt' /dev/null; echo \"exit $?\"; } "
        .. ">%s/drawn 2>&1 </dev/null &"):format(environment(), lua, dir, dir))
      local function drawn()
        local file = assert(io.open(dir .. "/drawn", "rb"))
        local text = file:read "*a"
        file:close()
        return text
      end
      for _, step in ipairs { { "started", "queued" }, { "queued", "done" } } do
        patience.eventually(function() -- the line has shown five different times in this step
          local times, count = {}, 0
          for seconds in drawn():gmatch("\r\27%[K" .. step[1] .. "  (%d+%.%d) s") do
            count = count + (times[seconds] and 0 or 1)
            times[seconds] = true
          end
          return count >= 5
        end)
        server:release(step[2])
      end
      patience.eventually(function() return drawn():find "exit %d+\n$" end)
      local output = drawn()
      assert.truthy(output:find "exit 0\n$", output)
      assert.truthy(output:find "\r\27%[Kcompleted  %d+%.%d s\r?\nImproved prompt: ")
      local _, last_lines = output:gsub("completed", "")
      assert.is_true(last_lines <= 3, output)
    end)

    it("exits with an error message after a refused key, bad arguments or a missing file", function()
      local output, status = improve("2142 101 " .. dir .. "/prompt.txt", "wrong-key")
      assert.equal(1, status)
      assert.equal("cekura: auth: POST /observability/v1/call-logs/improve_prompt_bg/: HTTP 401: Invalid API key. "
        .. "(the key is from the environment variable CEKURA_API_KEY)\n", output)
      output, status = improve("2142 101 " .. dir .. "/nowhere.txt")
      assert.equal(1, status)
      assert.truthy(output:find "nowhere.txt")
      for _, wrong in ipairs { "some", "first:0", "first:", "first:x", "12x", "1,,2", "1,", "''", "ALL", "-5" } do
        output, status = improve(("2142 %s %s/prompt.txt"):format(wrong, dir))
        assert.equal(2, status, wrong)
        assert.truthy(output:find "^CALL_LOGS[^\n]*\nusage: ")
      end
    end)

    it("takes ids, \"all\" or the first so many call logs", function()
      for arguments, sent in pairs { ["101"] = "[101]", ["101,102"] = "[101,102]", all = '"all"',
        ["first:12"] = "12" } do
        server:reset()
        improve(("2142 %s %s/prompt.txt"):format(arguments, dir), "wrong-key")
        assert.truthy(server:requests()[1].body:find('"call_logs":' .. sent, 1, true), arguments)
      end
    end)

    it("exits with an error message if no key is configured", function()
      local output, status = shell(("HOME=%s %s examples/improve_prompt.lua 2142 101 %s/prompt.txt"):format(
        dir, lua, dir))
      assert.equal(1, status)
      assert.truthy(output:find "^cekura: config: no API key")
    end)

    it("takes the key and the URL from the official command's configuration file", function()
      shell(("mkdir -p %s/.cekura && printf 'api_url = \"%s\"\\napi_key = \"%s\"\\n' > %s/.cekura/config.toml"):format(
        dir, server.url, server.key, dir))
      local output, status = shell(("HOME=%s %s examples/improve_prompt.lua 2142 101,102 %s/prompt.txt"):format(
        dir, lua, dir))
      assert.equal(0, status, output)
    end)
  end)

  it("many_jobs.lua runs fifty jobs at once", function()
    local output, status = shell(("%s %s examples/many_jobs.lua 2142 %s/prompt.txt"):format(environment(), lua, dir))
    assert.equal(0, status, output)
    assert.truthy(output:find("50 jobs started\n", 1, true))
    assert.truthy(output:find "50 of 50 prompts improved, with 200 requests on %d+ connections")
    -- A job is done at its third poll. That many jobs were polled before then shows that they ran at once.
    local polls, polled = {}, 0
    for _, request in ipairs(server:requests()) do
      if request.path == POLL then
        local count = (polls[request.uri] or 0) + 1
        if count == 3 then
          break
        end
        polls[request.uri], polled = count, polled + (count == 1 and 1 or 0)
      end
    end
    assert.is_true(polled > 10, polled)
  end)

  it("select.lua does other work while a job runs", function()
    local output, status = shell(("%s timeout 120 %s examples/select.lua 2142 5181749"):format(environment(), lua))
    assert.equal(0, status, output)
    local lines = {}
    for line in output:gmatch "[^\n]+" do
      lines[#lines + 1] = line:match "^Improved prompt: Be brief" or line:match "^Doing other work" or line
    end
    local order = table.concat(lines, "\n")
    assert.truthy(order:find "processing\nDoing other work\n", order)
    local finish = "Doing other work\nThe improvement is completed\nImproved prompt: Be brief"
    assert.truthy(order:find(finish, 1, true), order)
    assert.truthy(server:requests()[1].body:find('"call_logs":["5181749"]', 1, true))
  end)

  -- Of each program: what it cannot be called with.
  local WRONG = {
    improve_prompt = { "", "2142", "2142 101", "2142 101 p i x", "--agent 2142 101 p", "2142 x p" },
    many_jobs = { "", "2142", "2142 p 0", "2142 p x", "2142 p 1.5", "2142 p 5 x", "-5 p" },
    self_improve = { "", "2142", "2142 c f x", "--agent 2142" },
    select = { "", "2142", "--agent 2142" },
    watch = { "2142 x", "2142 0", "2142 -1", "2142 60 x", "--every 60" },
  }

  for name, wrong in pairs(WRONG) do
    it(name .. ".lua exits with 2 on wrong usage, and says on stdout how it is used when it is asked", function()
      local function run(arguments, redirection)
        return shell(("env -u CEKURA_API_KEY %s examples/%s.lua %s %s"):format(lua, name, arguments, redirection))
      end
      for _, arguments in ipairs(wrong) do
        local output, status = run(arguments, "2>&1 >/dev/null")
        assert.equal(2, status, arguments)
        assert.truthy(("\n" .. output):find("\nusage: " .. name .. ".lua ", 1, true), output)
        assert.equal("", (run(arguments, "2>/dev/null")))
      end
      for _, arguments in ipairs { "--help", "-h", "2142 --help" } do
        local output, status = run(arguments, "2>/dev/null")
        assert.equal(0, status)
        assert.truthy(output:find("^usage: " .. name .. "%.lua [^\n]+\n$"), output)
        assert.equal("", (run(arguments, "2>&1 >/dev/null")))
      end
    end)
  end
end)
