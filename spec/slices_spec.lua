--- Large bodies are read in slices: a step of the engine takes in a limited number of bytes, whatever is waited for.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"

local MB = 1024 * 1024
local SLICE = 256 * 1024 -- what a step takes in
local READ = 4096 -- what libcurl reads at once
local BEYOND = 4 * READ -- what libcurl may read of each transfer beyond the slice, heads included

-- A text with a period of 65521 bytes, which divides no slice, so that a missing or misplaced piece is noticed.
local function text(size)
  local lines, length = {}, 0
  while length < 65521 do
    lines[#lines + 1] = ("line %d of it\n"):format(#lines * 7919 % 10007)
    length = length + #lines[#lines]
  end
  local block = table.concat(lines):sub(1, 65521)
  return block:rep(math.ceil(size / #block)):sub(1, size)
end

describe("a large body", function()
  local server = simulator.during(setup, teardown)
  local body, huge = text(5 * MB), text(60 * MB)
  local dir, gzipped, client

  setup(function()
    dir = shell "mktemp -d":gsub("%s", "")
    file.write(dir .. "/body", body)
    file.write(dir .. "/huge", huge)
    shell(("gzip -k %s/body"):format(dir))
    gzipped = file.read(dir .. "/body.gz")
    local half = math.floor(#gzipped / 2)
    file.write(dir .. "/broken.gz", gzipped:sub(1, half) .. gzipped:sub(half):reverse())
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  before_each(function()
    client = server:renew_client { retries = 0 }
    server:reset()
  end)

  local function serve(path, reply)
    reply.file = dir .. "/" .. reply.file
    server:script(path, { reply })
  end

  local function submit(path, timeout)
    return core.submit(client, { method = "GET", url = server.url .. path, timeout = timeout or 60,
      waiter = { wake = function() end } })
  end

  -- Steps like a host that only watches the descriptor, until `done()`. Returns the number of steps that took in bytes,
  -- and the most that one of them took in.
  local function step_until(done)
    local steps, most = 0, 0
    while not done() do
      local before = client:stats().bytes_in
      core.step(client)
      local growth = client:stats().bytes_in - before
      steps = steps + (growth > 0 and 1 or 0)
      most = math.max(most, growth)
      if not done() then
        core.wait({ client }, 20)
      end
    end
    return steps, most
  end

  local function step_to_end(operation)
    return step_until(function()
      return core.outcome(client, operation)
    end)
  end

  -- Steps until a slice of each has arrived, so that all transfers have begun.
  local function step_into(count)
    step_until(function()
      return client:stats().bytes_in > count * SLICE
    end)
  end

  local function body_of(operation)
    return core.outcome(client, operation).body
  end

  local gzip = { ["Content-Encoding"] = "gzip" }
  for name, reply in pairs {
    ["of an announced length"] = { file = "body" },
    ["in chunks"] = { file = "body", chunked = true },
    ["that is compressed"] = { file = "body.gz", headers = gzip },
    ["that is compressed, in chunks"] = { file = "body.gz", headers = gzip, chunked = true },
  } do
    it(name .. " arrives byte for byte, and its connection is reused", function()
      serve("/large/", reply)
      for _ = 1, 3 do
        assert.is_true(cekura.assert(client:request("GET", "/large/")).body == body)
      end
      assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status)
      assert.equal(1, client:stats().connections)
    end)
  end

  it("is taken in by slices, and the descriptor is readable while a slice is due", function()
    serve("/large/", { file = "huge" })
    local operation = submit "/large/"
    local steps, most = step_to_end(operation)
    assert.is_true(body_of(operation) == huge)
    assert.is_true(most <= SLICE + BEYOND, most)
    assert.is_true(steps >= #huge / (SLICE + BEYOND), steps)
  end)

  it("shares the slice of a step with other bodies", function()
    serve("/large/", { file = "body", chunked = true })
    local operations = {}
    for index = 1, 6 do
      operations[index] = submit "/large/"
    end
    local most = 0
    for _, operation in ipairs(operations) do
      local _, of_these = step_to_end(operation)
      most = math.max(most, of_these)
      assert.is_true(body_of(operation) == body)
    end
    assert.is_true(most <= SLICE + 6 * BEYOND, most)
  end)

  it("does not delay small bodies", function()
    serve("/large/", { file = "huge" })
    local order = {}
    cekura.run(function()
      local large = cekura.spawn(function()
        assert(cekura.assert(client:request("GET", "/large/")).body == huge)
        order[#order + 1] = "large"
      end)
      while client:stats().bytes_in == 0 do
        cekura.sleep(0.001)
      end
      for _ = 1, 20 do
        cekura.spawn(function()
          cekura.assert(client:request("GET", "/echo/"))
          order[#order + 1] = "small"
        end)
      end
      large:join()
    end)
    assert.equal(21, #order)
    assert.equal("large", order[21])
  end)

  it("with a very high compression ratio is read over several steps", function()
    shell(("head -c %d /dev/zero | gzip > %s/zeros.gz"):format(20 * MB, dir))
    serve("/large/", { file = "zeros.gz", headers = gzip })
    local operation = submit "/large/"
    local steps = step_to_end(operation)
    assert.is_true(body_of(operation) == ("\0"):rep(20 * MB))
    assert.is_true(steps > 2, steps) -- 20 KB before decoding
  end)

  describe("half received", function()
    local first, second

    before_each(function()
      serve("/huge/", { file = "huge" })
      serve("/large/", { file = "body" })
    end)

    local function begin(timeout)
      first, second = submit("/huge/", timeout), submit "/large/"
      step_into(2)
      return core.outcome(client, first) == nil
    end

    -- Checks that other transfers succeed.
    local function others_go_on()
      step_to_end(second)
      assert.is_true(body_of(second) == body)
      assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status)
      assert.is_true(cekura.assert(client:request("GET", "/huge/")).body == huge)
      assert.equal(0, client:stats().in_flight)
    end

    it("can be cancelled", function()
      assert.is_true(begin())
      core.cancel(client, first)
      assert.equal("cancelled", core.outcome(client, first).kind)
      others_go_on()
    end)

    it("has its deadline", function()
      patience.with_enough_time(1, function(seconds)
        client = server:renew_client { retries = 0 }
        if begin(seconds) then
          core.wait({}, seconds) -- without a step
          return core.outcome(client, first) == nil
        end
      end)
      core.step(client)
      local outcome = core.outcome(client, first)
      assert.equal("timeout", outcome.kind)
      assert.equal(200, outcome.status)
      assert.is_true(outcome.sent)
      others_go_on()
    end)

    it("ends with closed when the client closes", function()
      assert.is_true(begin())
      client:close()
      assert.equal("closed", first.outcome.kind)
      assert.equal("closed", second.outcome.kind)
    end)

    it("is collected with its client", function()
      assert.is_true(begin())
      first, second = nil, nil
      local seen = setmetatable({ client }, { __mode = "v" })
      client = server:client()
      for _ = 1, 4 do
        collectgarbage()
      end
      assert.is_nil(seen[1])
    end)

    it("may be truncated", function()
      server:script("/cut/", { { file = dir .. "/body", cut = 3 * MB } })
      second = submit "/large/"
      first = submit "/cut/"
      step_to_end(first)
      local outcome = core.outcome(client, first)
      assert.equal("truncated", outcome.kind)
      assert.equal(200, outcome.status)
      assert.is_true(outcome.body == body:sub(1, 3 * MB))
      others_go_on()
    end)

    it("may turn out not to be gzip", function()
      serve("/broken/", { file = "broken.gz", headers = gzip })
      second = submit "/large/"
      first = submit "/broken/"
      step_to_end(first)
      assert.equal("garbled", core.outcome(client, first).kind)
      others_go_on()
    end)
  end)

  -- The bytes that libcurl kept may be the last ones, so nothing follows that would exceed the limit as well.
  it("that exceeds the limit by its last byte is refused, wherever a slice ends", function()
    for beyond = 0, 4 * READ, READ / 4 do
      local size = SLICE + beyond
      file.write(dir .. "/ends", body:sub(1, size))
      serve("/ends/", { file = "ends", chunked = true })
      client = server:renew_client { retries = 0, max_response = size - 1 }
      local operation = submit "/ends/"
      core.step(client)
      core.wait({}, 0.02) -- until all of it has arrived and fills the first slice
      step_to_end(operation)
      assert.equal("too_large", core.outcome(client, operation).kind)
      assert.is_true(body_of(operation) == body:sub(1, size - 1))
    end
  end)

  -- At each position within what libcurl keeps of a refused read and within its next read.
  it("that exceeds the limit is cut at the limit, wherever a slice ends", function()
    serve("/large/", { file = "body", chunked = true })
    for beyond = 0, 4 * READ, READ / 2 do
      local limit = 2 * SLICE + beyond
      client = server:renew_client { retries = 0, max_response = limit }
      local operation = submit "/large/"
      step_to_end(operation)
      local outcome = core.outcome(client, operation)
      assert.equal("too_large", outcome.kind)
      assert.is_true(outcome.body == body:sub(1, limit))
      assert.equal(200, cekura.assert(client:request("GET", "/echo/")).status)
    end
  end)
end)
