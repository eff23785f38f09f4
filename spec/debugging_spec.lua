-- Debugging: the lines that CEKURA_DEBUG asks for, the numbers of requests, and docs/debugging.md, which is compared
-- with the running module.

local blocks = require "spec.support.blocks"
local cekura = require "cekura"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local PAGE = "docs/debugging.md"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- A line without what differs from run to run: the process, times, ids.
local function settled(text)
  return (text:gsub("cekura%[%d+%] %d%d:%d%d:%d%d", "cekura"):gsub("%d+%.%d%d%d s", "SECONDS")
    :gsub("%x+%-%x+%-%x+%-%x+%-%x+", "ID"))
end

describe("CEKURA_DEBUG", function()
  local server = simulator.during(setup, teardown)
  local getenv, stderr = os.getenv, io.stderr
  local client, writes

  before_each(function()
    server:reset()
    writes = {}
    os.getenv = function(name) -- luacheck: ignore 122
      return name == "CEKURA_DEBUG" and "1" or name ~= "CEKURA_DEBUG" and getenv(name) or nil
    end
    -- One write for each line: stderr has no buffer, so each string is a system call.
    io.stderr = { write = function(_, ...) -- luacheck: ignore 122
      assert.equal(1, select("#", ...))
      writes[#writes + 1] = settled((...))
    end }
  end)

  after_each(function()
    os.getenv, io.stderr = getenv, stderr -- luacheck: ignore 122
    if client then
      client:close()
      client = nil
    end
  end)

  -- The lines since the last call, with the requests counted from 1.
  local function lines()
    local text, first = table.concat(writes), nil
    writes = {}
    return (text:gsub("#(%d+)", function(number)
      first = first or tonumber(number)
      return "#" .. tonumber(number) - first + 1
    end))
  end

  it("writes a line for each try, pause and end, by the number of the request", function()
    server:script("/x/", { { status = 503, headers = { ["Retry-After"] = "0" } }, { body = {} } })
    server:script("/cut/", { { cut = 10, body = {} } })
    lines()
    client = server:client { retries = 1 }
    cekura.assert(client:request("GET", "/x/", { query = { a = 1 } }))
    client:request("POST", "/nowhere/", { body = { secret = "in the body" } })
    assert.equal([[
cekura #1 GET /x/?a=1: try 1
cekura #1 GET /x/?a=1: try 1 ended: HTTP 503; next try in SECONDS
cekura #1 GET /x/?a=1: try 2
cekura #1 GET /x/?a=1: ended: HTTP 200; tries: 2; SECONDS
cekura #2 POST /nowhere/: try 1
cekura #2 POST /nowhere/: ended: HTTP 404; tries: 1; SECONDS
]], lines())
  end)

  it("writes why there is no answer", function()
    client = server:client { retries = 1, base_url = "http://127.0.0.1:1" }
    client:request("GET", "/x/")
    assert.equal([[
cekura #1 GET /x/: try 1
cekura #1 GET /x/: try 1 ended: network; next try in SECONDS
cekura #1 GET /x/: try 2
cekura #1 GET /x/: ended: network; tries: 2; SECONDS
]], lines())
  end)

  it("numbers requests that are under way at once so that ends match starts", function()
    client = server:client()
    for index = 1, 5 do
      server:script(("/%d/"):format(index), { { body = {}, delay = (6 - index) / 50 } })
    end
    lines()
    cekura.run(function()
      for index = 1, 5 do
        cekura.spawn(client.request, client, "GET", ("/%d/"):format(index))
      end
    end)
    local path_of, ends = {}, 0
    for number, path, rest in lines():gmatch "#(%d+) GET (%S+): ([^\n]*)" do
      assert.equal(path_of[number] or path, path)
      path_of[number] = path
      ends = ends + (rest:find "^ended" and 1 or 0)
    end
    assert.same({ ["1"] = "/1/", ["2"] = "/2/", ["3"] = "/3/", ["4"] = "/4/", ["5"] = "/5/" }, path_of)
    assert.equal(5, ends)
  end)

  it("writes the end of a request that was not sent, and of one that was cancelled", function()
    client = server:client { max_in_flight = 1, retries = 0 }
    server:script("/x/", { { hold = "x", body = {} } })
    lines()
    cekura.run(function()
      local first = cekura.spawn(client.request, client, "GET", "/x/")
      server:wait_for "/x/"
      client:request("GET", "/y/", { timeout = 0.05 })
      first:cancel()
      first:join()
      server:release "x"
      cekura.assert(client:request("GET", "/echo/"))
    end)
    local text = lines()
    assert.truthy(text:find("GET /y/: ended: timeout; tries: 0; SECONDS", 1, true), text)
    assert.truthy(text:find("GET /x/: ended: cancelled; tries: 1; SECONDS", 1, true), text)
  end)

  it("writes the changes of a job, with its progress", function()
    client = server:client()
    server:script("/observability/v1/call-logs/create_scenarios_progress/", {
      { body = { total_scenarios = 4, completed_scenarios = 1, failed_scenarios = 0 } },
      { body = { total_scenarios = 4, completed_scenarios = 4, failed_scenarios = 0 } },
    })
    local job = cekura.assert(client:job("calls.create_scenarios", "p1"))
    cekura.assert(job:poll())
    cekura.assert(job:poll())
    local text = lines()
    assert.truthy(text:find("\ncekura job calls.create_scenarios p1: pending, progress 25 %\n", 1, true), text)
    assert.truthy(text:find("\ncekura job calls.create_scenarios p1: succeeded, progress 100 %\n", 1, true), text)
  end)

  it("writes what a service says on one line, and never the key", function()
    local key = "sk-very-secret-key"
    client = server:client { api_key = key }
    server:script("/observability/v1/call-logs/improve_prompt_progress/", {
      { body = { status = "two\nlines " .. key } } })
    local job = cekura.assert(client:job("calls.improve_prompt", "p1"))
    job:poll()
    client:request("GET", "/x/", { query = { key = key } })
    local text = lines()
    assert.is_nil(text:find("secret", 1, true))
    assert.truthy(text:find("[key]", 1, true))
    for line in text:gmatch "[^\n]+" do
      assert.truthy(line:find "^cekura [#j]", line)
    end
  end)

  it("is beside the program's on_event, which gets the same numbers, and whose errors go where they went", function()
    local events = {}
    client = server:client { on_event = function(event)
      events[#events + 1] = event.request
      if event.name == "request_finished" then
        error "boom"
      end
    end }
    lines()
    local ok, raised = pcall(client.request, client, "GET", "/x/")
    assert.is_false(ok)
    assert.truthy(tostring(raised):find "boom")
    assert.same({ events[1], events[1] }, events)
    assert.equal(2, select(2, lines():gsub("\n", "")))
  end)

  it("writes warnings", function()
    file.temporary('api_key = "k"\n', function(path)
      shell("chmod 644 " .. path)
      cekura.assert(cekura.new { config_file = path, base_url = "http://127.0.0.1:1" }):close()
      assert.truthy(lines():find("cekura warning: the configuration file " .. path, 1, true))
    end)
  end)

  it("is off by any other value", function()
    for _, value in ipairs { "", "0", "yes" } do
      os.getenv = function(name) return name == "CEKURA_DEBUG" and value or getenv(name) end -- luacheck: ignore 122
      client = server:client()
      client:request("GET", "/x/")
      client:close()
      assert.equal("", lines())
    end
  end)
end)

describe("docs/debugging.md", function()
  local server = simulator.during(setup, teardown)

  before_each(function()
    server:reset()
  end)

  local page = file.read(PAGE)
  local all = blocks(PAGE)

  -- The block below the one of that number.
  local function output_of(index)
    return all[index + 1].code
  end

  local function environment()
    return ("CEKURA_API_URL=%s CEKURA_API_KEY=%s"):format(server.url, server.key)
  end

  it("shows the lines that its command writes", function()
    assert.equal("sh", all[1].language)
    local output, status = file.temporary(all[1].code:gsub("lua5%.4", lua), function(path)
      return shell(("%s sh %s 2>&1"):format(environment(), path))
    end)
    assert.equal(0, status, output)
    local function comparable(text)
      return (settled(text):gsub("progress_id=[%w-]+", "progress_id=ID"):gsub("&ql=%%7B[%w%%_]+", "&ql=…"))
    end
    assert.equal(comparable(output_of(1)), comparable(output))
  end)

  it("shows the lines of a try that is repeated", function()
    server:script("/observability/v2/call-logs/5181749/", { { status = 503 }, { body = { id = 5181749 } } })
    local program = 'local c = require "cekura"; assert(assert(c.new()).calls:get(5181749))'
    local output = shell(("%s CEKURA_DEBUG=1 %s -e '%s' 2>&1"):format(environment(), lua, program))
    assert.equal(settled(all[3].code):gsub("#5", "#1"), settled(output))
  end)

  it("has Lua blocks that print what it shows", function()
    local count = 0
    for index, block in ipairs(all) do
      if block.language == "lua" then
        count = count + 1
        local output, status = file.temporary(block.code, function(path)
          return shell(("%s %s %s 2>&1"):format(environment(), lua, path))
        end)
        assert.equal(0, status, output)
        assert.equal(output_of(index), output)
      end
    end
    assert.equal(2, count)
  end)

  -- The first cells of a table's rows that match, as a set of names; `cells` has the last ones.
  local function rows_of(heading)
    local names, cells = {}, {}
    local part = page:match("\n| " .. heading .. " |.-\n|[-|]+\n(.-)\n\n")
    for row in (part .. "\n"):gmatch "|([^\n]*)|\n" do
      local first, last = row:match "^([^|]*)|", row:match "([^|]*)$"
      for name in first:gmatch "`([%w_]+)`" do
        names[name] = true
        cells[name] = last
      end
    end
    return names, cells
  end

  local function names_in(text)
    local names = {}
    for name in text:gmatch "`([%w_]+)`" do
      names[name] = true
    end
    return names
  end

  it("names every counter of client:stats(), and no other", function()
    local client = server:client()
    local counters = {}
    for name in pairs(client:stats()) do
      counters[name] = true
    end
    client:close()
    assert.same(counters, (rows_of "counter"))
  end)

  -- Everything that makes events; the fields of each kind of event, as they came.
  local function seen_fields()
    local seen = {}
    local function on_event(event)
      seen[event.name] = seen[event.name] or {}
      for name in pairs(event) do
        seen[event.name][name] = name ~= "name" or nil
      end
    end
    local client = server:client { on_event = on_event }
    server:script("/x/", { { status = 503, headers = { ["Retry-After"] = "0" } }, { body = {} } })
    cekura.assert(client:request("GET", "/x/"))
    server:script("/observability/v1/call-logs/create_scenarios_progress/", { { body = { status = "completed",
      total_scenarios = 1, completed_scenarios = 1, failed_scenarios = 0 } } })
    cekura.assert(client:job("calls.create_scenarios", "p1")):wait()
    server:script("/observability/v2/call-logs/7/", { { status = 400, body = { ql = { "No." } } }, { body = { id = 7,
      status = "success" } } })
    cekura.assert(client:job("calls.evaluation", 7)):wait()
    client:close()
    file.temporary('api_key = "k"\n', function(path)
      shell("chmod 644 " .. path)
      cekura.assert(cekura.new { config_file = path, base_url = server.url, on_event = on_event }):close()
    end)
    return seen
  end

  it("names every event with every field, and no other", function()
    local documented, cells = rows_of "event"
    local expected = {}
    for name in pairs(documented) do
      expected[name] = names_in(cells[name])
    end
    local seen = seen_fields()
    assert.same(expected, seen)

    local fields, described = { name = true }, rows_of "field"
    for _, names in pairs(seen) do
      for name in pairs(names) do
        fields[name] = true
      end
    end
    assert.same(fields, described)

    -- And the class that editors complete.
    local class = file.read "lua/cekura/client/options.lua":match "\n%-%-%-@class cekura.ClientEvent(.-)\n\n"
    local annotated = {}
    for name in class:gmatch "%-%-%-@field ([%w_]+)" do
      annotated[name] = true
    end
    assert.same(fields, annotated)
  end)

  it("names every outcome, and no other", function()
    local outcomes = {}
    for name in file.read "src/lua/marshal.c":gmatch '%[OUTCOME_[A-Z_]+%] = "([a-z_]+)"' do
      outcomes[name] = true
    end
    assert.truthy(outcomes.response)
    assert.same(outcomes, (rows_of "outcome"))
  end)

  it("names every warning", function()
    local source = file.read "lua/cekura/client/config_file.lua"
    for name in source:gmatch 'warning = "([%w_]+)"' do
      assert.truthy(page:find("`" .. name .. "`", 1, true), name)
    end
  end)
end)
