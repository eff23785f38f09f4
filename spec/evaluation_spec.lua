-- Whether a call log has a newer evaluation than before, in each situation that the service can cause.

local cekura = require "cekura"
local evaluation = require "cekura.records.evaluation"

local OLD, LATER, LATEST = "2026-07-15T08:06:44Z", "2026-07-15T09:00:00Z", "2026-07-15T09:01:30Z"

-- Metrics of the old evaluation, in the formats of v1, v2 and a row of a list, and those of a newer evaluation.
local V1 = [=[{"metrics":[{"id":31,"name":"Offered two slots","type":"binary_qualitative","score":5.0,
  "explanation":["a"]},{"id":32,"name":"Words","type":"numeric","score":120}]}]=]
local V2 = [=[{"metrics":[{"id":31,"name":"Offered two slots","eval_type":"binary","passed":true,"explanation":["a"]},
  {"id":32,"name":"Words","eval_type":"numeric","score":120}]}]=]
local TURNED = [=[{"metrics":[{"score":120.0,"name":"Words","id":32,"type":"numeric"},{"score":5,"id":31,
  "type":"binary_workflow_adherence","name":"Offered two slots"}]}]=]
local NEW = [=[{"metrics":[{"id":31,"name":"Offered two slots","eval_type":"binary","passed":false,"explanation":["b"]},
  {"id":32,"name":"Words","eval_type":"numeric","score":120}]}]=]
local NONE = '{"metrics":[]}'

-- A record with a status, a verdict, metrics and the time of its update. A nil member is missing.
local function record(status, success, metrics, updated_at)
  local members = { '"id":5' }
  members[#members + 1] = status and ('"status":"%s"'):format(status)
  members[#members + 1] = success and ('"success":' .. success)
  members[#members + 1] = metrics and ('"evaluation":' .. metrics)
  members[#members + 1] = updated_at and ('"updated_at":"%s"'):format(updated_at)
  return cekura.assert(cekura.call_log("{" .. table.concat(members, ",") .. "}"))
end

local function row_of(evaluated, updated_at)
  local metrics = evaluated:match '^{"metrics":(.*)}$'
  return cekura.assert(cekura.call_log(
    ('{"id":5,"status":"success","success":true,"metrics":%s,"updated_at":"%s"}'):format(metrics, updated_at)))
end

-- The mark of a record after it has been through a token: strings and a boolean.
local function mark_of(call)
  local mark = evaluation.mark(call)
  for _, name in ipairs { "updated_at", "sum" } do
    assert.is_true(mark[name] == nil or type(mark[name]) == "string")
  end
  assert.equal("boolean", type(mark.judged))
  return { updated_at = mark.updated_at, judged = mark.judged, sum = mark.sum }
end

describe("a newer evaluation:", function()
  local before = record("success", "true", V1, OLD)

  for _, row in ipairs {
    { "other metrics and a later update", before, record("failure", "false", NEW, LATER) },
    { "the same metrics and a later update", before, record("success", "true", V1, LATER) },
    { "the same metrics in the other format and a later update", before, record("success", "true", V2, LATER) },
    { "another verdict and a later update", before, record("failure", "false", V1, LATER) },
    { "an update a millisecond later", record("success", "true", V1, "2026-07-15T08:06:44.000Z"),
      record("success", "true", V1, "2026-07-15T08:06:44.001Z") },
    { "a later update in another time zone", before,
      record("success", "true", V1, "2026-07-15T10:06:45+02:00") },
    { "a verdict after the start had removed it", record("success", "null", V1, LATER),
      record("success", "true", V1, LATEST) },
    { "a verdict and metrics after the start had removed both", record("success", "null", NONE, LATER),
      record("failure", "false", NEW, LATEST) },
    { "any later update for an agent without metrics", record("success", "null", NONE, OLD),
      record("success", "null", NONE, LATER) },
    { "first metrics for an agent without metrics", record("success", "null", NONE, OLD),
      record("success", "true", V1, LATER) },
    { "other metrics of a reviewed record, which keeps its verdict",
      record("reviewed_success", "true", V1, OLD), record("reviewed_success", "true", NEW, LATER) },
    { "a later update of a reviewed record", record("reviewed_failure", "false", V1, OLD),
      record("reviewed_failure", "false", V1, LATER) },
    { "other metrics, without times", record("success", "true", V1),
      record("success", "true", NEW) },
    { "a new verdict, without times", record("success", "null", V1),
      record("success", "true", V1) },
    { "other metrics, with a time only before", before, record("success", "true", NEW) },
    { "other metrics, with a time only after", record("success", "true", V1),
      record("success", "true", NEW, LATER) },
    { "other metrics at the same time", before, record("failure", "false", NEW, OLD) },
    { "other metrics, with invalid times", record("success", "true", V1, "yesterday"),
      record("success", "true", NEW, "today") },
  } do
    it(row[1], function()
      assert.is_true(evaluation.is_newer(row[3], mark_of(row[2])))
      assert.is_false(evaluation.is_stale(row[3], mark_of(row[2])))
    end)
  end

  it("any evaluation, if there was none before", function()
    for _, success in ipairs { "true", "false", "null" } do
      assert.is_true(evaluation.is_newer(record("success", success, V1, OLD), nil))
      assert.is_true(evaluation.is_newer(record("success", success, NONE), nil))
    end
  end)
end)

describe("not a newer evaluation:", function()
  for _, row in ipairs {
    { "the same record", record("success", "true", V1, OLD), record("success", "true", V1, OLD), true },
    { "the same record in the other format", record("success", "true", V1, OLD),
      record("success", "true", V2, OLD), true },
    { "the same record with its members in another order", record("success", "true", V1, OLD),
      record("success", "true", TURNED, OLD), true },
    { "the record of a row, which has no explanations", row_of(V1, OLD), record("success", "true", V2, OLD), true },
    { "the record of a row without metrics", record("success", "true", nil, OLD), record("success", "true", V2, OLD),
      true },
    { "the record without its metrics", record("success", "true", V2, OLD), record("success", "true", nil, OLD), true },
    { "the same time in another zone", record("success", "true", V1, OLD),
      record("success", "true", V1, "2026-07-15T10:06:44.000+02:00"), true },
    { "an older record", record("success", "true", V1, LATER), record("success", "true", V1, OLD), true },
    { "an older record with other metrics, from a late webhook", record("failure", "false", NEW, LATER),
      record("success", "true", V1, OLD), true },
    { "an older record without a verdict", record("success", "true", V1, LATER), record("success", "null", NONE, OLD),
      true },
    { "the old metrics without a verdict, after a start", record("success", "true", V1, OLD),
      record("success", "null", V1, LATER) },
    { "the old metrics without a verdict in the other format, after a start",
      record("success", "true", V1, OLD), record("success", "null", V2, LATER) },
    { "no metrics, after a start", record("success", "true", V1, OLD),
      record("success", "null", NONE, LATER) },
    { "no evaluation, after a start", record("failure", "false", V1, OLD),
      record("failure", "null", "null", LATER) },
    { "the same record of an agent without metrics", record("success", "null", NONE, OLD),
      record("success", "null", NONE, OLD), true },
    { "the same reviewed record", record("reviewed_success", "true", V1, OLD),
      record("reviewed_success", "true", V1, OLD), true },
    { "the same metrics, without times", record("success", "true", V1),
      record("success", "true", V2) },
    { "a removed verdict, without times", record("success", "true", V1),
      record("success", "null", V1) },
    { "the same metrics, with a time only after", record("success", "true", V1),
      record("success", "true", V1, LATER) },
    { "the same metrics, with a time only before", record("success", "true", V1, OLD),
      record("success", "true", V1) },
    { "the same metrics, with invalid times", record("success", "true", V1, "yesterday"),
      record("success", "true", V1, "today") },
    { "the same metrics, with a time of another type", record("success", "true", V1, "1"),
      cekura.call_log('{"status":"success","success":true,"evaluation":' .. V1 .. ',"updated_at":1789000000}') },
  } do
    it(row[1], function()
      assert.is_false(evaluation.is_newer(row[3], mark_of(row[2])))
      -- Whether this is certain, so that even a webhook about the end is ignored.
      assert.equal(row[4] or false, evaluation.is_stale(row[3], mark_of(row[2])))
    end)
  end
end)

describe("the mark of a record", function()
  it("is nil while its evaluation goes on", function()
    for _, status in ipairs { "evaluating", "pending", "a word of tomorrow" } do
      assert.is_nil(evaluation.mark(record(status, "null", NONE, OLD)))
      assert.is_nil(evaluation.mark(record(status, "true", V1, OLD)))
    end
    assert.is_nil(evaluation.mark(cekura.call_log "{}"))
  end)

  it("raises for no type of any field", function()
    local good = mark_of(record("success", "true", V1, OLD))
    for _, value in ipairs { "null", "5", "true", '"x"', "[]", "{}", '{"metrics":5}', '{"metrics":[5,null,{}]}',
      '{"metrics":[{"id":null,"name":{},"score":"x","value":[],"passed":{}}]}' } do
      for _, name in ipairs { "updated_at", "evaluation", "metrics", "success" } do
        local call = cekura.call_log(('{"status":"success","%s":%s}'):format(name, value))
        local mark = evaluation.mark(call)
        assert.is_boolean(evaluation.is_newer(call, good))
        assert.is_boolean(evaluation.is_stale(call, good))
        assert.is_false(evaluation.is_newer(call, mark), name .. " " .. value)
      end
    end
  end)
end)

describe("an evaluation from start to end", function()
  -- The record at each poll. Only the last has a newer evaluation.
  for _, row in ipairs {
    { "that was started again", record("success", "true", V1, OLD),
      { record("success", "true", V1, OLD), record("success", "null", V1, LATER),
        record("success", "null", V1, LATER), record("success", "true", V1, LATEST) } },
    { "that clears the record before its status changes", record("failure", "false", V1, OLD),
      { record("failure", "false", V1, OLD), record("failure", "null", NONE, LATER),
        record("success", "true", NEW, LATEST) } },
    { "of single metrics, which keeps the verdict", row_of(V1, OLD),
      { record("success", "true", V2, OLD), record("success", "true", V2, OLD),
        record("failure", "false", NEW, LATER) } },
    { "whose mark was taken after its start", record("success", "null", V1, LATER),
      { record("success", "null", V2, LATER), record("success", "null", V2, LATER),
        record("success", "true", V2, LATEST) } },
    { "of an agent without metrics", record("success", "null", NONE, LATER),
      { record("success", "null", NONE, LATER), record("success", "null", NONE, LATEST) } },
  } do
    it(row[1] .. " ends with its last answer", function()
      local mark = mark_of(row[2])
      for place, call in ipairs(row[3]) do
        assert.equal(place == #row[3], evaluation.is_newer(call, mark))
      end
    end)
  end
end)
