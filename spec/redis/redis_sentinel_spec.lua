--- Commands on the master that Redis Sentinel names, while another server becomes it.

local cekura = require "cekura"
local connections = require "cekura.fleet.redis"
local core = require "cekura.core"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local redis_sentinels = require "spec.support.redis_sentinels"

describe("redis by sentinels:", function()
  local group, servers, sentinels, redis

  local function masters()
    return group:masters()
  end

  before_each(function()
    group = redis_sentinels.start()
    servers, sentinels = group.servers, group.sentinels
    -- A sentinel that did not run for two seconds elects no master for the next thirty (TILT mode).
    redis = cekura.assert(cekura.redis.new(group.url .. "/2", { timeout = 60 }))
  end)

  after_each(function()
    redis:close()
    group:stop()
  end)

  it("after the master has died, commands go to the new one", function()
    assert.equal("OK", redis:command("SET", "a", "1"))
    assert.truthy(redis:command("CLIENT", "LIST"):find "db=2 ")
    assert.equal(2, redis:command("WAIT", 2, 10000))
    local blocked
    cekura.run(function()
      local task = cekura.spawn(function() return redis:command("BLPOP", "list", 0) end)
      local direct = cekura.assert(cekura.redis.new(servers[1].url))
      patience.eventually(function() return direct:command("INFO", "clients"):find "blocked_clients:1" end)
      direct:close()
      servers[1]:stop "KILL"
      blocked = select(2, task:join())
    end)
    assert.equal("network", blocked.kind) -- it may have been executed, and is not sent again
    assert.is_true(blocked.sent)
    assert.equal("1", redis:command("GET", "a")) -- waits for the new master
    assert.equal("OK", redis:command("SET", "a", "2"))
    patience.eventually(function() return #masters() == 1 end)
  end)

  it("after the master has died while no command waited, none fails", function()
    assert.equal("OK", redis:command("SET", "a", "1"))
    assert.equal(2, redis:command("WAIT", 2, 10000))
    servers[1]:stop "KILL"
    assert.equal("1", redis:command("GET", "a"))
  end)

  it("a command whose end calls back is not sent before the master is known", function()
    cekura.run(function()
      local replies, refusals = {}, 0
      patience.eventually(function()
        local err = connections._send(redis, function(reply) replies[#replies + 1] = reply end, "INCR", "a")
        if err then
          refusals = refusals + 1
          assert.equal("network", err.kind)
          assert.is_false(err.sent)
        end
        return not err
      end)
      patience.eventually(function() return replies[1] end)
      assert.same({ 1 }, replies)
      assert.is_true(refusals > 0)
    end)
  end)

  it("after the master was demoted, the command after its refusal goes to the new one", function()
    assert.equal("OK", redis:command("SET", "a", "1"))
    local direct = cekura.assert(cekura.redis.new("redis://127.0.0.1:" .. sentinels[1].port))
    assert.equal("OK", direct:command("SENTINEL", "FAILOVER", "main"))
    direct:close()
    local refused = 0
    patience.eventually(function()
      local reply, err = redis:command("SET", "a", "2")
      refused = refused + (err and 1 or 0)
      assert.is_true(reply ~= nil or err.kind == "server" or err.kind == "network", tostring(err))
      local now = masters()
      return reply and #now == 1 and now[1] ~= servers[1]
    end)
    assert.equal("OK", redis:command("SET", "a", "3"))
    local new = masters()[1]
    local known = cekura.assert(cekura.redis.new(new.url .. "/2"))
    assert.equal("3", known:command("GET", "a"))
    known:close()
  end)

  it("a master that is silent is asked for again", function()
    redis:close()
    redis = cekura.assert(cekura.redis.new(group.url .. "/2", { timeout = 0.5 }))
    assert.equal("PONG", redis:command "PING")
    servers[1]:signal "STOP"
    servers[1].is_stopped = true
    local _, err = redis:command("INCR", "a")
    assert.equal("timeout", err.kind)
    assert.is_true(err.sent)
    patience.eventually(function() return redis:command("SET", "a", "2") == "OK" end)
    servers[1]:signal "CONT"
  end)

  it("errors say what is missing, and nothing has the password", function()
    local hosts = group.url:match "//([^/]*)/"
    local unknown = cekura.assert(cekura.redis.new(("redis+sentinel://:secret@%s/other"):format(hosts),
      { timeout = 0.4 }))
    local _, err = unknown:command "PING"
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    assert.truthy(err.message:find("knows no master other", 1, true), err.message)
    assert.is_nil((tostring(unknown) .. err.message):find("secret", 1, true))
    unknown:close()
    local absent = cekura.assert(cekura.redis.new(("redis+sentinel://127.0.0.1:%d/main"):format(process.free_port()),
      { timeout = 0.4 }))
    _, err = absent:command "PING"
    assert.equal("timeout", err.kind)
    assert.truthy(err.message:find("refused", 1, true), err.message)
    absent:close()
    assert.equal("closed", select(2, absent:command "PING").kind)
  end)

  it("asks while other tasks run, and can be cancelled", function()
    local absent = cekura.assert(cekura.redis.new(("redis+sentinel://127.0.0.1:%d/main"):format(process.free_port()),
      { timeout = 600 }))
    cekura.run(function()
      local task = cekura.spawn(function() return absent:command "PING" end)
      local before = core.now()
      cekura.sleep(0.3)
      assert.is_true(core.now() > before)
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
    end)
    absent:close()
  end)
end)
