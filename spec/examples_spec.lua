--- The examples, run as a user runs them.

local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

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
      local output, status = shell(("%s script -qec '%s examples/improve_prompt.lua 2142 all %s/prompt.txt' /dev/null")
        :format(environment(), lua, dir))
      assert.equal(0, status, output)
      local drawn, ticks = 0, {}
      for word, seconds in output:gmatch "\r\27%[K(%a+)  (%d+%.%d) s" do
        drawn = drawn + 1
        ticks[word .. seconds] = true
      end
      assert.is_true(drawn > 20, output)
      assert.truthy(ticks["started0.5"] and ticks["queued1.5"], output)
      assert.truthy(output:find "\r\27%[Kcompleted  %d+%.%d s\r?\nImproved prompt: ")
      local _, last_lines = output:gsub("completed", "")
      assert.is_true(last_lines <= 3, output)
    end)

    it("tells of an error, of bad arguments and of a missing file, and fails", function()
      local output, status = improve("2142 101 " .. dir .. "/prompt.txt", "wrong-key")
      assert.equal(1, status)
      assert.equal("cekura: auth: POST /observability/v1/call-logs/improve_prompt_bg/: HTTP 401: Invalid API key.\n",
        output)
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

    it("tells of a configuration that holds no key", function()
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
    local seconds = 0
    for elapsed in output:gmatch "succeeded after (%d+%.%d) s" do
      seconds = math.max(seconds, tonumber(elapsed))
    end
    assert.is_true(seconds < 15, output) -- one after another they would take four minutes
  end)

  it("select.lua goes on with its other work while a job runs", function()
    local output, status = shell(("%s timeout 30 %s examples/select.lua 2142 5181749"):format(environment(), lua))
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
