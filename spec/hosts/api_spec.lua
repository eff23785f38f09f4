--- Every operation and kind of job against an independent judge: Stoplight Prism, a mock server that is made from the
-- official OpenAPI document and checks each request by it. `make check-api` runs this.

local arguments = require "spec.support.operation_arguments"
local cekura = require "cekura"
local endpoint = require "cekura.http.endpoint"
local faults = require "spec.api.faults"
local file = require "spec.support.file"
local kind_cases = require "spec.support.kind_cases"
local kinds = require "cekura.api.kinds"
local npm = require "spec.support.npm"
local operations = require "cekura.api.operations"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.sorted_keys"

local FOLDER = "build/prism"
local UUID = "5f0c1d2e-0000-4000-8000-000000000001"
local DOCUMENT = shell("realpath spec/api/openapi.json"):match "%S+"

-- The violations in a part of Prism's log.
local function violations_in(log)
  local found = {}
  for line in log:gsub("\27%[[%d;]*m", ""):gmatch "[^\n]+" do
    local violation = line:match "%[VALIDATOR%].-error%s+(.-)%s*$"
    if violation and not violation:find "^Violation: response" then -- that is about its own answer
      found[#found + 1] = violation
    end
  end
  return found
end

describe("by the official document,", function()
  local prism, client
  local driven, violated, named = 0, 0, 0

  setup(function()
    npm.install("spec/api", FOLDER)
    local port = process.free_port()
    local program = shell(("realpath %s/node_modules/.bin/prism"):format(FOLDER)):match "%S+"
    prism = process.start(("%s mock -h 127.0.0.1 -p %d %s"):format(program, port, DOCUMENT), function(self)
      return self:output():find("Prism is listening", 1, true)
    end)
    client = cekura.assert(cekura.new { api_key = "any", base_url = "http://127.0.0.1:" .. port, config_file = false,
      retries = 0 })
  end)
  teardown(function()
    client:close()
    prism:stop()
    print(("# check-api: %d requests driven, %d violations, %d of them faults of the document"):format(driven, violated,
      named))
  end)

  -- Calls the function. Fails if Prism found a violation in a request of it that is not named in spec/api/faults.lua.
  local function judge(what, fn)
    local before, log = #prism:output(), nil
    driven = driven + 1
    local results = { fn() }
    local is_judged = process.comes_true(function() -- Prism writes its log a little later
      log = prism:output():sub(before + 1)
      local _, received = log:gsub("Request received", "")
      local _, passed = log:gsub("The request passed the validation rules", "")
      local _, refused = log:gsub("Request terminated with error", "")
      return received > 0 and received <= passed + refused
    end)
    assert.truthy(is_judged, what .. ": Prism has judged no request")
    for _, violation in ipairs(violations_in(log)) do
      violated = violated + 1
      local known = faults[what] and faults[what][violation]
      named = named + (known and 1 or 0)
      assert.truthy(known, what .. ": " .. violation)
    end
    return (table.unpack or unpack)(results)
  end

  for _, row in ipairs(operations) do
    it(("%s.%s is a valid request, and its answer is read"):format(row.resource, row.name), function()
      local answer, err = judge(row[1], function()
        return client[row.resource][row.name](client[row.resource], (table.unpack or unpack)(arguments(row)))
      end)
      if not faults[row[1]] then
        cekura.assert(answer, err)
      end
    end)
  end

  for _, name in ipairs(sorted_keys(kinds)) do
    local declared, case = kinds[name], kind_cases[name]
    local document = file.read(DOCUMENT)
    -- A job that has what its later requests repeat.
    local function new_job()
      if declared.carry then
        return cekura.assert(client:start(name, case[1]))
      end
      return cekura.assert(client:job(name, case.polls_a_record and 77 or UUID, case.options))
    end
    -- The path as the document has it; nil if it does not.
    local function documented(text)
      local _, path = endpoint.parse(text)
      path = path:gsub("{version}", "v2")
      return document:find(('"%s"'):format(path:gsub("{[%w_]+}", "{id}")), 1, true) and text or nil
    end

    if documented(declared.start) then
      it(name .. " has a valid start", function()
        judge(declared.start, function()
          return client:start(name, case[1])
        end)
      end)
    end
    if documented(declared.poll) then
      it(name .. " has a valid poll", function()
        local job = cekura.assert(client:job(name, case.polls_a_record and 77 or UUID, case.options))
        judge(declared.poll, function()
          return job:poll()
        end)
      end)
    end
    if declared.cancel and documented(declared.cancel[1]) then
      it(name .. " has a valid cancellation", function()
        local job = new_job()
        judge(declared.cancel[1], function()
          return job:cancel()
        end)
      end)
    end
    if declared.answer and documented(declared.answer[1]) then
      it(name .. " has a valid answer", function()
        local job = new_job()
        judge(declared.answer[1], function()
          return job:answer(case.answer or "Yes.")
        end)
      end)
    end
  end

  it("not more than 30 violations are faults of the document", function()
    local count = 0
    for _, by_message in pairs(faults) do
      count = count + #sorted_keys(by_message)
    end
    assert.is_true(count <= 30)
  end)
end)
