-- What an answer means for a job, as a table of cases. Answers are JSON as the service sends it.

local interpret = require "cekura.job.interpret"
local core = require "cekura.core"
local kinds = require "cekura.api.kinds"

local KIND = { output = "improved_prompt", benign_errors = { "no issues" }, call_log = true }
local OUTPUT = '{"improved_prompt":"Be kind.","summary_of_changes":"kinder"}'

local function decode(text)
  local object = assert(core.decode(text))
  return object
end

local function read(text, kind)
  return interpret.read(kind or KIND, decode(text))
end

-- An answer with that status. `rest` is the text of further members, after a comma.
local function with_status(word, rest)
  return ('{"status":"%s"%s}'):format(word, rest or "")
end

-- Each row: a name, the answer, the state, and a message if there is one.
local function cases(rows)
  for _, row in ipairs(rows) do
    it(row[1], function()
      local state, result, message = read(row[2])
      assert.equal(row[3], state)
      if row[4] then
        assert.equal(row[4], message)
      end
      if state == "failed" or state == "cancelled" then
        assert.same(decode(row[2]), result) -- these answers have no output
      elseif state ~= "succeeded" and state ~= "nothing_to_do" then
        assert.is_nil(result)
      end
    end)
  end
end

describe("an answer with usable output", function()
  for _, word in ipairs {
    "completed", "success", "processing", "queued", "failed", "error", "cancelled", "timeout",
    "pending_clarification", "never heard of",
  } do
    it(("has succeeded even if its status is %q"):format(word), function()
      local state, result = read(with_status(word, ',"output":' .. OUTPUT))
      assert.equal("succeeded", state)
      assert.equal("Be kind.", result.improved_prompt)
      assert.equal("kinder", result.summary_of_changes)
    end)
  end

  it("has succeeded without a status", function()
    assert.equal("succeeded", (read('{"output":' .. OUTPUT .. "}")))
    assert.equal("succeeded", (read('{"status":null,"output":' .. OUTPUT .. "}")))
  end)

  it("has succeeded even with an error", function()
    for _, text in ipairs { '"it broke"', '"No issues found"', '{"detail":"it broke"}', "true" } do
      local state, result = read(with_status("failed", ',"error":' .. text .. ',"output":' .. OUTPUT))
      assert.equal("succeeded", state)
      assert.equal("Be kind.", result.improved_prompt)
      assert.is_nil(result.reason)
    end
  end)

  it("keeps undocumented members of the output", function()
    local _, result = read [[{"status":"completed","output":{"improved_prompt":"p","summary_of_changes":null,
      "score":3,"tags":["a",null,{"deep":[1,2]}],"nested":{"more":true}}}]]
    assert.equal(3, result.score)
    assert.equal("a", result.tags[1])
    assert.same({ 1, 2 }, result.tags[3].deep)
    assert.is_true(result.nested.more)
    assert.is_nil(result.summary_of_changes)
  end)

  it("may have the output's members beside the status", function()
    local state, result = read(with_status("completed", ',"improved_prompt":"Be kind.","extra":{"a":1}'))
    assert.equal("succeeded", state)
    assert.equal("Be kind.", result.improved_prompt)
    assert.equal(1, result.extra.a)
  end)

  it("may have the output's members beside an unusable output", function()
    for _, output in ipairs { "null", "false", '"text"', "[]", "{}" } do
      local state, result = read('{"improved_prompt":"Be kind.","output":' .. output .. "}")
      assert.equal("succeeded", state)
      assert.equal("Be kind.", result.improved_prompt)
    end
  end)

  it("prefers `output` to members beside it", function()
    local _, result = read('{"improved_prompt":"inline","output":{"improved_prompt":"inside"}}')
    assert.equal("inside", result.improved_prompt)
  end)

  it("returns a result that is independent of the answer", function()
    local object = decode('{"output":' .. OUTPUT .. "}")
    local _, result = interpret.read(KIND, object)
    result.improved_prompt = "changed"
    assert.equal("Be kind.", object.output.improved_prompt)
  end)
end)

describe("an unusable output", function()
  for _, output in ipairs {
    "null", "false", "true", "0", '""', '"some text"', "[]", '["improved_prompt"]', "{}", '{"improved_prompt":null}',
    '{"improved_prompt":""}', '{"improved_prompt":5}', '{"improved_prompt":["p"]}', '{"summary_of_changes":"s"}',
  } do
    it(("lets a running job run on: %s"):format(output), function()
      assert.equal("running", (read(with_status("processing", ',"output":' .. output))))
    end)

    it(("makes an odd answer of a success: %s"):format(output), function()
      assert.equal("protocol", (read(with_status("completed", ',"output":' .. output))))
    end)

    it(("does not hide a failure: %s"):format(output), function()
      assert.equal("failed", (read(with_status("failed", ',"output":' .. output))))
    end)
  end
end)

describe("an answer that found no issues", function()
  for _, word in ipairs {
    "completed", "success", "failed", "error", "cancelled", "processing", "pending_clarification", "odd",
  } do
    it(("has nothing to do even if its status is %q"):format(word), function()
      local state, result = read(with_status(word, ',"output":null,"error":"No issues found"'))
      assert.equal("nothing_to_do", state)
      assert.equal("No issues found", result.reason)
      assert.is_nil(result.improved_prompt)
    end)
  end

  it("has nothing to do without a status", function()
    assert.equal("nothing_to_do", (read '{"status":null,"error":"No issues found"}'))
    assert.equal("nothing_to_do", (read '{"error":"No issues found"}'))
  end)

  it("is recognized in any case and at any place in the text", function()
    for _, text in ipairs {
      "no issues", "NO ISSUES FOUND.", "Checked 3 calls: no issues, nothing to improve", "There were no issues",
      "(no issues)",
    } do
      local state, result = read(('{"error":"%s"}'):format(text))
      assert.equal("nothing_to_do", state)
      assert.equal(text, result.reason)
    end
  end)

  it("is recognized in an error object", function()
    for _, member in ipairs { "detail", "message" } do
      local state, result = read(('{"status":"failed","error":{"%s":"No issues found"}}'):format(member))
      assert.equal("nothing_to_do", state)
      assert.equal("No issues found", result.reason)
    end
  end)

  it("is not recognized in words that only contain similar letters", function()
    for _, text in ipairs { "casino issues", "no issuesx", "issues: no", "noissues", "tyranno issues" } do
      assert.equal("failed", (read(('{"error":"%s"}'):format(text))))
    end
  end)

  it("has failed if the kind declares no healthy error", function()
    local state, _, message = read('{"status":"completed","error":"No issues found"}', { output = "improved_prompt" })
    assert.equal("failed", state)
    assert.equal("No issues found", message)
  end)
end)

describe("an answer without usable output", function()
  local rows = {}
  for word, said in pairs {
    failed = "failed", failure = "failure", error = "error", errored = "errored", aborted = "aborted",
    expired = "expired", rejected = "rejected", timeout = "timeout", timed_out = "timed_out", FAILED = "failed",
    Error = "error", TimeOut = "timeout", ["Timed Out"] = "timed_out", ["timed-out"] = "timed_out",
    [" failed "] = "failed", ["\\tERRORED\\r\\n"] = "errored", ["Expired  "] = "expired",
  } do
    rows[#rows + 1] = { "has failed when it says " .. word, with_status(word), "failed", "the service says: " .. said }
    rows[#rows + 1] = { "has the error that comes with " .. word, with_status(word, ',"error":"out of credits"'),
      "failed", "out of credits" }
  end
  for word, said in pairs {
    cancelled = "cancelled", canceled = "canceled", terminated = "terminated", revoked = "revoked",
    stopped = "stopped", CANCELLED = "cancelled", Canceled = "canceled", [" Terminated"] = "terminated",
  } do
    rows[#rows + 1] = { "was cancelled when it says " .. word, with_status(word), "cancelled",
      "the service says: " .. said }
    rows[#rows + 1] = { "was cancelled when it says " .. word .. " and an error",
      with_status(word, ',"error":"by an admin"'), "cancelled", "by an admin" }
  end
  cases(rows)
end)

describe("an answer with an error and no output", function()
  local rows = {}
  for _, word in ipairs {
    "completed", "success", "processing", "queued", "pending", "pending_clarification", "never heard of",
  } do
    rows[#rows + 1] = { "has failed, though its status is " .. word,
      with_status(word, ',"output":null,"error":"it broke"'), "failed", "it broke" }
  end
  cases(rows)
  cases {
    { "has failed without any status", '{"error":"it broke"}', "failed", "it broke" },
    { "has failed with a null status", '{"status":null,"error":"it broke"}', "failed", "it broke" },
    { "has failed with a number as status", '{"status":5,"error":"it broke"}', "failed", "it broke" },
    { "has an object's detail", '{"error":{"detail":"it broke","code":5}}', "failed", "it broke" },
    { "has an object's message", '{"error":{"message":"it broke"}}', "failed", "it broke" },
    { "has failed with an object that says nothing", '{"error":{"code":5}}', "failed", "the service gave an error" },
    { "has failed with an object whose detail is a list", '{"error":{"detail":["a"]}}', "failed", "a" },
    { "has failed with a list", '{"error":["it broke"]}', "failed", "it broke" },
    { "has failed with true", '{"error":true}', "failed", "the service gave an error" },
    { "has failed with a number", '{"error":500}', "failed", "the service gave an error" },
    { "has failed with the text of an object", '{"error":"{\\"detail\\":\\"it broke\\"}"}', "failed", "it broke" },
    { "has failed with the text of an object without words", '{"error":"{\\"code\\":5}"}', "failed", '{"code":5}' },
    { "has failed with the text of a number", '{"error":"500"}', "failed", "500" },
    { "has failed with blanks around the text", '{"error":" it broke\\n"}', "failed", "it broke" },
    { "has failed with several", '{"error":["a",null,{"detail":"b"},"a",{}]}', "failed", "a; b" },
    { "has failed with messages of fields", '{"error":{"prompt":["Too long.","Odd."],"agent":["Not yours."]}}',
      "failed", "agent: Not yours.; prompt: Too long.; Odd." },
    { "has failed with content deep inside", '{"error":[[],{"a":{"b":[null,{"c":7}]}}]}', "failed",
      "the service gave an error" },
    { "has failed with a text that only begins like nothing", '{"error":"null pointer"}', "failed", "null pointer" },
    { "has failed with a long text of blanks and a word", '{"error":"' .. (" "):rep(100000) .. 'x"}', "failed", "x" },
  }
end)

describe("an empty error", function()
  for _, empty in ipairs {
    "null", '""', "false", "{}", "[]", '" "', '"\\t\\n "', '"null"', '"NULL"', '" None "', '"{}"', '"[]"', '"[null]"',
    '"\\"\\""', '"false"', "0", '"0"', "[null]", "[[],{}]", '[""," "]', '{"detail":null}', '{"detail":""}',
    '{"detail":"null","message":" "}', '{"detail":[],"code":null}', '{"code":0,"errors":[{}]}',
    '{"a":{"b":{"c":null}}}',
    '{"detail":{},"message":[null,""]}', '"{\\"detail\\":null}"',
  } do
    it("is ignored: " .. empty, function()
      local rest = ',"error":' .. empty
      assert.equal("running", (read(with_status("processing", rest))))
      assert.equal("pending", (read(with_status("queued", rest))))
      assert.equal("pending", (read(('{"error":%s}'):format(empty))))
      assert.equal("needs_input", (read(with_status("needs_input", rest))))
      assert.equal("protocol", (read(with_status("completed", rest))))
      assert.equal("succeeded", (read(with_status("completed", rest), {})))
      assert.equal("succeeded", (read(with_status("failure", ',"call_id":"c-1"' .. rest))))
      local state, _, message = read(with_status("failed", rest))
      assert.equal("failed", state)
      assert.equal("the service says: failed", message)
    end)
  end

  it("does not hide other messages", function()
    for rest, wanted in pairs {
      [',"error":{},"errors":["a","b"]'] = "a; b", [',"error":"null","error_message":"c"'] = "c",
      [',"errors":[]'] = "the service says: failed", [',"errors":{"agent":["Not yours."]}'] = "agent: Not yours.",
      [',"errors":[{"call_log_id":5,"error":{"detail":"No transcript."}},{"call_log_id":6,"error":null}]']
        = "No transcript.",
      [',"error":"Two failed.","errors":["a","Two failed."],"error_message":"c"'] = "Two failed.; a; c",
      [',"errors":"odd"'] = "odd", [',"error":[["a"],"b"],"errors":[["b",["a","c"]]]'] = "a; b; c",
    } do
      for _, kind in ipairs { KIND, {} } do
        local state, result, message = read(with_status("failed", rest), kind)
        assert.equal("failed", state)
        assert.equal(wanted, message)
        assert.equal("failed", result.status)
      end
    end
  end)
end)

describe("the result of a failure", function()
  it("is the output of the answer, or else the whole answer", function()
    for index, word in ipairs { "failed", "timed_out", "cancelled" } do
      local state, result = read(with_status(word, ',"output":{"issues":[1]},"total":3'))
      assert.equal(index == 3 and "cancelled" or "failed", state)
      assert.same({ issues = { 1 } }, result)
      for _, output in ipairs { "null", "{}", "[]", '["x"]', '"text"' } do
        state, result = read(with_status(word, ',"total":3,"output":' .. output))
        assert.equal(index == 3 and "cancelled" or "failed", state)
        assert.equal(3, result.total)
        assert.equal(word, result.status)
      end
    end
    local state, result = read '{"error":"it broke","total":3}'
    assert.equal("failed", state)
    assert.equal(3, result.total)
  end)
end)

describe("a status of success without output", function()
  for _, word in ipairs {
    "completed", "complete", "success", "succeeded", "done", "passed", "finished", "successful", "COMPLETED", "Success",
  } do
    it("is enough for a kind that promises none: " .. word, function()
      local state, result = read(with_status(" " .. word .. " ", ',"shine":3'), {})
      assert.equal("succeeded", state)
      assert.equal(3, result.shine)
    end)

    it("is an odd answer for a kind that promises one: " .. word, function()
      local state, result, message = read(with_status(word))
      assert.equal("protocol", state)
      assert.is_nil(result)
      assert.truthy(message:find(word:lower(), 1, true))
      assert.truthy(message:find("improved_prompt", 1, true))
    end)
  end
end)

describe("a status that means nothing to do", function()
  it("has a reason, and ignores an unusable output", function()
    for _, word in ipairs { "no_improvement", "Skipped-No-Failures", " exhausted " } do
      for _, rest in ipairs { "", ',"improved_prompt":""', ',"improved_prompt":5,"output":[]',
        ',"output":{"improved_prompt":[1]}' } do
        local state, result = read(with_status(word, rest))
        assert.equal("nothing_to_do", state)
        assert.is_nil(result.improved_prompt)
        assert.truthy(result.reason)
      end
    end
    local _, result = read(with_status("no_improvement", ',"error_message":" All well. ","error":{}'))
    assert.equal("All well.", result.reason)
  end)
end)

describe("a status that asks for input", function()
  for _, word in ipairs {
    "pending_clarification", "needs_clarification", "awaiting_user", "waiting_input", "PENDING_CLARIFICATION",
    "Needs input", "awaiting-user ",
  } do
    it("ends the wait: " .. word, function()
      local state, result, message = read(with_status(word))
      assert.equal("needs_input", state)
      assert.is_nil(result)
      assert.is_string(message)
    end)
  end
end)

describe("any other answer", function()
  local rows = {}
  for _, word in ipairs { "pending", "queued", "in_queue", "QUEUED", "In Queue", " in-queue" } do
    rows[#rows + 1] = { "is pending when it says " .. word, with_status(word), "pending" }
  end
  for _, word in ipairs {
    "processing", "running", "in_progress", "scaling_up", "evaluating", "never heard of", "complet", "not failed",
    "läuft", "failed!", "un passed", "time_out_soon", "stopping", "never-finished", "\\u00a0failed", "f ailed",
  } do
    rows[#rows + 1] = { "goes on when it says " .. word, with_status(word), "running" }
  end
  cases(rows)
  cases {
    { "goes on with no members", "{}", "pending" },
    { "goes on with a null status", '{"status":null,"output":null,"error":null}', "pending" },
    { "goes on with a number as status", '{"status":200}', "pending" },
    { "goes on with a boolean as status", '{"status":false}', "pending" },
    { "goes on with an object as status", '{"status":{"state":"failed"}}', "pending" },
    { "goes on with undocumented members", '{"state":"failed","percent":50}', "pending" },
  }

  it("goes on with an empty or blank status", function()
    for _, word in ipairs { "", " ", "\\t", " - " } do
      local state = read(with_status(word))
      assert.is_true(state == "pending" or state == "running")
    end
  end)

  it("is first compared with the kind's own status words", function()
    local kind = { statuses = { passed = "failed", timed_out = "running", polished = "succeeded" } }
    assert.equal("failed", (read(with_status "Passed", kind)))
    assert.equal("running", (read(with_status "timed-out", kind)))
    assert.equal("succeeded", (read(with_status " POLISHED ", kind)))
    assert.equal("failed", (read(with_status "expired", kind)))
  end)
end)

describe("an answer in the shape of a call log", function()
  for _, word in ipairs {
    "success", "failure", "reviewed_success", "reviewed_failure", "FAILURE", "Reviewed-Success",
  } do
    for _, member in ipairs {
      '"call_id":"c-1"', '"transcript":"Main Agent: hello"', '"transcript_object":[]', '"evaluation":{"metrics":[]}',
      '"voice_recording_url":"https://example.com/a.wav"',
    } do
      it(("has succeeded with %s and %s"):format(word, member), function()
        local state, result = read(with_status(word, ',"id":101,' .. member))
        assert.equal("succeeded", state)
        assert.equal(101, result.call_log.id)
        assert.equal(word, result.call_log.status)
        assert.is_nil(result.improved_prompt)
      end)
    end
  end

  it("keeps all fields in result.call_log", function()
    local _, result = read(with_status("success", ',"call_id":"c-1","brand_new":{"a":[1]},"nothing":null'))
    assert.same({ 1 }, result.call_log.brand_new.a)
    assert.is_nil(result.call_log.nothing)
  end)

  it("goes on while the call is evaluated", function()
    assert.equal("running", (read(with_status("evaluating", ',"call_id":"c-1","evaluation":null'))))
  end)

  it("goes on with a null or unknown status", function()
    assert.equal("pending", (read '{"status":null,"call_id":"c-1"}'))
    assert.equal("running", (read(with_status("transcribing", ',"call_id":"c-1"'))))
  end)

  it("is not assumed for a progress answer: a failure has failed, a success lacks its output", function()
    assert.equal("failed", (read(with_status("failure"))))
    assert.equal("protocol", (read(with_status("success"))))
    assert.equal("failed", (read(with_status("failure", ',"call_id":null,"transcript":null'))))
    assert.equal("failed", (read(with_status("failure", ',"call_id":"c-1","output":{}'))))
  end)

  it("is not assumed for a kind without call logs", function()
    assert.equal("failed", (read(with_status("failure", ',"call_id":"c-1"'), { output = "improved_prompt" })))
  end)

  it("has succeeded if it has an improved prompt", function()
    local _, result = read(with_status("failure", ',"call_id":"c-1","improved_prompt":"p"'))
    assert.equal("p", result.improved_prompt)
    assert.is_nil(result.call_log)
  end)
end)

describe("the progress of an answer", function()
  local function progress(text)
    return interpret.progress(KIND, decode(text))
  end

  it("has the service's status word unchanged", function()
    assert.equal("Processing", (progress '{"status":"Processing"}'))
  end)

  it("has no status word if the service sends none", function()
    for _, text in ipairs { "{}", '{"status":null}', '{"status":""}', '{"status":" "}', '{"status":7}',
      '{"status":{}}' } do
      assert.is_nil((progress(text)))
    end
  end)

  it("is a fraction if the service counts", function()
    local function fraction(text)
      return (select(2, progress(text)))
    end
    assert.equal(0, fraction '{"completed_count":0,"total":4}')
    assert.equal(0.25, fraction '{"completed_count":1,"total":4}')
    assert.equal(0.25, fraction '{"completed_count":"1","total":"4"}')
    assert.equal(1, fraction '{"completed_count":4,"total":4}')
    assert.equal(0.5, fraction '{"progress":0.5}')
    assert.equal(0.5, fraction '{"progress":"0.5"}')
  end)

  it("is always between 0 and 1", function()
    assert.equal(1, (select(2, progress '{"completed_count":9,"total":4}')))
    assert.equal(0, (select(2, progress '{"completed_count":-1,"total":4}')))
  end)

  it("is nil if the counters are missing or inconsistent", function()
    for _, text in ipairs {
      "{}", '{"completed_count":1}', '{"total":4}', '{"completed_count":0,"total":0}',
      '{"completed_count":1,"total":-4}', '{"completed_count":"x","total":"4"}', '{"completed_count":null,"total":4}',
      '{"completed_count":1e999,"total":1e999}', '{"completed_count":1,"total":"inf"}',
      '{"completed_count":"nan","total":4}', '{"completed_count":4,"total":"nan"}',
      '{"completed_count":"1e999","total":4}', '{"completed_count":"0x1","total":4}',
    } do
      assert.is_nil((select(2, progress(text))))
    end
  end)
end)

describe("the answer to a run of scenarios", function()
  local RESULT = kinds["results.run"]

  -- The state of an answer, the counts of its result, whether it passed, and its progress.
  local function counted(text)
    local object = decode(text)
    local state, result = interpret.read(RESULT, object)
    local _, fraction = interpret.progress(RESULT, object)
    result = result or {}
    return { state, result.total_runs_count, result.success_runs_count, result.failed_runs_count, result.passed,
      fraction }
  end

  local function with_counts(status, total, completed, success, failed, rest)
    return ('{"id":77,"status":"%s","total_runs_count":%s,"completed_runs_count":%s,"success_runs_count":%s,'
      .. '"failed_runs_count":%s%s}'):format(status, total, completed, success, failed, rest or "")
  end

  it("counts a failed run once: it is among the completed ones", function()
    assert.same({ "running", nil, nil, nil, nil, 0.5 }, counted(with_counts("running", 10, 5, 0, 5)))
    assert.same({ "running", nil, nil, nil, nil, 0.5 }, counted(with_counts("running", 10, 5, 3, 2)))
    assert.same({ "running", nil, nil, nil, nil, 0.5 }, counted(with_counts("evaluating", '"10"', '"5"', '"1"', '"4"')))
    -- One run timed out, which is neither a success nor a failure.
    assert.same({ "succeeded", 10, 5, 4, false, 0.9 }, counted(with_counts("completed", 10, 9, 5, 4)))
  end)

  it("has no progress from an incomplete list of runs", function()
    assert.is_nil(counted('{"status":"running","runs":{"1":{"status":"completed","success":true}}}')[6])
  end)

  it("does not end when all runs have been counted", function()
    assert.same({ "running", nil, nil, nil, nil, 1 }, counted(with_counts("evaluating", 4, 4, 4, 0)))
  end)

  it("passes by the service's rule", function()
    assert.same({ "succeeded", 4, 4, 0, true, 1 }, counted(with_counts("completed", 4, 4, 4, 0)))
    assert.same({ "succeeded", 4, 4, 0, true, 1 }, counted(with_counts("Completed ", '"4"', '"4"', '"4"', '"0"')))
    assert.same({ "succeeded", 4, 3, 1, false, 1 }, counted(with_counts("completed", 4, 4, 3, 1)))
    assert.same({ "failed", 4, 0, 0, false, 0 }, counted(with_counts("timeout", 4, 0, 0, 0)))
    assert.same({ "failed", 4, 0, 0, false, 0 }, counted(with_counts("failed", 4, 0, 0, 0)))
    assert.same({ "cancelled", 4, 1, 0, false, 0.25 }, counted(with_counts("cancelled", 4, 1, 1, 0)))
    assert.same({ "cancelled", 4, 4, 0, false, 1 }, counted(with_counts("cancelled", 4, 4, 4, 0)))
  end)

  it("has no verdict if no run is known", function()
    for _, status in ipairs { "completed", "failed", "cancelled" } do
      assert.is_nil(counted(with_counts(status, 0, 0, 0, 0))[5])
      assert.is_nil(counted(('{"status":"%s"}'):format(status))[5])
      assert.is_nil(counted(('{"status":"%s","runs":{}}'):format(status))[5])
    end
    assert.is_nil(counted('{"status":"completed","total_runs_count":4}')[5])
  end)

  it("is counted from its runs if it has no counts", function()
    local runs = [[{"1":{"status":"completed","success":true},"2":{"status":"completed","success":false},
      "3":{"status":"timeout","success":false},"4":{"status":"cancelled"},"5":{"success":true},"6":{"success":false},
      "7":{"success":null},"8":{"status":"failed","success":false},"9":{"status":"passed","success":true}}]]
    assert.same({ "succeeded", 9, 3, 2, false, 5 / 9 }, counted('{"status":"completed","runs":' .. runs .. "}"))
    assert.same({ "succeeded", 2, 2, 0, true, 1 },
      counted '{"status":"completed","runs":{"1":{"success":true},"2":{"success":true}}}')
    -- A list of runs, as other answers have it, beside a count of four.
    assert.same({ "succeeded", 2, 1, 1, false, 1 },
      counted '{"status":"completed","total_runs_count":2,"runs":[{"success":true},{"success":false}]}')
    -- The service's own counts have priority.
    assert.same({ "succeeded", 2, 2, 0, true, 1 }, counted(with_counts("completed", 2, 2, 2, 0,
      ',"runs":{"1":{"success":false}}')))
  end)

  it("lacks counts if runs are missing", function()
    for members, lacks in pairs {
      ['"runs":{"1":{"success":true}}'] = false, ['"total_runs_count":2,"runs":{"1":{"success":true}}'] = true,
      ['"runs":{}'] = true, ['"runs":[]'] = true, ['"id":77'] = true, ['"runs":5'] = true, ['"runs":[5]'] = true,
      ['"total_runs_count":2,"success_runs_count":1,"failed_runs_count":1'] = false,
      ['"total_runs_count":"x","success_runs_count":1,"failed_runs_count":1'] = true,
    } do
      for _, status in ipairs { "completed", "failed", "Timed out", "cancelled" } do
        assert.equal(lacks, interpret.lacks_counts(RESULT, decode(with_status(status, "," .. members))), members)
      end
    end
    assert.is_false(interpret.lacks_counts(KIND, {}))
    assert.is_false(interpret.lacks_counts(kinds["scenarios.generate"], {}))
  end)
end)

describe("the answer that previews a metric", function()
  local PREVIEW = kinds["metrics.preview"]

  it("ends when all are counted, even without a status", function()
    for _, word in ipairs { "", '"status":"processing",', '"status":"completed",' } do
      local state, result = read(('{%s"completed":2,"total":2,"results":[{"score":5},{"error":"x"}]}'):format(word),
        PREVIEW)
      assert.equal("succeeded", state)
      assert.equal(5, result.results[1].score)
      assert.equal(2, result.completed)
    end
    local object = decode '{"completed":1,"total":2,"results":[{"score":5}]}'
    assert.equal("pending", (interpret.read(PREVIEW, object)))
    assert.equal(0.5, (select(2, interpret.progress(PREVIEW, object))))
    assert.equal("pending", (read('{"completed":0,"total":0,"results":[]}', PREVIEW)))
    assert.equal("pending", (read('{"completed":null,"total":null}', PREVIEW)))
    assert.equal("succeeded", (read('{"status":"completed","completed":0,"total":0,"results":[]}', PREVIEW)))
  end)

  it("says why it failed", function()
    local state, result, message = read('{"status":"failed","completed":0,"total":2,"errors":["No credits."]}', PREVIEW)
    assert.equal("failed", state)
    assert.equal("No credits.", message)
    assert.equal(2, result.total)
  end)
end)

describe("the answer that runs reviews", function()
  local REVIEWS = kinds["metrics.run_reviews"]

  local function answered(total, completed, failed, rest)
    return ('{"total_reviews":%s,"completed_reviews":%s,"failed_reviews":%s%s}'):format(total, completed, failed,
      rest or "")
  end

  it("ends when all are counted, even without a status", function()
    local state, result = read(answered(3, 2, 1,
      ',"metric":{"id":5},"reviews_list":[1,2],"failed_reviews_list":[3],"output":[{"review_id":1,"actual_value":5}]'),
      REVIEWS)
    assert.equal("succeeded", state)
    assert.equal(1, result.output[1].review_id) -- a list cannot replace the whole result
    assert.equal(3, result.total_reviews)
    assert.equal(5, result.metric.id)
    local object = decode(answered(4, 1, 1, ',"output":[]'))
    assert.equal("pending", (interpret.read(REVIEWS, object)))
    assert.equal(0.5, (select(2, interpret.progress(REVIEWS, object))))
    assert.equal("pending", (read(answered(0, 0, 0, ',"output":null'), REVIEWS)))
  end)

  it("has failed if all reviews failed", function()
    local state, result, message = read(answered(2, 0, 2, ',"errors":[{"review_id":1,"error":"a"},"b"]'), REVIEWS)
    assert.equal("failed", state)
    assert.equal("all 2 failed: a; b", message)
    assert.equal(2, result.failed_reviews)
  end)
end)
