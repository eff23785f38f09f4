-- Each method that makes a request takes a last argument, { timeout = seconds }.

local cekura = require "cekura"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local RECORDS, ACTIONS = "/observability/v2/call-logs/", "/observability/v1/call-logs/"
local OBSERVE, FEEDBACKS = "/observability/v1/observe/", "/test_framework/metric-reviews/process_feedbacks_"

local LOGS = { call_logs = { 1 }, agent_id = 1 }
local PROMPT = { call_logs = { 1 }, agent_id = 1, prompt = "x" }

local function a_call(recording)
  return { call_id = "x", agent = 1, voice_recording = recording }
end

-- Each method, the path of its request, and the arguments before the last.
local CALLS = {
  { "get", RECORDS .. "1/", 1 },
  { "list", RECORDS, {} },
  { "send", OBSERVE, a_call() },
  { "send", OBSERVE, a_call { data = "x" } },
  { "send", OBSERVE, a_call "Makefile" },
  { "send_raw", "/observability/v1/retell/observe/", "retell", "{}" },
  { "update", RECORDS .. "1/", 1, { seconds = 1 } },
  { "delete", RECORDS .. "1/", 1 },
  { "evaluate_metrics", RECORDS .. "evaluate_metrics/", { call_logs = { 1 }, metrics = { 1 }, agent_id = 1 } },
  { "rerun_evaluation", ACTIONS .. "rerun_evaluation/", LOGS },
  { "create_scenarios", ACTIONS .. "create_scenarios/", LOGS },
  { "evaluation", ACTIONS .. "rerun_evaluation/", LOGS },
  { "improve_prompt", ACTIONS .. "improve_prompt_bg/", PROMPT },
  { "improve_prompt_issues", ACTIONS .. "improve_prompt_issues/", LOGS },
  { "mark_metric_vote", RECORDS .. "1/mark_metric_vote/", 1, { metric_id = 1 } },
  { "trace", ACTIONS .. "1/trace/", 1 },
  { "logs", ACTIONS .. "1/logs/", 1 },
  { "self_improve", RECORDS, { call_id = "x", agent_id = 1, prompt = "x" } },
  { "self_improve", RECORDS .. "1/", { id = 1, agent_id = 1, prompt = "x" } },
}
for _, each in ipairs(CALLS) do
  each.of = "calls"
end

-- The methods of the client itself, and of a job that is known by its id.
local OTHERS = {
  { of = "client", "request", "/x/", "GET", "/x/" },
  { of = "client", "start", ACTIONS .. "improve_prompt_bg/", "calls.improve_prompt", PROMPT },
  { of = "job", "poll", FEEDBACKS .. "progress/" },
  { of = "job", "cancel", FEEDBACKS .. "cancel/" },
  { of = "job", "answer", FEEDBACKS .. "answer/", {} },
}

local function call(client, each, options)
  local of = each.of == "calls" and client.calls or each.of == "client" and client
    or cekura.assert(client:job("metric_reviews.process_feedbacks", "p-1"))
  if each[3] == nil then
    return of[each[1]](of, options)
  elseif each[4] == nil then
    return of[each[1]](of, each[3], options)
  end
  return of[each[1]](of, each[3], each[4], options)
end

local function last(...)
  return (select(select("#", ...), ...))
end

describe("a timeout", function()
  local server = simulator.during(setup, teardown)

  for _, list in ipairs { CALLS, OTHERS } do
    for _, each in ipairs(list) do
      it(("in the last argument applies to %s:%s of %s"):format(each.of, each[1], each[2]), function()
        local client = server:client { timeout = 600 }
        server:script(each[2], { { delay = 600 } })
        local err = last(patience.before_timer(60, call, client, each, { timeout = 0.05 }))
        assert.equal("timeout", (err.cause or err).kind)
        client:close()
      end)

      it(("is the only option in the last argument of %s:%s of %s"):format(each.of, each[1], each[2]), function()
        server:reset()
        local client = server:client()
        for value, pattern in pairs { [5] = "options: table expected, got number",
          [{ timuot = 1 }] = "options: there is no option timuot %(did you mean timeout%?%)",
          [{ 1 }] = "options: there is no option 1", [{ timeout = 0 }] = "timeout: a number of seconds above 0",
          [{ timeout = -1 }] = "timeout: a number", [{ timeout = 0 / 0 }] = "timeout: a number",
          [{ timeout = "1" }] = "timeout: number of seconds expected, got string" } do
          local ok, message = pcall(function()
            local result, err = call(client, each, value)
            return result, err
          end)
          assert.is_false(ok)
          assert.truthy(message:find "^spec/timeout_spec.lua:%d+: cekura: ", message)
          assert.truthy(message:find(pattern), message)
        end
        assert.same({}, server:requests())
        client:close()
      end)
    end
  end

  it("of self_improve is given in one place only", function()
    local client = server:client()
    local ok, message = pcall(client.calls.self_improve, client.calls,
      { call_id = "x", prompt = "x", timeout = 5 }, { timeout = 5 })
    assert.is_false(ok)
    assert.truthy(message:find "self_improve: timeout: it is given twice", message)
    client:close()
  end)

  it("is not an option of client:job, which sends nothing", function()
    local client = server:client()
    local ok, message = pcall(client.job, client, "results.run", 7, { timeout = 5 })
    assert.is_false(ok)
    assert.truthy(message:find "options: there is no option timeout", message)
    client:close()
  end)

  it("of a deletion is not sent as a parameter", function()
    server:reset()
    local client = server:client()
    cekura.assert(client.calls:delete(5181749, { retain_evaluations = false, timeout = 60 }))
    assert.equal(RECORDS .. "5181749/?retain_evaluations=false", server:requests()[1].uri)
    client:close()
  end)
end)
