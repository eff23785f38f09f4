--- An answer that has arrived in time counts even if the program looks late, after a long computation or because the
-- process was stopped.

local cekura = require "cekura"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- The program contains the server, so the answer is in the client's socket and the deadline passes before the client is
-- stepped again.
local PROGRAM = [[
local cekura = require "cekura"
local core = require "cekura.core"
local socket = require "socket"
local listener = assert(socket.bind("127.0.0.1", 0))
listener:settimeout(0)

local LIMIT = 1.5 -- seconds; everything before the delay takes less

local function new(options)
  options.api_key, options.config_file, options.retries = "sim-key", false, 0
  options.base_url = "http://127.0.0.1:" .. select(2, listener:getsockname())
  return cekura.assert(cekura.new(options))
end

-- Blocks this process for so many seconds.
local function hang(seconds)
  local over = core.now() + seconds
  while core.now() < over do end
end

-- Accepts one request while other tasks run; returns the connection.
local function take(sleep, peer)
  while not peer do
    peer = listener:accept()
    sleep(0.005)
  end
  peer:settimeout(0)
  local head, length = "", nil
  repeat
    local line, _, part = peer:receive "*l"
    head = head .. (line and line .. "\n" or part or "")
    length = length or tonumber(head:match "[Cc]ontent%%-[Ll]ength: (%%d+)")
    sleep(0.005)
  until line == ""
  while length and length > 0 do
    local data, _, part = peer:receive(length)
    length = length - #(data or part)
    sleep(0.005)
  end
  return peer
end

local function answer(peer, body)
  peer:settimeout(5)
  assert(peer:send(("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %%d\r\n\r\n%%s"):format(#body, body)))
  peer:close()
end

local client = new { timeout = LIMIT %s }
%s
]]

describe("a program that is late", function()
  local function prints(expected, code, options)
    file.temporary(PROGRAM:format(options or "", code), function(path)
      local output, status = shell(("timeout 60 %s %s"):format(lua, path))
      assert.equal(expected, output)
      assert.equal(0, status)
    end)
  end

  describe("does not time out in the own loop:", function()
    it("a start", function()
      prints("p-1\tpending\n", [[
        cekura.run(function()
          local starting = cekura.spawn(function()
            return client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
          end)
          answer(take(cekura.sleep), '{"progress_id": "p-1"}')
          hang(LIMIT + 0.2)
          local job, err = starting:join()
          print(job and job.id or err.kind, job and job.state)
        end)
      ]])
    end)

    it("a start, after the process was stopped", function()
      prints("p-1\n", [[
        cekura.run(function()
          local starting = cekura.spawn(function()
            return client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
          end)
          answer(take(cekura.sleep), '{"progress_id": "p-1"}')
          local pid = io.open("/proc/self/stat"):read "*n"
          os.execute(("(sleep %g; kill -CONT %d) & kill -STOP %d"):format(LIMIT + 0.2, pid, pid))
          local job, err = starting:join()
          print(job and job.id or err.kind)
        end)
      ]])
    end)

    it("a start whose answer is larger than a slice", function()
      prints("true\n", [[
        local text = ("x"):rep(700000)
        cekura.run(function()
          local asking = cekura.spawn(client.request, client, "POST", "/x/")
          local peer = take(cekura.sleep)
          peer:settimeout(0)
          local whole = "HTTP/1.1 200 OK\r\nContent-Length: " .. #text .. "\r\n\r\n" .. text
          local sent = 0
          while sent < #whole do
            local last, _, partial = peer:send(whole, sent + 1)
            sent = last or partial
            if sent == #whole then break end
            cekura.sleep(0)
          end
          hang(LIMIT + 0.2)
          local response, err = asking:join()
          print(response and response.body == text or err.kind)
        end)
      ]])
    end)

    it("a request of plain code that is slow in an event handler", function()
      prints("200\n", [[
        local server = cekura.spawn(function()
          answer(take(cekura.sleep), "{}")
          hang(LIMIT + 0.2)
        end)
        local response, err = client:request("POST", "/x/")
        print(response and response.status or err.kind)
      ]])
    end)

    it("a wait for a job", function()
      prints("better\n", [[
        cekura.run(function()
          local job = cekura.assert(client:job("calls.improve_prompt", "p-1"))
          local waiting = cekura.spawn(job.wait, job, { timeout = LIMIT, interval = 0.01 })
          answer(take(cekura.sleep), '{"status": "completed", "improved_prompt": "better"}')
          hang(LIMIT + 0.2)
          local result, err = waiting:join()
          print(result and result.improved_prompt or err.kind)
        end)
      ]], ", timeout = 60")
    end)

    it("a single poll", function()
      prints("succeeded\n", [[
        cekura.run(function()
          local job = cekura.assert(client:job("calls.improve_prompt", "p-1"))
          local polling = cekura.spawn(job.poll, job)
          answer(take(cekura.sleep), '{"status": "completed", "improved_prompt": "better"}')
          hang(LIMIT + 0.2)
          local polled, err = polling:join()
          print(polled and job.state or err.kind)
        end)
      ]])
    end)

    it("requests of several clients", function()
      prints("200\t200\n", [[
        local other = new { timeout = LIMIT }
        cekura.run(function()
          local first = cekura.spawn(client.request, client, "POST", "/x/")
          local peer = take(cekura.sleep)
          local second = cekura.spawn(other.request, other, "POST", "/x/")
          answer(take(cekura.sleep), "{}")
          answer(peer, "{}")
          hang(LIMIT + 0.2)
          local one, two = first:join(), second:join()
          print(one and one.status, two and two.status)
        end)
      ]])
    end)
  end)

  it("times out if no answer has come", function()
    prints("unknown_outcome\ttimeout\n", [[
      cekura.run(function()
        local asking = cekura.spawn(client.request, client, "POST", "/x/")
        local peer = take(cekura.sleep)
        local _, err = asking:join()
        print(err.kind, err.cause.kind)
      end)
    ]])
  end)

  it("times out if the answer never ends", function()
    prints("unknown_outcome\n", [[
      cekura.run(function()
        local asking = cekura.spawn(client.request, client, "POST", "/x/")
        local peer = take(cekura.sleep)
        peer:settimeout(0)
        peer:send "HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n"
        local _, err
        cekura.spawn(function() _, err = asking:join() end)
        while not err do
          peer:send "xxxxxxxxxx" -- few bytes, so that the announced length is never reached
          cekura.sleep(0)
        end
        print(err.kind)
      end)
    ]])
  end)

  it("times out if the chunks of the answer never end", function()
    prints("unknown_outcome\n", [[
      cekura.run(function()
        local asking = cekura.spawn(client.request, client, "POST", "/x/")
        local peer = take(cekura.sleep)
        peer:settimeout(0)
        peer:send "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        local _, err
        cekura.spawn(function() _, err = asking:join() end)
        local over = core.now() + 20 * LIMIT
        while not err and core.now() < over do
          peer:send("1\r\nx\r\n")
          cekura.sleep(0)
        end
        print(err and err.kind)
      end)
    ]])
  end)

  it("sees the answer even if it only repeats cekura.sleep(0)", function()
    prints("200\n", [[
      local done
      cekura.spawn(function() done = client:request("GET", "/x/") end)
      cekura.spawn(function() answer(take(coroutine.yield), "{}") end)
      local over = core.now() + 20 * LIMIT
      while not done and core.now() < over do cekura.sleep(0) end
      print(done and done.status)
    ]], ", timeout = 60")
  end)

  it("sees the answer even if it only repeats cekura.step()", function()
    prints("200\tnil\n", [[
      local done
      cekura.spawn(function() done = client:request("GET", "/x/") end)
      cekura.spawn(function() answer(take(coroutine.yield), "{}") end)
      local due
      while not done do due = cekura.step(0.01) end
      print(done.status, due)
    ]], ", timeout = 60")
  end)

  describe("does not time out in the loop of", function()
    it("a host that serves timers before descriptors", function()
      prints("better\n", [[
        local hosted, host, readable = require "cekura.loop.hosted", { timers = {} }, nil
        function host.after(seconds, callback)
          local timer = { at = core.now() + seconds, callback = callback }
          host.timers[timer] = true
          return function() host.timers[timer] = nil end
        end
        function host.watch(_, callback)
          readable = callback
          return function() end
        end
        client:close()
        client = new { timeout = 60, loop = hosted.new("mine", host) }
        local done, hung = nil, false
        coroutine.wrap(function()
          local result, err = client:job("calls.improve_prompt", "p-1"):wait { timeout = LIMIT, interval = 0.01 }
          done = result and result.improved_prompt or err.kind
        end)()
        local serving = coroutine.wrap(function()
          answer(take(coroutine.yield), '{"status": "completed", "improved_prompt": "better"}')
          hang(LIMIT + 0.2)
          hung = true
        end)
        while not done do
          if not hung then serving() end
          for timer in pairs(host.timers) do
            if timer.at <= core.now() then
              host.timers[timer] = nil
              timer.callback()
              break
            end
          end
          if core.wait({ client }, 0) then readable() end
        end
        print(done)
      ]])
    end)

    it("libuv", function()
      prints("p-1\tbetter\n", [[
        local uv = require "luv"
        coroutine.wrap(function()
          local starting = cekura.spawn(function()
            return client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
          end)
          answer(take(cekura.sleep), '{"progress_id": "p-1"}')
          hang(LIMIT + 0.2)
          local job = cekura.assert(starting:join())
          local serving = cekura.spawn(function()
            answer(take(cekura.sleep), '{"status": "completed", "improved_prompt": "better"}')
            hang(LIMIT + 0.2)
          end)
          local result, err = job:wait { timeout = LIMIT, interval = 0.01 } -- a coroutine of the program
          print(job.id, result and result.improved_prompt or err.kind)
          listener:close()
        end)()
        uv.run()
      ]], ", loop = 'luv'")
    end)

    it("cqueues", function()
      prints("p-1\tbetter\n", [[
        local cqueues = require "cqueues"
        local controller = cqueues.new()
        controller:wrap(function()
          local starting = cekura.spawn(function()
            return client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
          end)
          answer(take(cekura.sleep), '{"progress_id": "p-1"}')
          hang(LIMIT + 0.2)
          local job = cekura.assert(starting:join())
          cekura.spawn(function()
            answer(take(cekura.sleep), '{"status": "completed", "improved_prompt": "better"}')
            hang(LIMIT + 0.2)
          end)
          local result, err = job:wait { timeout = LIMIT, interval = 0.01 }
          print(job.id, result and result.improved_prompt or err.kind)
        end)
        assert(controller:loop())
      ]])
    end)

    it("a program that polls the client", function()
      prints("p-1\n", [[
        local done
        cekura.spawn(function()
          local starting = cekura.spawn(function()
            return client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
          end)
          answer(take(cekura.sleep), '{"progress_id": "p-1"}')
          hang(LIMIT + 0.2)
          local job, err = starting:join()
          done = job and job.id or err.kind
        end)
        while not done do
          core.wait({ client }, client:timeout())
          client:step()
        end
        print(done)
      ]])
    end)
  end)

  -- The answer comes from another process, which is that of the specs.
  describe("does not time out if its process was stopped", function()
    local server = simulator.during(setup, teardown)

    -- The service holds its answer to the only request of the program until that is stopped.
    local function prints_in_the_end(expected, body, timeout, code)
      server:script("/x/", { { hold = "answer", body = body } })
      local command = ("env -C %s %s $PWD/program"):format(shell "pwd":match "[^\n]+", lua)
      local program = process.start(command, function()
        return server:count "/x/" == 1
      end, function(dir)
        file.write(dir .. "/program", ([[
          local cekura = require "cekura"
          local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false,
            timeout = %s, retries = 0 })
          %s
        ]]):format(server.url, timeout, code))
      end)
      program:signal "STOP"
      server:release "answer"
      cekura.sleep(2)
      program:signal "CONT"
      program:wait_for "\n"
      program:stop()
      server:reset()
      assert.equal(expected, program:output())
    end

    local REQUEST = [[
      local function ask()
        local response, err = client:request("POST", "/x/")
        print(response and response.status or err.message)
      end
    ]]

    it("while a request waited in cekura.run", function()
      prints_in_the_end("200\n", {}, 1.5, REQUEST .. "cekura.run(ask)")
    end)

    it("while a request waited in plain code", function()
      prints_in_the_end("200\n", {}, 1.5, REQUEST .. "ask()")
    end)

    it("while a job was waited for", function()
      prints_in_the_end("better\n", { status = "completed", output = "better" }, 60, [[
        cekura.kind("late.x", { start = "POST /y/", poll = "GET /x/", id = "id", output = "output" })
        cekura.run(function()
          local result, err = client:job("late.x", "1"):wait { timeout = 1.5, interval = 0.01 }
          print(result and result.output or err.message)
        end)
      ]])
    end)

    it("while it waited with several clients", function()
      local code = [[
        cekura.kind("late.x", { start = "POST /y/", poll = "GET /x/", id = "id", output = "output" })
        local other = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false, retries = 0 })
        cekura.run(function()
          local asking = cekura.spawn(other.request, other, "GET", "/z/", { timeout = 1.5 })
          cekura.sleep(0.1)
          local result, err = client:job("late.x", "1"):wait { timeout = 1.5, interval = 0.01 }
          local response, fault = asking:join()
          print(result and result.output or err.message, response and response.status or fault.message)
        end)
      ]]
      server:script("/z/", { { hold = "answer" } })
      prints_in_the_end("better\t200\n", { status = "completed", output = "better" }, 60, code:format(server.url))
    end)
  end)
end)
