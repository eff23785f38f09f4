--- Polls that learn how long jobs take: interval = "adaptive", the option durations and client:durations(). The figures
-- are tested in spec/engine (sketch, survival, plan, learner, poller) and measured by spec/bench/schedule.

local cekura = require "cekura"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"
local token = require "cekura.job.token"

local POLL = "/observability/v1/call-logs/improve_prompt_progress/"
local KIND = "calls.improve_prompt"
local QUICK = "spec.quick"

cekura.kind(QUICK, { start = "POST /observability/v1/call-logs/improve_prompt_bg/", poll = "GET " .. POLL,
  output = "improved_prompt", interval = 0.02 })

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

-- What a client would know after that many jobs of a kind that took about so many seconds.
local function learned(kind, seconds, jobs)
  local middle = math.floor(1 + 8 * math.log(seconds / 0.25) / math.log(2))
  local codes = {}
  for cell = 0, 127 do
    local code = math.abs(cell - middle) <= 1 and math.floor(160 * math.sqrt(jobs / 3)) or 0
    local high, low = math.floor(code / 64), code % 64
    codes[cell + 1] = DIGITS:sub(high + 1, high + 1) .. DIGITS:sub(low + 1, low + 1)
  end
  return token.write({ [kind] = table.concat(codes) }, "durations1.")
end

local NOTHING = token.write({}, "durations1.")

describe("polls that learn", function()
  local server = simulator.during(setup, teardown)
  local client

  before_each(function()
    client = server:renew_client()
    server:reset()
  end)

  local function living(life, options, duration)
    options = options or {}
    options.headers = { ["X-Simulate"] = ("life=%s; %s"):format(life, duration or "polls=1") }
    client = server:renew_client(options)
  end

  local function start(kind)
    return cekura.assert(client:start(kind or KIND, { agent_id = 2142, call_logs = { 101 }, prompt = "Be nice." }))
  end

  -- The seconds until the next poll of a job while a task waits for it, once it has had so many polls.
  local function next_poll(job, polls, ...)
    local seconds
    local waits = { ... }
    cekura.run(function()
      local tasks = {}
      for index, options in ipairs(waits) do
        tasks[index] = cekura.spawn(job.wait, job, options)
      end
      patience.eventually(function()
        seconds = job.polls == polls and core.next_poll(job)
        return seconds and (seconds > 0 or polls > 0)
      end)
      for _, task in ipairs(tasks) do
        task:cancel()
      end
    end)
    return seconds
  end

  local function assert_by_schedule(seconds)
    assert.is_true(seconds <= 1.11, seconds)
  end

  local function assert_by_plan(seconds)
    assert.is_true(seconds > 15, seconds) -- 40 to 60, if the machine does not stop
  end

  describe("follow", function()
    it("the kind's schedule while nothing is known", function()
      assert_by_schedule(next_poll(start(), 0, { interval = "adaptive" }))
      client = server:renew_client { durations = learned("calls.evaluation", 60, 100) }
      assert_by_schedule(next_poll(start(), 0, { interval = "adaptive" }))
      client = server:renew_client { durations = learned(KIND, 60, 5) }
      assert_by_schedule(next_poll(start(), 0, { interval = "adaptive" }))
    end)

    it("what is known of the kind, by the option of a wait or of the client", function()
      client = server:renew_client { durations = learned(KIND, 60, 100) }
      assert_by_plan(next_poll(start(), 0, { interval = "adaptive" }))
      assert_by_schedule(next_poll(start(), 0, {}))
      client = server:renew_client { durations = learned(KIND, 60, 100), interval = "adaptive" }
      assert_by_plan(next_poll(start(), 0, {}))
    end)

    it("an interval in seconds that another caller asks for", function()
      client = server:renew_client { durations = learned(KIND, 60, 100), interval = "adaptive" }
      assert_by_schedule(next_poll(start(), 0, { interval = "adaptive" }, { interval = 1 }))
      assert_by_schedule(next_poll(start(), 0, { interval = 1 }, {}))
      local job = start()
      assert_by_schedule(next_poll(job, 0, { interval = 1 }))
      assert_by_plan(next_poll(job, 0, { interval = "adaptive" }, {}))
    end)

    it("the plan of the kind for a job that is resumed, from its second poll on", function()
      living("endless", { durations = learned(KIND, 60, 100), interval = "adaptive" })
      local again = cekura.assert(client:resume(start():token()))
      assert_by_plan(next_poll(again, 1, {}))
    end)

    it("the kind's schedule for a job of which the start is unknown", function()
      living("endless", { durations = learned(KIND, 60, 100), interval = "adaptive" })
      local again = cekura.assert(client:job(KIND, start().id))
      assert_by_schedule(next_poll(again, 1, {}))
    end)

    it("the plan in updates, each and all, too", function()
      living("completed", { durations = learned(KIND, 3, 100) }, "seconds=3")
      local jobs = { start(), start(), start() }
      cekura.run(function()
        cekura.spawn(function()
          local next_change = jobs[1]:updates { interval = "adaptive" }
          while next_change() do end -- luacheck: ignore 542
        end)
        cekura.spawn(function()
          assert.is_nil(cekura.all({ jobs[2] }, { interval = "adaptive" })[1].err)
        end)
        local next_ended = cekura.each({ jobs[3] }, { interval = "adaptive" })
        assert.equal(jobs[3], (next_ended()))
      end)
      for _, job in ipairs(jobs) do -- the kind's schedule has polls after 1 and 2.5 s, and the end is seen by a third
        assert.equal("succeeded", job.state)
        assert.is_true(job.polls <= 2, job.polls)
      end
    end)
  end)

  describe("learn", function()
    local function run_jobs(count)
      for _ = 1, count do
        cekura.assert(start(QUICK):wait { interval = "adaptive" })
      end
    end

    it("from the jobs that have ended, for another client", function()
      living "completed"
      run_jobs(7)
      assert.equal(NOTHING, client:durations())
      run_jobs(1)
      local text = client:durations()
      assert.truthy(text:find("^durations1%.spec~2Equick%.[%w_-]+%.%x+$"))
      assert.is_true(#text < 1024)
      local events = 0
      client = server:renew_client { durations = text, on_event = function() events = events + 1 end }
      assert.equal(text, client:durations())
      assert.equal(0, events)
      client:close()
      assert.equal(text, client:durations())
    end)

    it("nothing from a client that has learned nothing", function()
      assert.equal(NOTHING, client:durations())
      server:renew_client { durations = client:durations(), on_event = error }
    end)

    it("only where a caller asks for it", function()
      living "completed"
      for _ = 1, 10 do
        cekura.assert(start(QUICK):wait())
      end
      assert.equal(NOTHING, client:durations())
    end)

    it("no end from a wait that ended early: by its timeout, a cancel, a lost job or a question", function()
      living "endless"
      for _ = 1, 10 do
        local _, err = start(QUICK):wait { interval = "adaptive", timeout = 0.03 }
        assert.equal("timeout", err.kind)
        local job = start(QUICK)
        cekura.run(function()
          local task = cekura.spawn(job.wait, job, { interval = "adaptive" })
          patience.eventually(function() return job.polls > 0 end)
          job:cancel()
          task:join()
        end)
      end
      living "needs_input"
      for _ = 1, 10 do
        assert.equal("needs_input", select(2, start(QUICK):wait { interval = "adaptive" }).kind)
      end
      assert.equal(NOTHING, client:durations())
      living "completed"
      server:script(POLL, { { status = 410 } })
      for _ = 1, 10 do
        assert.equal("gone", select(2, start(QUICK):wait { interval = "adaptive" }).kind)
      end
      assert.equal(NOTHING, client:durations())
    end)

    it("from jobs that failed", function()
      living "failed"
      for _ = 1, 10 do
        assert.equal("job_failed", select(2, start(QUICK):wait { interval = "adaptive" }).kind)
      end
      assert.truthy(client:durations():find("spec~2Equick", 1, true))
    end)

    it("from jobs that were waited for in several parts, or polled by hand", function()
      living "completed"
      for index = 1, 10 do
        local job = start(QUICK)
        job:wait { interval = "adaptive", timeout = 0.001 }
        if index % 2 == 0 then
          cekura.assert(job:poll())
        end
        cekura.assert(job:wait { interval = "adaptive" })
      end
      assert.truthy(client:durations():find("spec~2Equick", 1, true))
    end)

    it("the end from the poll that shows it, not from the one that then brings the record", function()
      local calls = cekura.assert(client.calls:rerun_evaluation { agent_id = 2142, call_logs = { 5181749 } })
      local job = cekura.assert(calls[1]:evaluation())
      local polls
      local learn_end = stub(core, "learn_end", function(ended) polls = polls or ended.polls end)
      local _, err = job:wait { interval = 0.05 }
      learn_end:revert()
      assert.is_nil(err)
      assert.equal(job.polls - 1, polls)
    end)

    it("nothing from direct jobs", function()
      server:script("/test_framework/v3/metrics/simplify_prompt/", {
        { body = { status = "completed", simplified_prompt = "Be nice." } } })
      for _ = 1, 10 do
        local job = cekura.assert(client.metrics:simplify_prompt({ original_prompt = "x" }, { direct = true }))
        cekura.assert(job:wait { interval = "adaptive" })
      end
      assert.equal(NOTHING, client:durations())
    end)
  end)

  describe("ignore, with a warning,", function()
    local function assert_ignored(text)
      local events = {}
      client = server:renew_client { durations = text, interval = "adaptive", on_event = function(event)
        events[#events + 1] = event
      end }
      assert.equal(1, #events)
      assert.same({ "warning", "durations_ignored" }, { events[1].name, events[1].warning })
      assert.truthy(events[1].message:find("^the option durations is ignored"))
      assert.equal(NOTHING, client:durations())
      client = server:renew_client { durations = text }
      assert.equal(NOTHING, client:durations())
    end

    it("a string that is not whole", function()
      local text = learned(KIND, 60, 100)
      for _, length in ipairs { 0, 1, 11, 50, #text - 9, #text - 1 } do
        assert_ignored(text:sub(1, length))
      end
      assert_ignored(text .. " ")
      assert_ignored("A" .. text)
      assert_ignored((text:gsub("AAAAAA", "AAABAA", 1)))
    end)

    it("a string of another version, or of something else", function()
      assert_ignored(token.write({ [KIND] = "x" }, "durations2."))
      assert_ignored("durations")
      assert_ignored(start():token())
      assert_ignored(("x"):rep(100000))
      assert_ignored("\0\255")
    end)

    it("a string with the right checksum, of which a part is none of a client's", function()
      local codes = token.read(learned(KIND, 60, 100), "durations1.")[KIND]
      for _, changed in ipairs { "", "x", codes .. "A", codes:sub(2), codes:sub(2) .. "\0", codes:sub(2) .. "." } do
        assert_ignored(token.write({ ["calls.evaluation"] = codes, [KIND] = changed }, "durations1."))
      end
    end)
  end)

  it("raise at the caller's line for another type, and for another word", function()
    local job = start()
    for _, case in ipairs {
      { "sometimes", 'interval: a number of seconds or "adaptive" expected, got "sometimes"' },
      { "Adaptive", '"adaptive" expected, got "Adaptive"' },
      { {}, 'interval: number of seconds or "adaptive" expected, got table' },
      { 0, "interval: a number of seconds above 0 expected, got 0" },
    } do
      for _, fn in ipairs { function() job:wait { interval = case[1] } end,
        function() cekura.new { interval = case[1] } end } do
        local ok, raised = pcall(fn)
        assert.is_false(ok)
        assert.truthy(raised:find("^[^:]*adaptive_spec.lua:%d+: "), raised)
        assert.truthy(raised:find(case[2], 1, true), raised)
      end
    end
    assert.has_error(function() cekura.new { durations = 5 } end)
  end)
end)
