--- Commands on a real Redis server.

local cekura = require "cekura"
local core = require "cekura.core"
local descriptors = require "spec.support.descriptors"
local dispatch = require "cekura.loop.dispatch"
local file = require "spec.support.file"
local native = require "cekura.redis"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"

local unpack = table.unpack or unpack
local HERE = shell "pwd":match "[^\n]+"

-- A server that is no proper Redis.
local function odd(arguments)
  local made = process.start(("python3 %s/spec/support/odd_redis.py %s"):format(HERE, arguments), function(self)
    return self:output():find "port %d+\n"
  end)
  made.url = "redis://127.0.0.1:" .. made:output():match "port (%d+)"
  return made
end

-- The number of tables that a client anchors.
local function anchored(client)
  local count = 0
  for key, value in pairs(core.fields(client)) do
    count = count + (type(key) == "number" and type(value) == "table" and 1 or 0)
  end
  return count
end

-- Calls a function before each call of native.take() that fetches another slice.
local function between_slices(fn)
  local take, slices = native.take, 0
  native.take = function(...)
    local how, value, sent = take(...)
    if how == "more" then
      slices = slices + 1
      fn(slices)
    end
    return how, value, sent
  end
  return function()
    native.take = take
    return slices
  end
end

describe("redis:", function()
  local server, redis
  local opened = {}

  local function open(url, options)
    local made = cekura.assert(cekura.redis.new(url or server.url, options))
    opened[#opened + 1] = made
    return made
  end

  before_each(function()
    server = redis_server.start()
    redis = open()
  end)

  after_each(function()
    for index, made in ipairs(opened) do
      made:close()
      opened[index] = nil
    end
    server:stop "KILL"
  end)

  it("replies are strings, integers, lists and false", function()
    assert.equal("OK", redis:command("SET", "a", "1"))
    assert.equal("1", redis:command("GET", "a"))
    assert.equal(2, redis:command("INCR", "a"))
    assert.is_false(redis:command("GET", "b"))
    assert.same({ "2", false }, redis:command("MGET", "a", "b"))
    assert.same({ 1, { "x", { err = "ERR no" } }, {} },
      redis:command("EVAL", "return { 1, { 'x', redis.error_reply 'ERR no' }, {} }", 0))
    local bytes = "\0\r\n\255" .. ("x"):rep(3 * 2 ^ 20)
    assert.equal("OK", redis:command("SET", bytes, bytes))
    assert.is_true(redis:command("GET", bytes) == bytes)
    assert.equal("9007199254740993", tostring(redis:command("INCRBY", "large", "9007199254740993")))
    redis:command("SET", "float", 0.1)
    assert.equal("0.1", redis:command("GET", "float"))
  end)

  it("commands of many tasks share a connection, in the order in which they were sent", function()
    local seen = {}
    cekura.run(function()
      for _ = 1, 200 do
        cekura.spawn(function()
          for _ = 1, 5 do
            local number = redis:command("INCR", "n")
            seen[#seen + 1] = number
          end
        end)
      end
    end)
    for index = 1, 1000 do
      assert.equal(index, seen[index])
    end
    assert.truthy(redis:command("INFO", "stats"):find "total_connections_received:1%s")
  end)

  it("a command that blocks lets tasks and other connections go on", function()
    local popped
    cekura.run(function()
      local task = cekura.spawn(function() popped = redis:command("BLPOP", "list", 0) end)
      local other = open()
      patience.eventually(function() return other:command("INFO", "clients"):find "blocked_clients:1" end)
      assert.equal(1, other:command("RPUSH", "list", "x"))
      task:join()
    end)
    assert.same({ "list", "x" }, popped)
  end)

  it("an error of the server is an error of the kind that says what to do", function()
    redis:command("SET", "text", "x")
    for _, case in ipairs {
      { "invalid", "WRONGTYPE", "LPUSH", "text", "x" },
      { "invalid", "unknown command", "NOSUCH" },
      { "invalid", "NOSCRIPT", "EVALSHA", ("0"):rep(40), 0 },
    } do
      local reply, err = redis:command(unpack(case, 3))
      assert.is_nil(reply)
      assert.equal(case[1], err.kind)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
      assert.is_true(err.sent)
    end
    redis:command("CONFIG", "SET", "maxmemory", "1")
    assert.equal("server", select(2, redis:command("SET", "a", "1")).kind)
  end)

  it("mistakes in a call are raised at its line", function()
    for _, call in ipairs {
      function() redis:command() end,
      function() redis:command("SET", "a", {}) end,
      function() redis:command("SET", nil, "a") end,
      function() redis.command("SET") end,
      function() cekura.redis.new() end,
      function() cekura.redis.new("redis://localhost", { tiemout = 1 }) end,
    } do
      local ok, raised = pcall(call)
      assert.is_false(ok)
      assert.truthy(tostring(raised):find("redis_spec.lua", 1, true), raised)
    end
  end)

  it("a URL that is none is refused, and no message has the password", function()
    for _, url in ipairs { "localhost", "http://x", "redis://localhost:x", "redis://localhost:0", "redis://localhost/x",
      "redis://secret@localhost", "unix://socket", "redis://[::1", "redis+sentinel://:secret@localhost",
      "redis+sentinel://localhost:x/m" } do
      local made, err = cekura.redis.new(url)
      assert.is_nil(made, url)
      assert.equal("config", err.kind)
      assert.is_nil(err.message:find("secret", 1, true))
    end
    assert.is_nil(tostring(open "redis://:secret@127.0.0.1:1"):find("secret", 1, true))
  end)

  it("logs in, selects the database, and connects to a Unix socket", function()
    redis:command("ACL", "SETUSER", "alice", "on", ">p@:/", "~*", "+@all")
    redis:command("CONFIG", "SET", "requirepass", "secret")
    local whole = ("redis://al%%69ce:p%%40%%3a%%2f@127.0.0.1:%d/3"):format(server.port)
    assert.equal("alice", open(whole):command("ACL", "WHOAMI"))
    assert.truthy(open(whole):command("CLIENT", "LIST"):find "db=3 ")
    assert.equal("PONG", open(("redis://:secret@127.0.0.1:%d"):format(server.port)):command "PING")
    assert.equal("PONG", open(("unix://:secret@%s/socket?db=2"):format(server.dir)):command "PING")
    for url, text in pairs {
      [server.url] = "NOAUTH",
      [("redis://:wrong@127.0.0.1:%d"):format(server.port)] = "WRONGPASS",
    } do
      local _, err = open(url):command "PING"
      assert.equal("auth", err.kind)
      assert.truthy(err.message:find(text, 1, true))
    end
    local _, err = open(("redis://:secret@127.0.0.1:%d/99"):format(server.port)):command "PING"
    assert.equal("invalid", err.kind)
  end)

  it("waits for a server that is not there yet, until its time is over", function()
    local port = process.free_port()
    local url = ("redis://127.0.0.1:%d"):format(port)
    local _, err = open(url, { timeout = 0.3 }):command "PING"
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    assert.truthy(err.message:find "Connection refused")
    local early = open(url, { timeout = 600 })
    cekura.run(function()
      local task = cekura.spawn(function() return early:command "PING" end)
      cekura.sleep(0.2)
      server:stop "KILL"
      server = redis_server.start("", port)
      assert.equal("PONG", task:join())
    end)
  end)

  it("what was sent when the connection breaks is not sent again, and the next command connects anew", function()
    cekura.run(function()
      local task = cekura.spawn(function() return redis:command("BLPOP", "list", 0) end)
      local other = open()
      patience.eventually(function() return other:command("INFO", "clients"):find "blocked_clients:1" end)
      other:command("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal")
      local reply, err = task:join()
      assert.is_nil(reply)
      assert.equal("network", err.kind)
      assert.is_true(err.sent)
      assert.equal("PONG", redis:command "PING")
    end)
  end)

  it("a connection that the server has closed while it was idle costs no command", function()
    local kill = ([[print(require "cekura".redis.new("%s"):command("CLIENT", "KILL", "TYPE", "normal"))]]):format(
      server.url)
    for index = 1, 3 do
      assert.equal(index, redis:command("INCR", "a"))
      assert.equal("1\n", (shell(("%s -e '%s'"):format(os.getenv "CEKURA_LUA" or "lua5.4", kill))))
    end
    assert.equal(4, redis:command("INCR", "a"))
  end)

  it("a server that is silent is taken to be gone", function()
    redis = open(server.url, { timeout = 0.5 })
    assert.equal("PONG", redis:command "PING")
    server:signal "STOP"
    local _, err = redis:command("INCR", "a")
    assert.equal("timeout", err.kind)
    assert.is_true(err.sent)
    server:signal "CONT"
    assert.is_true(patience.eventually(function() return redis:command "PING" == "PONG" end))
    assert.equal("1", redis:command("GET", "a"))
  end)

  it("a reply that came while the process was stopped counts", function()
    local program = process.start(("env -C %s %s $PWD/program"):format(HERE, os.getenv "CEKURA_LUA" or "lua5.4"),
      function()
        return redis:command("EXISTS", "ready") == 1
      end, function(dir)
        file.write(dir .. "/program", ([[
          local redis = require "cekura".redis.new(%q, { timeout = 1.5 })
          redis:command("SET", "ready", 1)
          local reply, err = redis:command("BLPOP", "list", 100)
          print(reply and reply[2] or err)
        ]]):format(server.url))
      end)
    assert.is_true(patience.eventually(function()
      return redis:command("INFO", "clients"):find "blocked_clients:1"
    end) ~= nil)
    program:signal "STOP"
    redis:command("RPUSH", "list", "one")
    cekura.sleep(2)
    program:signal "CONT"
    program:wait_for "\n"
    program:stop()
    assert.equal("one\n", program:output())
  end)

  it("a long reply that came while the program was busy counts", function()
    local long = ("x"):rep(2000000)
    assert.equal("OK", redis:command("SET", "long", long))
    local hasty = open(server.url, { timeout = 0.5 })
    assert.equal("PONG", hasty:command "PING")
    cekura.run(function()
      local reading = cekura.spawn(hasty.command, hasty, "GET", "long")
      for _ = 1, 3 do -- it is sent
        cekura.sleep(0)
      end
      local over = core.now() + 1
      repeat until core.now() > over
      local reply, err = reading:join()
      assert.is_true(reply == long, tostring(err))
    end)
  end)

  it("a late reply is not taken for that of the next command", function()
    cekura.run(function()
      local blocked = open(server.url, { timeout = 0.3 })
      local quick = cekura.spawn(function() return blocked:command("PING", "first") end)
      assert.equal("first", quick:join())
      local _, err = blocked:command("BLPOP", "list", 0.6)
      assert.equal("timeout", err.kind)
      assert.equal("second", patience.eventually(function() return blocked:command("PING", "second") end))
    end)
  end)

  it("a task that is cancelled, a connection and a client that are closed end what waits", function()
    cekura.run(function()
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = "http://127.0.0.1:1",
        config_file = false })
      local first, second, third = open(), open(), open(server.url, { client = client })
      local tasks = {}
      for index, each in ipairs { first, second, third } do
        tasks[index] = cekura.spawn(function() return each:command("BLPOP", "list", 0) end)
      end
      patience.eventually(function() return redis:command("INFO", "clients"):find "blocked_clients:3" end)
      tasks[1]:cancel()
      second:close()
      client:close()
      assert.equal("cancelled", select(2, tasks[1]:join()).kind)
      assert.equal("closed", select(2, tasks[2]:join()).kind)
      assert.equal("closed", select(2, tasks[3]:join()).kind)
      assert.equal("closed", select(2, second:command "PING").kind)
      assert.equal("closed", select(2, third:command "PING").kind)
    end)
  end)

  if coroutine.close then
    it("a command whose task is gone is forgotten when its reply has arrived", function()
      cekura.run(function()
        local client = cekura.assert(cekura.new { api_key = "k", base_url = "http://127.0.0.1:1",
          config_file = false })
        local shared = open(server.url, { client = client })
        local co
        local task = cekura.spawn(function()
          co = coroutine.running()
          shared:command("BLPOP", "list", 0.2)
        end)
        patience.eventually(function() return anchored(client) == 1 end)
        coroutine.close(co)
        assert.equal("PONG", shared:command "PING") -- behind the other
        assert.equal(0, anchored(client))
        assert.is_nil((task:join()))
        client:close()
      end)
    end)
  end

  it("commands that would mix the replies up are refused", function()
    for _, words in ipairs { { "SUBSCRIBE", "x" }, { "monitor" }, { "HELLO", 3 }, { "client", "reply", "skip" } } do
      local ok, raised = pcall(redis.command, redis, unpack(words))
      assert.is_false(ok)
      assert.truthy(tostring(raised):find("share", 1, true), raised)
    end
  end)

  describe("a large reply", function()
    local COUNT, SLICE = 20000, 2048 -- elements, and those of a slice
    local LIST = ("local list = {} for i = 1, %d do list[i] = i %% 10 == 0 and { i, { 'x', i } } or i end return list")
      :format(COUNT)

    local function check(list)
      assert.equal(COUNT, #list)
      for index = 1, COUNT do
        if index % 10 == 0 then
          assert.same({ index, { "x", index } }, list[index])
        elseif list[index] ~= index then
          error(index)
        end
      end
    end

    it("is taken in slices, between which other tasks run", function()
      local turns, turns_before, idle = 0, 0, 0
      cekura.run(function()
        local ticker = cekura.spawn(function()
          while true do
            cekura.sleep(0)
            turns = turns + 1
          end
        end)
        local finish = between_slices(function(slices)
          idle = idle + (slices > 1 and turns == turns_before and 1 or 0)
          turns_before = turns
        end)
        check(cekura.assert(redis:command("EVAL", LIST, 0)))
        assert.is_true(finish() >= COUNT / SLICE - 1)
        ticker:cancel()
      end)
      assert.equal(0, idle)
    end)

    it("is read in slices: 16 KB a step", function()
      local client = cekura.assert(cekura.new { api_key = "k", base_url = "http://127.0.0.1:1", config_file = false })
      local shared = open(server.url, { client = client })
      assert.equal(2 ^ 21, shared:command("SETRANGE", "long", 2 ^ 21 - 1, "x"))
      local steps, reply = 0, nil
      cekura.assert(require "cekura.fleet.redis"._send(shared, function(text) reply = text end, "GET", "long") == nil)
      while not reply do
        dispatch(client)
        steps = steps + 1
        core.wait({ client }, 10)
      end
      assert.equal(2 ^ 21, #reply)
      assert.is_true(steps >= 2 ^ 21 / 2 ^ 14, steps)
      client:close()
    end)

    it("that has begun to be taken is returned, though the task is cancelled or the client closed", function()
      for _, stop in ipairs { "cancel", "close" } do
        local client = cekura.assert(cekura.new { api_key = "k", base_url = "http://127.0.0.1:1",
          config_file = false })
        local shared = open(server.url, { client = client })
        cekura.run(function()
          local task, after
          task = cekura.spawn(function()
            local list = shared:command("EVAL", LIST, 0)
            after = stop == "cancel" and select(2, redis:command "PING").kind
            return list
          end)
          local finish = between_slices(function(slices)
            if slices == 2 and stop == "cancel" then
              task:cancel()
            elseif slices == 2 then
              client:close()
            end
          end)
          local list, err = task:join()
          assert.is_true(finish() <= 3)
          if stop == "cancel" then
            assert.equal("cancelled", err.kind)
            assert.equal("cancelled", after)
          else
            check(list)
          end
        end)
        client:close()
      end
    end)
  end)

  describe("what is no Redis", function()
    it("is an error of the protocol, at once", function()
      for _, bytes in ipairs {
        "485454502f312e31203430300d0a", -- HTTP/1.1 400
        "2a310d0a*100000", -- lists in lists
      } do
        local peer = odd("says '" .. bytes .. "'")
        for _, login in ipairs { "", ":secret@" } do
          local _, err = open((peer.url:gsub("//", "//" .. login)), { timeout = 600 }):command "PING"
          assert.equal("protocol", err.kind)
          assert.equal(login == "", err.sent)
        end
        peer:stop()
      end
    end)

    it("sends what it likes, and gets an error or a reply", function()
      local kinds = {}
      for seed = 1, 20 do
        local peer = odd("random " .. seed)
        cekura.run(function()
          for index = 1, 10 do
            local made = open(peer.url, { timeout = 0.3 })
            for _ = 1, 3 do
              cekura.spawn(function()
                local reply, err = made:command("ECHO", index)
                local kind = err and err.kind or type(reply)
                kinds[kind] = true
              end)
            end
          end
        end)
        peer:stop()
      end
      for kind in pairs(kinds) do
        assert.truthy(("string number table boolean network protocol timeout invalid"):find(kind, 1, true), kind)
      end
      assert.is_true(kinds.protocol and kinds.network)
    end)

    it("answers more than it was asked, which breaks the connection and nothing else", function()
      local peer = odd "says '2b4f4b0d0a*3'" -- +OK
      local made = open(peer.url)
      for _ = 1, 3 do
        assert.equal("OK", made:command "PING")
        cekura.sleep(0.01)
      end
      peer:stop()
    end)

    it("and never accepts is given up in time, and blocks nothing meanwhile", function()
      local peer = odd "deaf"
      local turns = 0
      cekura.run(function()
        local task = cekura.spawn(function()
          return open(peer.url, { timeout = 0.6, connect_timeout = 0.2 }):command "PING"
        end)
        while task.state ~= "done" do
          cekura.sleep(0.01)
          turns = turns + 1
        end
        local _, err = task:join()
        assert.equal("timeout", err.kind)
        assert.is_false(err.sent)
        assert.truthy(err.message:find("does not answer", 1, true), err.message)
      end)
      assert.is_true(turns > 5)
      peer:stop()
    end)
  end)

  it("a server that is silent at the login is given up in time", function()
    redis:command("CONFIG", "SET", "requirepass", "secret")
    local silent = open(("redis://:secret@127.0.0.1:%d"):format(server.port), { timeout = 0.6, connect_timeout = 0.2 })
    server:signal "STOP"
    local _, err = silent:command "PING"
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    assert.truthy(err.message:find("does not answer", 1, true), err.message)
    server:signal "CONT"
    assert.is_true(patience.eventually(function() return silent:command "PING" == "PONG" end))
  end)

  it("a name that is looked up slowly blocks nothing", function()
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    local library = process.free_port() .. ".so"
    shell(("cc -shared -fPIC -o /tmp/%s spec/support/slow_names.c -ldl"):format(library))
    local program = [[
      local cekura = require "cekura"
      local redis = cekura.redis.new("redis://redis.slow", { timeout = 0.5, connect_timeout = 0.2 })
      local slept = 0
      cekura.run(function()
        local task = cekura.spawn(function() return redis:command "PING" end)
        while task.state ~= "done" do cekura.sleep(0.02) slept = slept + 1 end
        print(slept > 2, select(2, task:join()))
      end)
    ]]
    local output = shell(("LD_PRELOAD=/tmp/%s SLOW_NAMES=5 %s -e '%s'"):format(library, lua, program))
    os.remove("/tmp/" .. library)
    assert.equal("true\tcekura: timeout: redis://redis.slow:6379: PING: no reply in time: the name server does not "
      .. "answer\n", output)
  end)

  it("leaves nothing behind", function()
    local function sockets()
      return descriptors(core.pid(), "-e socket -e anon_inode")
    end
    local before = sockets()
    for _ = 1, 20 do
      local dropped = cekura.assert(cekura.redis.new(server.url))
      dropped:command "PING"
      dropped:close()
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before, sockets())
  end)
end)
