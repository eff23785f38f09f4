-- Metrics of an evaluation: the service has two formats, which read the same.

local cekura = require "cekura"

-- The documented fields of a metric.
local MEMBERS = { "id", "name", "type", "score", "value", "passed", "explanation", "extra" }

local function record(json)
  return cekura.assert(cekura.call_log(json))
end

local function metrics_of(call)
  local found = {}
  for metric in call:metrics() do
    found[#found + 1] = metric
  end
  return found
end

-- The documented fields of each metric in the list.
local function read(list)
  local found = {}
  for place, metric in ipairs(metrics_of(record(('{"evaluation":{"metrics":[%s]}}'):format(list)))) do
    found[place] = {}
    for _, name in ipairs(MEMBERS) do
      found[place][name] = metric[name]
    end
  end
  return found
end

describe("both formats read the same:", function()
  for _, row in ipairs {
    { "a metric that passed", '"type":"binary_qualitative","score":5', '"eval_type":"binary","passed":true',
      { type = "binary", score = 5, passed = true } },
    { "a metric that failed", '"type":"binary_qualitative","score":0', '"eval_type":"binary","passed":false',
      { type = "binary", score = 0, passed = false } },
    { "a workflow metric that passed", '"type":"binary_workflow_adherence","score":5',
      '"eval_type":"binary","passed":true',
      { type = "binary", score = 5, passed = true } },
    { "a workflow metric that failed", '"type":"binary_workflow_adherence","score":0.0',
      '"eval_type":"binary","passed":false', { type = "binary", score = 0, passed = false } },
    { "a score with a fraction of zero", '"type":"binary_qualitative","score":5.0',
      '"eval_type":"binary","passed":true',
      { type = "binary", score = 5, passed = true } },
    { "a metric that does not apply", '"type":"binary_qualitative","score":null', '"eval_type":"binary","passed":null',
      { type = "binary" } },
    { "a metric without a score", '"type":"binary_workflow_adherence"', '"eval_type":"binary"', { type = "binary" } },
    { "a score beside the verdict", '"type":"binary_qualitative","score":5,"passed":true',
      '"eval_type":"binary","passed":true,"score":5', { type = "binary", score = 5, passed = true } },
    { "both names of the type", '"type":"binary_qualitative","eval_type":"binary_qualitative","score":5',
      '"type":"binary_qualitative","eval_type":"binary","passed":true', { type = "binary", score = 5, passed = true } },
    { "both types of a metric", '"type":"llm_judge","eval_type":"binary_qualitative","score":0',
      '"type":"llm_judge","eval_type":"binary","passed":false', { type = "binary", score = 0, passed = false } },
    { "the new type with the old score", '"type":"binary","score":5', '"eval_type":"binary","score":5',
      { type = "binary", score = 5, passed = true } },
    { "a score between the verdicts", '"type":"binary_qualitative","score":2.5', '"eval_type":"binary","score":2.5',
      { type = "binary", score = 2.5 } },
    { "an enum", '"type":"enum","enum":"booked"', '"eval_type":"enum","value":"booked"',
      { type = "enum", value = "booked" } },
    { "an enum under both names", '"type":"enum","enum":"booked","value":"booked","score":null',
      '"eval_type":"enum","value":"booked","enum":null', { type = "enum", value = "booked" } },
    { "a number", '"type":"numeric","score":5', '"eval_type":"numeric","score":5', { type = "numeric", score = 5 } },
    { "a number of zero", '"type":"numeric","score":0', '"eval_type":"numeric","score":0',
      { type = "numeric", score = 0 } },
    { "a rating", '"type":"continuous_qualitative","score":3.5', '"eval_type":"continuous_qualitative","score":3.5',
      { type = "continuous_qualitative", score = 3.5 } },
    { "an unknown type", '"type":"binary_of_tomorrow","score":5', '"eval_type":"binary_of_tomorrow","score":5',
      { type = "binary_of_tomorrow", score = 5 } },
    { "a type in another spelling", '"type":"Binary Qualitative","score":5', '"eval_type":" BINARY","passed":true',
      { type = "binary", score = 5, passed = true } },
    { "a verdict with blanks", '"eval_type":"binary","passed":" true "', '"eval_type":"binary","passed":"TRUE\\n"',
      { type = "binary", score = 5, passed = true } },
    { "no type", '"score":5', '"score":5,"eval_type":null', { score = 5 } },
  } do
    it(row[1], function()
      local wanted = row[4]
      wanted.id, wanted.name, wanted.explanation = 61, "Asked for the insurance", { "He did.", "Twice." }
      wanted.extra = { trigger_failed = false,
        categories = { { category_id = 1, deviation = "low" }, { deviation = 2 } } }
      local both = {}
      for place = 2, 3 do
        both[place - 1] = '{"id":61,"name":"Asked for the insurance","explanation":["He did.","Twice."],"extra":'
          .. '{"trigger_failed":false,"categories":[{"category_id":1,"deviation":"low"},{"deviation":2}]},'
          .. row[place] .. "}"
      end
      local old, new = read(both[1]), read(both[2])
      assert.same({ wanted }, old)
      assert.same(old, new)
      assert.equal(tostring(old[1].score), tostring(new[1].score)) -- 5, not 5.0
      -- One record with both formats, as webhooks have.
      assert.same({ wanted, wanted }, read(both[1] .. "," .. both[2]))
    end)
  end
end)

describe("the verdict of a metric", function()
  it("is only made from a valid value", function()
    for _, json in ipairs {
      '"score":"five"', '"score":true', '"score":[]', '"score":1', '"score":-5', '"score":50',
      '"score":99999999999999999999',
      '"score":null', '"passed":null', '"passed":"yes"', '"passed":""', '"passed":1', '"passed":0', '"passed":[]',
    } do
      for _, kind in ipairs { '"type":"binary_qualitative"', '"eval_type":"binary"' } do
        assert.is_nil(read(("{%s,%s}"):format(kind, json))[1].passed, json)
      end
    end
  end)

  it("and its numbers may be strings", function()
    for json, wanted in pairs {
      ['"score":"5"'] = { score = 5, passed = true }, ['"score":"5.0"'] = { score = 5, passed = true },
      ['"score":"0"'] = { score = 0, passed = false }, ['"score":"2.5"'] = { score = 2.5 },
      ['"passed":"true"'] = { score = 5, passed = true }, ['"passed":"False"'] = { score = 0, passed = false },
      ['"score":"N/A","passed":"TRUE"'] = { score = "N/A", passed = true }, ['"score":"0x5"'] = { score = "0x5" },
    } do
      for _, kind in ipairs { '"type":"binary_qualitative"', '"eval_type":"binary"' } do
        local found = read(('{"id":"501",%s,%s}'):format(kind, json))[1]
        assert.equal(501, found.id)
        assert.equal(wanted.score, found.score, json)
        assert.equal(wanted.passed, found.passed, json)
      end
    end
    local numeric = read('{"id":"m-1","type":"numeric","score":"87.5","passed":"maybe"}')[1]
    assert.equal("m-1", numeric.id)
    assert.equal(87.5, numeric.score)
    assert.is_nil(numeric.passed)
    local call = cekura.call_log '{"metrics":[{"id":"501","score":"5"}]}'
    assert.equal(5, call:metric(501).score)
    assert.equal("5", call:get("metrics")[1].score) -- the field itself is unchanged
  end)

  it("is nil if the metric has none", function()
    for _, kind in ipairs { "numeric", "continuous_qualitative", "enum", "rating", "" } do
      for _, score in ipairs { 0, 5 } do
        assert.is_nil(read(('{"type":"%s","score":%d}'):format(kind, score))[1].passed)
      end
    end
  end)

  it("from the service is kept, whatever the type of the metric is", function()
    assert.is_true(read('{"type":"numeric","score":3,"passed":true}')[1].passed)
    assert.is_false(read('{"passed":false}')[1].passed)
  end)

  it("does not change a score that contradicts it", function()
    assert.equal(2.5, read('{"eval_type":"binary","passed":true,"score":2.5}')[1].score)
    assert.equal(0, read('{"eval_type":"binary","passed":true,"score":0}')[1].score)
  end)

  it("is not a score if it is invalid", function()
    for _, passed in ipairs { '"yes"', '""', "1", "0", "[]", "{}", "null" } do
      assert.is_nil(read(('{"eval_type":"binary","passed":%s}'):format(passed))[1].score, passed)
    end
    assert.is_nil(read('{"eval_type":"numeric","passed":true}')[1].score)
  end)
end)

describe("the explanation of a metric is a list of strings:", function()
  for json, wanted in pairs {
    ['["One.","Two."]'] = { "One.", "Two." }, ['["One."]'] = { "One." }, ['"One."'] = { "One." }, ["[]"] = {},
    ['""'] = {}, ["null"] = {}, ["5"] = {}, ["true"] = {}, ["{}"] = {}, ['{"text":"One."}'] = {},
    ['[null,"One.",5,["x"],{"a":"b"},null,"Two.",false]'] = { "One.", "Two." }, ['"One.\\nTwo."'] = { "One.\nTwo." },
  } do
    it(json, function()
      assert.same(wanted, read(('{"id":1,"explanation":%s}'):format(json))[1].explanation)
    end)
  end

  it("if it is missing", function()
    assert.same({}, read('{"id":1}')[1].explanation)
  end)
end)

describe("the metrics of a record are found:", function()
  local ONE, TWO = '{"id":1,"name":"one"}', '{"id":2,"name":"two"}'

  for _, row in ipairs {
    { "in the evaluation", '{"evaluation":{"metrics":[' .. ONE .. "," .. TWO .. "]}}", "one two" },
    { "in an evaluation that is JSON text, as in the schema of a row",
      [[{"evaluation":"{\"metrics\":[{\"id\":1,\"name\":\"one\"}]}"}]], "one" },
    { "in the row", '{"metrics":[' .. ONE .. "," .. TWO .. "]}", "one two" },
    { "in the evaluation rather than in the row, because it has the explanations",
      '{"metrics":[' .. ONE .. '],"evaluation":{"metrics":[' .. TWO .. "]}}", "two" },
    { "in the row, if the evaluation has none", '{"metrics":[' .. ONE .. '],"evaluation":{"metrics":[]}}', "one" },
    { "in the row, if the evaluation is null", '{"metrics":[' .. ONE .. '],"evaluation":null}', "one" },
    { "in the row, if the evaluation is a string", '{"metrics":[' .. ONE .. '],"evaluation":"done"}', "one" },
    { "in the row, if the evaluation is of another type", '{"metrics":[' .. ONE .. '],"evaluation":[5]}', "one" },
    { "in the row, if the evaluation has null", '{"metrics":[' .. ONE .. '],"evaluation":{"metrics":null}}', "one" },
    { "nowhere, while the evaluation runs", '{"status":"evaluating","evaluation":{"metrics":[]},"metrics":[]}', "" },
    { "nowhere, in an empty record", "{}", "" },
    { "nowhere, if both are null", '{"evaluation":null,"metrics":null}', "" },
    { "among other values", '{"metrics":[null,5,"one",true,[],[{"id":3,"name":"x"}],' .. ONE .. ",null]}", "one" },
  } do
    it(row[1], function()
      local names = {}
      for place, metric in ipairs(metrics_of(record(row[2]))) do
        names[place] = tostring(metric.name)
      end
      assert.equal(row[3], table.concat(names, " "))
    end)
  end

  it("values of any other type raise no error and are not metrics", function()
    for _, value in ipairs { "5", "true", '"x"', '"{"', '"[]"', "[]", "{}", "[[]]", '{"metrics":5}', '{"metrics":"x"}',
      '{"metrics":{"a":1}}', '{"metrics":[[]]}', '[null]', '"null"', '"[{]"' } do
      for _, name in ipairs { "evaluation", "metrics" } do
        assert.same({}, metrics_of(record(('{"%s":%s}'):format(name, value))), value)
      end
    end
  end)
end)

describe("a metric from metric()", function()
  local call = record [[{"evaluation":{"metrics":[
    {"id":31,"name":"Offered two slots","type":"binary_qualitative","score":5},
    {"id":32,"name":"31","type":"numeric","score":1},
    {"id":33,"name":"Offered two slots","type":"numeric","score":2},
    {"id":9007199254740993,"name":null},
    {"id":"m-5","name":"Höflichkeit"},
    {"name":"without an id"}]}}]]

  it("is found by its name; the first one counts", function()
    assert.equal(31, call:metric("Offered two slots").id)
    assert.is_true(call:metric("Offered two slots").passed)
    assert.equal("m-5", call:metric("Höflichkeit").id)
    assert.same({}, call:metric("without an id").explanation)
  end)

  it("is found by its id", function()
    assert.equal("Offered two slots", call:metric(31).name)
    assert.equal(2, call:metric(33).score)
    assert.equal("Höflichkeit", call:metric("m-5").name)
  end)

  it("is not found by the id as a string, nor by a name that is a number", function()
    assert.equal(32, call:metric("31").id)
    assert.is_nil(call:metric("33"))
  end)

  it("is nil if no metric matches", function()
    for _, wanted in ipairs { 5, "x", "offered two slots", " Offered two slots" } do
      assert.is_nil(call:metric(wanted))
      assert.is_nil(record("{}"):metric(wanted))
    end
  end)
end)

describe("a metric", function()
  it("has its undocumented fields", function()
    local metric = record([[{"metrics":[{"id":1,"vocera_defined_metric_code":"latency","function_name":null,
      "score_normalized":0.8,"extra":{"categories":[]},"tomorrow":{"a":[1]}}]}]]):metrics()()
    assert.equal("latency", metric.vocera_defined_metric_code)
    assert.is_nil(metric.function_name)
    assert.equal(0.8, metric.score_normalized)
    assert.same({ categories = {} }, metric.extra)
    assert.equal(1, metric.tomorrow.a[1])
  end)

  it("is a copy: changing it changes neither the record nor the next loop", function()
    local call = record [[{"evaluation":{"metrics":[
      {"id":1,"type":"binary_qualitative","score":5,"explanation":["a"]}]}}]]
    local metric = call:metrics()()
    metric.score, metric.passed, metric.explanation[1] = 0, false, "b"
    assert.equal(5, call:metric(1).score)
    assert.is_true(call:metric(1).passed)
    assert.same({ "a" }, call:metric(1).explanation)
    local raw = call:get("evaluation").metrics[1]
    assert.same({ id = 1, type = "binary_qualitative", score = 5, explanation = { "a" } }, raw)
  end)

  it("has numbers as exact as those of the record", function()
    local metric = record('{"metrics":[{"id":18446744073709551616,"type":"numeric","score":0.1}]}'):metrics()()
    assert.equal("18446744073709551616", metric.id)
    assert.equal(0.1, metric.score)
  end)
end)
