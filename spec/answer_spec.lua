-- What a job's answer means: the decision order, as a table of cases. Answers are given as the JSON
-- that the service would send.

local answer = require "cekura.answer"
local core = require "cekura.core"

local KIND = { output = "improved_prompt", healthy = { "no issues" }, call_log = true }
local OUTPUT = '{"improved_prompt":"Be kind.","summary_of_changes":"kinder"}'

local function decode(text)
  local object = assert(core.decode(text))
  return object
end

local function read(text, kind)
  return answer.read(kind or KIND, decode(text))
end

-- An answer with that status; `rest` is further members, with a leading comma.
local function with_status(word, rest)
  return ('{"status":"%s"%s}'):format(word, rest or "")
end

-- Each row: what is true, the answer, the state; and the message, if it is told.
local function cases(rows)
  for _, row in ipairs(rows) do
    it(row[1], function()
      local state, result, message = read(row[2])
      assert.equal(row[3], state)
      if row[4] then
        assert.equal(row[4], message)
      end
      if state ~= "succeeded" and state ~= "nothing_to_do" then
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
    it(("has succeeded, though its status is %q"):format(word), function()
      local state, result = read(with_status(word, ',"output":' .. OUTPUT))
      assert.equal("succeeded", state)
      assert.equal("Be kind.", result.improved_prompt)
      assert.equal("kinder", result.summary_of_changes)
    end)
  end

  it("has succeeded without any status", function()
    assert.equal("succeeded", (read('{"output":' .. OUTPUT .. "}")))
    assert.equal("succeeded", (read('{"status":null,"output":' .. OUTPUT .. "}")))
  end)

  it("has succeeded, whatever its error says", function()
    for _, text in ipairs { '"it broke"', '"No issues found"', '{"detail":"it broke"}', "true" } do
      local state, result = read(with_status("failed", ',"error":' .. text .. ',"output":' .. OUTPUT))
      assert.equal("succeeded", state)
      assert.equal("Be kind.", result.improved_prompt)
      assert.is_nil(result.reason)
    end
  end)

  it("keeps the members that nobody documented", function()
    local _, result = read [[{"status":"completed","output":{"improved_prompt":"p","summary_of_changes":null,
      "score":3,"tags":["a",null,{"deep":[1,2]}],"nested":{"more":true}}}]]
    assert.equal(3, result.score)
    assert.equal("a", result.tags[1])
    assert.same({ 1, 2 }, result.tags[3].deep)
    assert.is_true(result.nested.more)
    assert.is_nil(result.summary_of_changes)
  end)

  it("may carry it inline, beside the status", function()
    local state, result = read(with_status("completed", ',"improved_prompt":"Be kind.","extra":{"a":1}'))
    assert.equal("succeeded", state)
    assert.equal("Be kind.", result.improved_prompt)
    assert.equal(1, result.extra.a)
  end)

  it("may carry it inline beside an output that is of no use", function()
    for _, output in ipairs { "null", "false", '"text"', "[]", "{}" } do
      local state, result = read('{"improved_prompt":"Be kind.","output":' .. output .. "}")
      assert.equal("succeeded", state)
      assert.equal("Be kind.", result.improved_prompt)
    end
  end)

  it("prefers the output to what is inline", function()
    local _, result = read('{"improved_prompt":"inline","output":{"improved_prompt":"inside"}}')
    assert.equal("inside", result.improved_prompt)
  end)

  it("gives a result that is apart from the answer", function()
    local object = decode('{"output":' .. OUTPUT .. "}")
    local _, result = answer.read(KIND, object)
    result.improved_prompt = "changed"
    assert.equal("Be kind.", object.output.improved_prompt)
  end)
end)

describe("an output that is not usable", function()
  for _, output in ipairs {
    "null", "false", "true", "0", '""', '"some text"', "[]", '["improved_prompt"]', "{}", '{"improved_prompt":null}',
    '{"improved_prompt":""}', '{"improved_prompt":5}', '{"improved_prompt":["p"]}', '{"summary_of_changes":"s"}',
  } do
    it(("lets the job go on while it is worked on: %s"):format(output), function()
      assert.equal("running", (read(with_status("processing", ',"output":' .. output))))
    end)

    it(("contradicts a word of success: %s"):format(output), function()
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
    it(("had nothing to do, though its status is %q"):format(word), function()
      local state, result = read(with_status(word, ',"output":null,"error":"No issues found"'))
      assert.equal("nothing_to_do", state)
      assert.equal("No issues found", result.reason)
      assert.is_nil(result.improved_prompt)
    end)
  end

  it("had nothing to do without any status", function()
    assert.equal("nothing_to_do", (read '{"status":null,"error":"No issues found"}'))
    assert.equal("nothing_to_do", (read '{"error":"No issues found"}'))
  end)

  it("is known however the words are written, wherever they stand", function()
    for _, text in ipairs {
      "no issues", "NO ISSUES FOUND.", "Checked 3 calls: no issues, nothing to improve", "There were no issues",
      "(no issues)",
    } do
      local state, result = read(('{"error":"%s"}'):format(text))
      assert.equal("nothing_to_do", state)
      assert.equal(text, result.reason)
    end
  end)

  it("is known when the error is an object", function()
    for _, member in ipairs { "detail", "message" } do
      local state, result = read(('{"status":"failed","error":{"%s":"No issues found"}}'):format(member))
      assert.equal("nothing_to_do", state)
      assert.equal("No issues found", result.reason)
    end
  end)

  it("is not read out of words that only look alike", function()
    for _, text in ipairs { "casino issues", "no issuesx", "issues: no", "noissues", "tyranno issues" } do
      assert.equal("failed", (read(('{"error":"%s"}'):format(text))))
    end
  end)

  it("is a failure for a kind that knows no healthy error", function()
    local state, _, message = read('{"status":"completed","error":"No issues found"}', { output = "improved_prompt" })
    assert.equal("failed", state)
    assert.equal("No issues found", message)
  end)
end)

describe("an answer without usable output", function()
  local rows = {}
  for _, word in ipairs { "failed", "failure", "error", "timeout", "FAILED", "Error", "TimeOut" } do
    rows[#rows + 1] = { "has failed when it says " .. word, with_status(word), "failed",
      "the service says: " .. word:lower() }
    rows[#rows + 1] = { "tells the error that comes with " .. word, with_status(word, ',"error":"out of credits"'),
      "failed", "out of credits" }
  end
  for _, word in ipairs { "cancelled", "canceled", "CANCELLED", "Canceled" } do
    rows[#rows + 1] = { "was cancelled when it says " .. word, with_status(word), "cancelled",
      "the service says: " .. word:lower() }
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
    { "tells an object's detail", '{"error":{"detail":"it broke","code":5}}', "failed", "it broke" },
    { "tells an object's message", '{"error":{"message":"it broke"}}', "failed", "it broke" },
    { "has failed with an object that tells nothing", '{"error":{"code":5}}', "failed", "the service gave an error" },
    { "has failed with an object whose detail is no text", '{"error":{"detail":["a"]}}', "failed",
      "the service gave an error" },
    { "has failed with a list", '{"error":["it broke"]}', "failed" },
    { "has failed with true", '{"error":true}', "failed", "the service gave an error" },
  }
end)

describe("an error that is not set", function()
  for _, unset in ipairs { "null", '""', "false" } do
    it("lets the job go on: " .. unset, function()
      assert.equal("running", (read(with_status("processing", ',"error":' .. unset))))
      assert.equal("protocol", (read(with_status("completed", ',"error":' .. unset))))
    end)
  end
end)

describe("a word of success without output", function()
  for _, word in ipairs { "completed", "complete", "success", "succeeded", "done", "COMPLETED", "Success" } do
    it("breaks the promise: " .. word, function()
      local state, result, message = read(with_status(word))
      assert.equal("protocol", state)
      assert.is_nil(result)
      assert.truthy(message:find(word:lower(), 1, true))
      assert.truthy(message:find("improved_prompt", 1, true))
    end)
  end
end)

describe("a word that asks for input", function()
  for _, word in ipairs {
    "pending_clarification", "needs_clarification", "awaiting_user", "waiting_input", "PENDING_CLARIFICATION",
  } do
    it("stops the wait: " .. word, function()
      local state, result, message = read(with_status(word))
      assert.equal("needs_input", state)
      assert.is_nil(result)
      assert.is_string(message)
    end)
  end
end)

describe("any other answer", function()
  local rows = {}
  for _, word in ipairs { "pending", "queued", "in_queue", "QUEUED" } do
    rows[#rows + 1] = { "is pending when it says " .. word, with_status(word), "pending" }
  end
  for _, word in ipairs {
    "processing", "running", "in_progress", "scaling_up", "evaluating", "never heard of", "complet", "not failed",
    "läuft",
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
    { "goes on with members that nobody documented", '{"state":"failed","percent":50}', "pending" },
  }

  it("goes on with an empty status", function()
    local state = read '{"status":""}'
    assert.is_true(state == "pending" or state == "running")
  end)
end)

describe("an answer in the shape of a call log", function()
  for _, word in ipairs { "success", "failure", "reviewed_success", "reviewed_failure", "FAILURE" } do
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

  it("keeps every field in result.call_log", function()
    local _, result = read(with_status("success", ',"call_id":"c-1","brand_new":{"a":[1]},"nothing":null'))
    assert.same({ 1 }, result.call_log.brand_new.a)
    assert.is_nil(result.call_log.nothing)
  end)

  it("goes on while it is evaluated", function()
    assert.equal("running", (read(with_status("evaluating", ',"call_id":"c-1","evaluation":null'))))
  end)

  it("goes on with a null status, or one that nobody knows", function()
    assert.equal("pending", (read '{"status":null,"call_id":"c-1"}'))
    assert.equal("running", (read(with_status("transcribing", ',"call_id":"c-1"'))))
  end)

  it("is not seen in a progress answer: failure has failed, success has nothing to show", function()
    assert.equal("failed", (read(with_status("failure"))))
    assert.equal("protocol", (read(with_status("success"))))
    assert.equal("failed", (read(with_status("failure", ',"call_id":null,"transcript":null'))))
    assert.equal("failed", (read(with_status("failure", ',"call_id":"c-1","output":{}'))))
  end)

  it("is not looked for in a kind that has none", function()
    assert.equal("failed", (read(with_status("failure", ',"call_id":"c-1"'), { output = "improved_prompt" })))
  end)

  it("has succeeded with an improved prompt, if it holds one", function()
    local _, result = read(with_status("failure", ',"call_id":"c-1","improved_prompt":"p"'))
    assert.equal("p", result.improved_prompt)
    assert.is_nil(result.call_log)
  end)
end)

describe("the progress of an answer", function()
  local function progress(text)
    return answer.progress(KIND, decode(text))
  end

  it("is the service's own word, as it is written", function()
    assert.equal("Processing", (progress '{"status":"Processing"}'))
  end)

  it("has no word where the service tells none", function()
    for _, text in ipairs { "{}", '{"status":null}', '{"status":""}', '{"status":7}', '{"status":{}}' } do
      assert.is_nil((progress(text)))
    end
  end)

  it("is a fraction where the service counts", function()
    local function fraction(text)
      return (select(2, progress(text)))
    end
    assert.equal(0, fraction '{"completed_count":0,"total":4}')
    assert.equal(0.25, fraction '{"completed_count":1,"total":4}')
    assert.equal(0.25, fraction '{"completed_count":"1","total":"4"}')
    assert.equal(1, fraction '{"completed_count":4,"total":4}')
  end)

  it("never leaves 0 to 1", function()
    assert.equal(1, (select(2, progress '{"completed_count":9,"total":4}')))
    assert.equal(0, (select(2, progress '{"completed_count":-1,"total":4}')))
  end)

  it("is nil where the counters are missing, or make no sense", function()
    for _, text in ipairs {
      "{}", '{"completed_count":1}', '{"total":4}', '{"completed_count":0,"total":0}',
      '{"completed_count":1,"total":-4}', '{"completed_count":"x","total":"4"}', '{"completed_count":null,"total":4}',
      '{"completed_count":1e999,"total":1e999}', '{"completed_count":1,"total":"inf"}',
      '{"completed_count":"nan","total":4}', '{"completed_count":4,"total":"nan"}',
      '{"completed_count":"1e999","total":4}',
    } do
      assert.is_nil((select(2, progress(text))))
    end
  end)
end)
