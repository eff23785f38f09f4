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

    it("rewrites one line on a terminal, with the time ticking", function()
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
        patience.eventually(function() -- the line shows some times of that step
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

    it("reports an error, bad arguments and a missing file, and fails", function()
      local output, status = improve("2142 101 " .. dir .. "/prompt.txt", "wrong-key")
      assert.equal(1, status)
      assert.equal("cekura: auth: POST /observability/v1/call-logs/improve_prompt_bg/: HTTP 401: Invalid API key. "
        .. "(the key is from the environment variable CEKURA_API_KEY)\n", output)
      output, status = improve "2142 101"
      assert.equal(1, status)
      assert.truthy(output:find "^usage: ")
      output, status = improve("2142 101 " .. dir .. "/nowhere.txt")
      assert.equal(1, status)
      assert.truthy(output:find "nowhere.txt")
      for _, wrong in ipairs { "some", "first:0", "first:", "first:x", "12x", "1,,2", "1,", "''", "ALL", "-5" } do
        output, status = improve(("2142 %s %s/prompt.txt"):format(wrong, dir))
        assert.equal(1, status, wrong)
        assert.truthy(output:find "^CALL_LOGS")
      end
    end)

    it("takes ids, all call logs or the first so many", function()
      for arguments, sent in pairs { ["101"] = "[101]", ["101,102"] = "[101,102]", all = '"all"',
        ["first:12"] = "12" } do
        server:reset()
        improve(("2142 %s %s/prompt.txt"):format(arguments, dir), "wrong-key")
        assert.truthy(server:requests()[1].body:find('"call_logs":' .. sent, 1, true), arguments)
      end
    end)

    it("reports a configuration without a key", function()
      local output, status = shell(("HOME=%s %s examples/improve_prompt.lua 2142 101 %s/prompt.txt"):format(
        dir, lua, dir))
      assert.equal(1, status)
      assert.truthy(output:find "^cekura: config: no API key")
    end)

    it("takes key and URL from the official CLI's configuration file", function()
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
    assert.truthy(output:find("50 jobs run\n", 1, true))
    assert.truthy(output:find "50 of 50 prompts improved, with 200 requests on %d+ connections")
    -- At once: many are polled before the first is done, which is so at its third poll.
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

  it("select.lua goes on with its other work while a job runs", function()
    local output, status = shell(("%s timeout 120 %s examples/select.lua 2142 5181749"):format(environment(), lua))
    assert.equal(0, status, output)
    local lines = {}
    for line in output:gmatch "[^\n]+" do
      lines[#lines + 1] = line:match "^Improved prompt: Be brief" or line:match "^Something else" or line
    end
    local order = table.concat(lines, "\n")
    assert.truthy(order:find "processing\nSomething else\n", order)
    assert.truthy(order:find("Something else\nThe improvement is completed\nImproved prompt: Be brief", 1, true), order)
    assert.truthy(server:requests()[1].body:find('"call_logs":["5181749"]', 1, true))
    output, status = shell(lua .. " examples/select.lua")
    assert.equal(2, status)
    assert.truthy(output:find "^usage: ")
  end)
end)
