-- client.calls:self_improve: waits for the evaluation of a call, and improves a prompt from it.

local cekura = require "cekura"
local core = require "cekura.core"
local shell = require "spec.support.shell"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local QUICK = 0.01

describe("self_improve", function()
  local server = simulator.during(setup, teardown)
  local client

  local function living(directives, options)
    if client then
      client:close()
    end
    options = options or {}
    options.headers = { ["X-Simulate"] = directives or "polls=1" }
    client = server:client(options)
    return client
  end

  before_each(function()
    server:reset()
    living()
  end)

  local function given(changes)
    local params = { agent_id = 2142, call_id = "sess-1", prompt = "Be nice.", interval = QUICK, timeout = 20 }
    for name, value in pairs(changes or {}) do
      params[name] = value
    end
    return params
  end

  it("finds the call by the provider's id, waits for its evaluation, and returns the new prompt", function()
    local improvement = cekura.assert(client.calls:self_improve(given()))
    assert.equal("succeeded", improvement.state)
    assert.truthy(improvement.improved_prompt:find "^Be nice%.\n")
    assert.equal("string", type(improvement.summary_of_changes))
    assert.is_nil(improvement.reason)
    assert.equal("call_log", core.type(improvement.call_log))
    assert.equal("sess-1", improvement.call_log.call_id)
    local seen = server:requests()
    assert.equal("/observability/v2/call-logs/?agent_id=2142&filters_v2=%7B%22field%22%3A%22call_id%22%2C"
      .. "%22op%22%3A%22eq%22%2C%22value%22%3A%22sess-1%22%7D", seen[1].uri)
    assert.equal("/observability/v2/call-logs/5181749/", seen[2].path)
    assert.equal("/observability/v2/call-logs/5181749/", seen[3].uri) -- the whole record
    assert.equal("/observability/v1/call-logs/improve_prompt_bg/", seen[4].path)
    assert.equal('{"agent_id":2142,"call_logs":[5181749],"prompt":"Be nice."}', seen[4].body)
  end)

  it("takes the id of the record under either name, and passes on further parameters", function()
    for _, name in ipairs { "id", "call_id" } do
      local params = given { category_ids = {} }
      params.call_id = nil
      params[name] = 5181749
      cekura.assert(client.calls:self_improve(params))
    end
    local starts = 0
    for _, each in ipairs(server:requests()) do
      assert.are_not_equal("/observability/v2/call-logs/", each.path)
      if each.method == "POST" then
        starts = starts + 1
        assert.equal('{"agent_id":2142,"call_logs":[5181749],"category_ids":[],"prompt":"Be nice."}', each.body)
      end
    end
    assert.equal(2, starts)
  end)

  it("waits until the call exists, and until it is evaluated", function()
    local sender = server:client { headers = { ["X-Simulate"] = "polls=3" } }
    local improvement
    local words = {}
    cekura.run(function()
      local waiting = cekura.spawn(function()
        return client.calls:self_improve(given { call_id = "fresh-1", on_progress = function(job)
          words[#words + 1] = job.kind .. " " .. job.status
        end })
      end)
      cekura.sleep(0.05)
      cekura.assert(sender.calls:send { call_id = "fresh-1", agent = 2142,
        transcript_json = { { role = "Main Agent", content = "Hello." } } })
      improvement = cekura.assert(waiting:join())
    end)
    sender:close()
    assert.equal("fresh-1", improvement.call_log.call_id)
    assert.is_true(improvement.call_log:evaluated())
    local first = 1
    while words[first] == "calls.evaluation not_found" do
      first = first + 1
    end
    assert.is_true(first > 1)
    assert.equal("calls.evaluation evaluating", words[first])
    assert.equal("calls.evaluation success", words[first + 1])
    assert.truthy(words[first + 2]:find "^calls.improve_prompt ")
  end)

  it("ends by a webhook before the next poll", function()
    living(nil, { timeout = 600 })
    server:script("/observability/v2/call-logs/5181751/", { { pass = true }, { hold = "the next poll" } })
    local body
    patience.before_timer(60, cekura.run, function()
      local waiting = cekura.spawn(function()
        local params = given { call_id = "sess-3", timeout = 3600 }
        params.interval = nil
        return client.calls:self_improve(params)
      end)
      repeat
        cekura.sleep(0.02)
      until #server:requests() >= 2
      body = server.administrator:request("GET", "/_sim/webhook/", { query = { call_log_id = 5181751 } }).body
      client:webhook { secret = "s" }({ ["X-CEKURA-SECRET"] = "s" }, body)
      assert.equal("succeeded", cekura.assert(waiting:join()).state)
    end)
    local polls = 0
    for _, each in ipairs(server:requests()) do
      polls = polls + (each.path == "/observability/v2/call-logs/5181751/" and 1 or 0)
    end
    assert.is_true(polls <= 2) -- the second is still held back
  end)

  it("takes only the named call, and ignores a row without an id", function()
    server:script("/observability/v2/call-logs/", {
      { body = '{"results":[{"id":6,"call_id":"SESS-1-longer"},{"call_id":"sess-1"}]}' },
      { body = '{"results":[{"id":6,"call_id":"SESS-1-longer"},{"id":5181749,"call_id":"sess-1"}]}' },
    })
    assert.equal(5181749, cekura.assert(client.calls:self_improve(given())).call_log.id)
  end)

  it("returns nothing_to_do if there are no issues, or the prompt comes back unchanged", function()
    living "life=no_issues; polls=1"
    local improvement = cekura.assert(client.calls:self_improve(given()))
    assert.equal("nothing_to_do", improvement.state)
    assert.truthy(improvement.reason:find "No issues")
    assert.is_nil(improvement.improved_prompt)
    assert.equal("sess-1", improvement.call_log.call_id)

    server:script("/observability/v1/call-logs/improve_prompt_progress/",
      { { body = { status = "completed", output = { improved_prompt = "Be nice.", summary_of_changes = "none" } } } })
    improvement = cekura.assert(client.calls:self_improve(given()))
    assert.equal("nothing_to_do", improvement.state)
    assert.is_nil(improvement.improved_prompt)
    assert.equal("string", type(improvement.reason))
  end)

  it("returns protocol if the improvement answers with a call log", function()
    living "life=call_log; polls=1"
    local improvement, err = client.calls:self_improve(given())
    assert.is_nil(improvement)
    assert.equal("protocol", err.kind)
    assert.equal("calls.improve_prompt", err.job.kind)
  end)

  it("returns the error of the step that fails", function()
    local function failed(changes)
      local improvement, err = client.calls:self_improve(given(changes))
      assert.is_nil(improvement)
      return err
    end
    local err
    patience.with_enough_time(0.05, function(seconds)
      err = failed { call_id = "nobody", timeout = seconds }
      assert.equal("timeout", err.kind)
      return err.message:find "no call nobody"
    end)
    patience.with_enough_time(0.05, function(seconds)
      err = failed { call_id = "sess-3", timeout = seconds }
      assert.equal("timeout", err.kind)
      return err.job
    end)
    assert.equal("calls.evaluation", err.job.kind)
    living "life=failed; polls=1"
    err = failed()
    assert.equal("job_failed", err.kind)
    assert.equal("calls.improve_prompt", err.job.kind)
    server:script("/observability/v1/call-logs/improve_prompt_bg/", { { status = 404, body = "<html>" } })
    assert.equal("gone", failed().kind)
    server:script("/observability/v2/call-logs/", { { status = 401 } })
    assert.equal("auth", failed().kind)
  end)

  describe("of a call that does not exist", function()
    local LOGS = "/observability/v2/call-logs/"

    -- Returns what on_progress gets, the error, and the improvement.
    local function reported(changes)
      local reports = {}
      local params = given(changes)
      params.timeout = 600
      params.on_progress = function(job)
        reports[#reports + 1] = { type = core.type(job), kind = job.kind, state = job.state, status = job.status,
          polls = job.polls, elapsed = job.elapsed, error = job.error }
      end
      local improvement, err = client.calls:self_improve(params)
      return reports, err, improvement
    end

    for what, id in pairs { ["by the provider's id"] = "nobody", ["by the record's id"] = 99,
      ["by the record's id as a text"] = { id = "99" } } do
      it("calls on_progress after each search, and ends with not_found after appear_within: " .. what, function()
        living(nil, { timeout = 600 })
        local changes = type(id) == "table" and id or { call_id = id }
        patience.before_timer(60, patience.with_enough_time, 0.2, function(seconds)
          server:reset()
          changes.appear_within = seconds
          local reports, err = reported(changes)
          assert.equal("not_found", err.kind)
          assert.equal(("cekura: not_found: there is no call %s: %d searches within %g s found none"):format(
            changes.id or id, #reports, seconds), tostring(err))
          assert.equal(#reports, #server:requests())
          for index, report in ipairs(reports) do
            assert.same({ "calls.evaluation", "pending", "not_found", index },
              { report.kind, report.state, report.status, report.polls })
            assert.equal("not_found", report.error.kind)
            assert.is_true(report.elapsed >= (index > 1 and reports[index - 1].elapsed or 0))
          end
          return #reports >= 3
        end)
      end)
    end

    it("searches once if appear_within is 0", function()
      for _, id in ipairs { "nobody", 99 } do
        local reports, err = reported { call_id = id, appear_within = 0 }
        assert.equal("not_found", err.kind)
        assert.equal(1, #reports)
      end
      assert.equal(2, #server:requests())
    end)

    it("searches until the call appears", function()
      local missing = { status = 404, body = { detail = "Not found." } }
      server:script(LOGS .. "5181749/", { missing, missing, { pass = true } })
      local reports, err, improvement = reported { call_id = "sess-1", appear_within = 60 }
      assert.is_nil(err)
      assert.equal("succeeded", improvement.state)
      assert.same({ "not_found", "not_found", "success" }, { reports[1].status, reports[2].status, reports[3].status })
      assert.equal("job", reports[3].type)
    end)

    it("returns gone if the call existed and disappears", function()
      server:script(LOGS .. "5181751/", { { pass = true }, { status = 404 } })
      local reports, err = reported { id = 5181751 }
      assert.equal("gone", err.kind)
      assert.equal("calls.evaluation", err.job.kind)
      assert.same({ "evaluating", "evaluating" }, { reports[1].status, reports[2].status })
      assert.same({ "running", "gone" }, { reports[1].state, reports[2].state })
    end)

    it("ends with timeout if that passes before appear_within", function()
      patience.with_enough_time(0.1, function(seconds)
        local reports = 0
        local _, err = client.calls:self_improve(given { call_id = "nobody", timeout = seconds, appear_within = 600,
          on_progress = function() reports = reports + 1 end })
        assert.equal("timeout", err.kind)
        return reports > 1
      end)
    end)

    it("re-raises the error of on_progress, and ends with an error other than 404", function()
      local ok, raised = pcall(client.calls.self_improve, client.calls, given { call_id = "nobody",
        on_progress = function() error("mine", 0) end })
      assert.is_false(ok)
      assert.equal("mine", raised)
      server:script(LOGS .. "99/", { { status = 403 } })
      local reports, err = reported { call_id = 99 }
      assert.equal("auth", err.kind)
      assert.equal(0, #reports)
    end)
  end)

  it("has one deadline for all its steps", function()
    living("life=endless", { timeout = 600 })
    -- On a slow machine the deadline may pass in an earlier step.
    local function passes_in(step)
      patience.with_enough_time(0.3, function(seconds)
        return step(select(2, patience.before_timer(60, client.calls.self_improve, client.calls,
          given { timeout = seconds })))
      end)
    end
    passes_in(function(err)
      assert.equal("timeout", err.kind)
      return err.job and err.job.kind == "calls.improve_prompt"
    end)
    server:script("/observability/v1/call-logs/improve_prompt_bg/", { { delay = 600, body = "{}" } })
    passes_in(function(err) return err.kind == "unknown_outcome" end)
    server:script("/observability/v2/call-logs/", { { delay = 600, body = "[]" } })
    passes_in(function(err) return err.kind == "timeout" end)
  end)

  it("raises for a missing or invalid parameter, and sends nothing", function()
    for pattern, params in pairs {
      ["self_improve: params: table expected"] = 5,
      ["self_improve: prompt: string expected"] = { agent_id = 1, call_id = "x" },
      ["self_improve: call_id: id expected"] = { agent_id = 1, prompt = "x" },
      ["self_improve: timeout: "] = { agent_id = 1, prompt = "x", call_id = "x", timeout = -1 },
      ["self_improve: on_progress: function"] = { agent_id = 1, prompt = "x", call_id = "x", on_progress = 5 },
      ["self_improve: appear_within: a number of seconds above 0"] =
        { prompt = "x", call_id = "x", appear_within = -1 },
      ["self_improve: appear_within: number of seconds"] = { prompt = "x", call_id = "x", appear_within = "60" },
      ["no parameter appear_withn"] = { prompt = "x", call_id = "x", appear_withn = 60 },
      ["self_improve: agent_id: "] = { agent_id = {}, prompt = "x", call_id = "x" },
      ["no parameter catgory_ids %(did you mean category_ids%?%)"] = { prompt = "x", call_id = "x", catgory_ids = {} },
      ["self_improve: category_ids: "] = { prompt = "x", call_id = "x", category_ids = 5 },
      ["self_improve: call_logs: the call is named"] = { prompt = "x", call_id = "x", call_logs = { 5 } },
      ["extra: prompt is a parameter"] = { prompt = "x", call_id = "x", extra = { prompt = "y" } },
    } do
      local ok, message = pcall(function()
        return client.calls:self_improve(params)
      end)
      assert.is_false(ok)
      assert.truthy(message:find "^spec/improve_spec.lua:%d+: cekura: ", message)
      assert.truthy(message:find(pattern), message)
    end
    assert.same({}, server:requests())
  end)

  describe("in examples/self_improve.lua", function()
    local folder

    before_each(function()
      folder = shell "mktemp -d":gsub("%s+$", "")
    end)

    after_each(function()
      shell("rm -rf " .. folder)
    end)

    local function run(call_id)
      return shell(("CEKURA_API_KEY=sim-key CEKURA_API_URL=%s %s examples/self_improve.lua 2142 %s %s"):format(
        server.url, os.getenv "CEKURA_LUA" or "lua5.4", call_id, folder))
    end

    local function file(name, text)
      local handle = io.open(folder .. "/" .. name, text and "wb" or "rb")
      if not handle then
        return nil
      end
      local content = text and handle:write(text) or handle:read "*a"
      handle:close()
      return content
    end

    it("writes the next version only if the prompt has changed", function()
      file("v1.txt", "Be nice.")
      local output, status = run "sess-1"
      assert.equal(0, status)
      assert.truthy(output:find(("Wrote %s/v2.txt: "):format(folder), 1, true), output)
      assert.truthy(file("v2.txt"):find "^Be nice%.\n")
      status = select(2, run "sess-1")
      assert.equal(0, status)
      assert.truthy(file("v3.txt"):find("^" .. file "v2.txt":gsub("%p", "%%%0")))
      server:script("/observability/v1/call-logs/improve_prompt_progress/",
        { { body = { status = "failed", error = "No issues found." } } })
      output, status = run "sess-1"
      assert.equal(0, status)
      assert.truthy(output:find "Nothing to do: No issues found%.")
      assert.is_nil(file "v4.txt")
    end)

    it("exits with an error message if the prompt is missing or the key is refused", function()
      local output, status = run "sess-1"
      assert.equal(1, status)
      assert.truthy(output:find "v1.txt does not exist: put the agent's prompt there")
      file("v1.txt", "Be nice.")
      server:script("/observability/v2/call-logs/", { { status = 401, body = { detail = "Invalid API key." } } })
      output, status = run "sess-1"
      assert.equal(1, status)
      assert.truthy(output:find "cekura: auth: ")
    end)
  end)
end)
