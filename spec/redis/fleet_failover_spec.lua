--- A fleet on a Redis server that is replaced by its replica. Replication is asynchronous: what the replica does not
-- have yet is lost, though the server has acknowledged it.

local cekura = require "cekura"
local fleets = require "cekura.fleet"
local fleet_worker = require "spec.support.fleet_worker"
local patience = require "spec.support.patience"
local redis_sentinels = require "spec.support.redis_sentinels"
local simulator = require "spec.support.simulator"

local KIND = "calls.improve_prompt"
local START = "/observability/v1/call-logs/improve_prompt_bg/"
local POLL = "/observability/v1/call-logs/improve_prompt_progress/"
local PROGRESS = { body = { status = "processing" } }
local DONE = { body = { status = "completed", output = { improved_prompt = "better", summary_of_changes = "s" } } }

describe("when a replica replaces the server,", function()
  local service = simulator.during(setup, teardown)
  local group, fleet, client
  local workers = {}

  local function submit(prompt)
    return cekura.assert(fleet:submit(KIND, { agent_id = 2142, call_logs = { 101 }, prompt = prompt }))
  end

  local function start_worker()
    workers[#workers + 1] = fleet_worker.start(group, service, "lease = 2")
    return workers[#workers]
  end

  -- How often the service was asked to start the job of that prompt.
  local function starts(prompt)
    local count = 0
    for _, request in ipairs(service:requests()) do
      count = count + (request.path == START and request.body:find('"' .. prompt .. '"', 1, true) and 1 or 0)
    end
    return count
  end

  -- From now on the replicas get nothing more.
  local function freeze_replicas()
    for index = 2, 3 do
      group.servers[index]:signal "STOP"
    end
    local direct = cekura.assert(cekura.redis.new(group.servers[1].url))
    assert.equal(2, direct:command("CLIENT", "KILL", "TYPE", "replica"))
    direct:close()
  end

  -- The server dies, and what the frozen replicas have is all that is left.
  local function replace()
    group.servers[1]:stop "KILL"
    for index = 2, 3 do
      group.servers[index]:signal "CONT"
    end
    patience.eventually(function()
      return #group:masters() == 1
    end)
  end

  before_each(function()
    service:reset()
    group = redis_sentinels.start()
    client = service:client { interval = 0.05 }
    fleet = cekura.assert(fleets.new { redis = group.url, name = "jobs", client = client, lease = 2 })
  end)

  after_each(function()
    for index, worker in ipairs(workers) do
      worker:stop "KILL"
      workers[index] = nil
    end
    client:close()
    group:stop()
  end)

  it("what it has goes on: nothing is started twice, and every task has its outcome", function()
    service:script(POLL, { PROGRESS })
    local ids = {}
    for number = 1, 5 do
      ids[number] = submit("prompt " .. number)
    end
    start_worker()
    service:wait_for(START, 5)
    service:wait_for(POLL, 10)
    group:await_replicas()
    replace()
    service:script(POLL, { DONE })
    for number = 1, 5 do
      assert.equal("better", cekura.assert(fleet:result(ids[number])).improved_prompt)
      assert.equal(1, starts("prompt " .. number))
    end
  end)

  it("a task may be lost that was acknowledged, and one may be started again", function()
    service:script(POLL, { PROGRESS })
    local kept = submit "kept"
    group:await_replicas()
    freeze_replicas()
    local lost = submit "lost"
    local worker = start_worker()
    service:wait_for(START, 2)
    service:wait_for(POLL, 4)
    worker:stop "KILL"
    replace()
    service:script(POLL, { DONE })
    start_worker()
    assert.equal("better", cekura.assert(fleet:result(kept)).improved_prompt)
    local result, err = fleet:result(lost)
    assert.same({ nil, "not_found" }, { result, err.kind })
    assert.same({ 2, 1 }, { starts "kept", starts "lost" })
  end)
end)
