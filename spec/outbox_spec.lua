--- An outbox: calls that are kept on disk until the service has them, whoever dies meanwhile.

local cekura = require "cekura"
local core = require "cekura.core"
local entry = require "cekura.outbox.entry"
local file = require "spec.support.file"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local eventually = patience.eventually
local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local OBSERVE = "/observability/v1/observe/"
local ACCEPTED = { status = 201, body = { id = 1, call_id = "c" } }
local KNOWN = { status = 400, body = { call_id = { "call log with this call id already exists." } } }

describe("an outbox", function()
  local server = simulator.during(setup, teardown)
  local dir, path, opened, background

  before_each(function()
    server:reset()
    dir = shell "mktemp -d":match "%S+"
    path, opened = dir .. "/box", {}
    background = (" >%s/output 2>&1 & echo $! >%s/pid"):format(dir, dir)
  end)

  after_each(function()
    for _, box in ipairs(opened) do
      box:close()
    end
    shell("rm -rf " .. dir)
  end)

  local function call(id, more)
    local made = { call_id = id, agent = 2142, transcript_json = { { role = "Main Agent", content = "Good day.",
      start_time = 0, end_time = 1 } } }
    for name, value in pairs(more or {}) do
      made[name] = value
    end
    return made
  end

  local function open(options)
    local all = { path = path }
    for name, value in pairs(options or {}) do
      all[name] = value
    end
    local box = cekura.assert(cekura.outbox(all))
    opened[#opened + 1] = box
    return box
  end

  local function sending(options)
    options = options or {}
    options.client = options.client or server:renew_client()
    return open(options)
  end

  -- How often another task had its turn while `work()` ran.
  local function turns_during(work)
    local turns, is_over = 0, false
    cekura.run(function()
      cekura.spawn(function()
        while not is_over do
          cekura.sleep(0)
          turns = turns + 1
        end
      end)
      work()
      is_over = true
    end)
    return turns
  end

  local function put(box, first, last)
    for index = first, last or first do
      cekura.assert(box:put(call("c-" .. index)))
    end
  end

  -- The call ids that the service was sent, in their order.
  local function sent()
    local ids = {}
    for _, request in ipairs(server:requests()) do
      if request.path == OBSERVE then
        ids[#ids + 1] = core.decode(request.body).call_id
      end
    end
    return table.concat(ids, " ")
  end

  -- The files of entries, by the shell.
  local function segments(where)
    local list = {}
    for name in shell(("ls %s/*.log 2>/dev/null"):format(where or path)):gmatch "%S+" do
      list[#list + 1] = name
    end
    return list
  end

  local function append(name, bytes)
    local handle = assert(io.open(name, "ab"))
    handle:write(bytes)
    handle:close()
  end

  -- Runs a program in a process of its own, which has the functions above. Returns what it prints, and its status.
  local PRELUDE = [[
    io.stdout:setvbuf "no"
    local cekura, core = require "cekura", require "cekura.core"
    local path, url = %q, %q
    local client = cekura.new { api_key = "sim-key", base_url = url, config_file = false }
    local function call(id) return { call_id = id, agent = 2142 } end
    local function open(options)
      options = options or {}
      options.path = options.path or path
      return cekura.assert(cekura.outbox(options))
    end
  ]]

  local function script(program)
    local name = dir .. "/program.lua"
    file.write(name, PRELUDE:format(path, server.url) .. program)
    return lua .. " " .. name
  end

  -- ---- what is sent ----

  describe("sends", function()
    it("what calls:send sends, in the order of arrival", function()
      local box = sending()
      local given = call("c-1", { metadata = { number = 9007199254740991, empty = cekura.list {} }, timestamp = 0 })
      cekura.assert(box:put(given))
      put(box, 2, 5)
      assert.equal(5, box:size())
      assert.equal(5, box:run { until_empty = true })
      assert.equal(0, box:size())
      assert.equal("c-1 c-2 c-3 c-4 c-5", sent())
      cekura.assert(server:renew_client().calls:send(given))
      local requests = {}
      for _, request in ipairs(server:requests()) do
        requests[#requests + 1] = request.path == OBSERVE and request or nil
      end
      assert.equal(requests[6].body, requests[1].body)
      assert.equal(requests[6].headers["content-type"], requests[1].headers["content-type"])
    end)

    it("nothing twice, and leaves no file of entries behind", function()
      local box = sending()
      put(box, 1, 3)
      assert.equal(3, box:run { until_empty = true })
      assert.equal(0, box:run { until_empty = true })
      assert.same({}, segments())
      put(box, 4)
      assert.equal(1, box:run { until_empty = true })
      assert.equal("c-1 c-2 c-3 c-4", sent())
    end)

    it("a recording: the bytes, or those of a file that is there when it is sent", function()
      local box = sending()
      local bytes = "\0\1\n\r\127\128\194\163\255"
      cekura.assert(box:put(call("c-1", { voice_recording = { data = bytes, name = "a.wav" } })))
      cekura.assert(box:put(call("c-2", { voice_recording = dir .. "/b.wav" })))
      cekura.assert(box:put(call("c-3", { voice_recording = "https://recordings.example/c.wav" })))
      file.write(dir .. "/b.wav", bytes .. bytes)
      assert.equal(3, box:run { until_empty = true })
      assert.same({ { call_id = "c-1", filename = "a.wav", size = 9 },
        { call_id = "c-2", filename = "b.wav", size = 18 } }, server:admin("GET", "memory/").recordings)
      assert.equal("https://recordings.example/c.wav", core.decode(server:requests()[3].body).voice_recording)
    end)

    it("with a recording, the fields that calls:send sends, also nulls", function()
      local box = sending()
      local given = call("c-1", { voice_recording = { data = "x" }, logs = { "a", "b" },
        metadata = { none = cekura.null, list = { 1, cekura.null }, empty = cekura.list {} } })
      cekura.assert(box:put(given))
      assert.equal(1, box:run { until_empty = true })
      cekura.assert(server:renew_client().calls:send(given))
      local bodies = {}
      for index, request in ipairs(server:requests()) do
        bodies[index] = request.body:gsub("%-%-cekura%-%x+", "BOUNDARY")
      end
      assert.truthy(bodies[1]:find('"none":null', 1, true), bodies[1])
      assert.equal(bodies[2], bodies[1])
    end)

    it("any bytes of a recording", function()
      local bytes = {}
      for byte = 0, 255 do
        bytes[byte + 1] = string.char(byte)
      end
      bytes = table.concat(bytes) .. "\195\169\194\194"
      local text = entry.text(call("c-1", { voice_recording = { data = bytes, content_type = "audio/x" } }))
      assert.is_nil(text:find "\n")
      assert.equal(shell "pwd":match "[^\n]+" .. "/a.wav",
        entry.call(entry.text(call("c-1", { voice_recording = "a.wav" }))).voice_recording)
      assert.same({ data = bytes, content_type = "audio/x" }, entry.call(text).voice_recording)
    end)

    it("what comes while it runs, until it is closed", function()
      local box = sending()
      cekura.run(function()
        local task = cekura.spawn(function()
          return box:run()
        end)
        put(box, 1)
        server:wait_for(OBSERVE, 1)
        cekura.sleep(0.05)
        put(box, 2)
        server:wait_for(OBSERVE, 2)
        eventually(function() return box:size() == 0 end)
        eventually(function() return #segments() == 0 end)
        put(box, 3)
        server:wait_for(OBSERVE, 3)
        box:close()
        assert.equal(3, (task:join()))
      end)
      local ok, err = box:put(call "c-4")
      assert.is_nil(ok)
      assert.equal("closed", err.kind)
    end)

    it("what another process puts", function()
      local box = sending()
      cekura.run(function()
        local task = cekura.spawn(function()
          return box:run()
        end)
        cekura.sleep(0.05)
        assert.equal("", (shell(script [[ cekura.assert(open():put(call "c-1")) ]])))
        server:wait_for(OBSERVE, 1)
        box:close()
        assert.equal(1, (task:join()))
      end)
    end)
  end)

  it("checks a call as calls:send does, at the line of the program", function()
    local box = open()
    for given, message in pairs {
      [{ agent = 1 }] = "put: call_id is missing",
      [{ call_id = "c", agent = 1, agent_id = 2 }] = "agent_id: here the service calls it `agent`",
      [call("c", { colour = 1 })] = "there is no parameter colour",
      [call("c", { transcript_json = { { role = "agent" } } })] = "Main Agent",
      [call("c", { voice_recording = { data = 1 } })] = "voice_recording.data",
      [call("c", { voice_recording = { data = "x" }, logs = { "a", cekura.null } })] = "logs[2]",
    } do
      local ok, raised = pcall(function()
        box:put(given)
      end)
      assert.is_false(ok)
      assert.truthy(raised:find(message, 1, true), raised)
      assert.truthy(raised:find "^[^\n]*outbox_spec.lua:%d+: cekura: ", raised)
    end
    assert.equal(0, box:size())
    assert.has_error(function() box:run() end)
    assert.has_error(function() cekura.outbox { path = path, every = 1 } end)
    assert.has_error(function() cekura.outbox { path = "" } end)
  end)

  it("is nil and an error where its directory cannot be made", function()
    local box, err = cekura.outbox { path = dir .. "/no/such/box" }
    assert.is_nil(box)
    assert.equal("config", err.kind)
    assert.equal(dir .. "/no/such/box", err.file)
  end)

  -- ---- answers ----

  describe("moves to the refused ones", function()
    it("what the service refuses, at once, and sends the others", function()
      local refused = {}
      local box = sending { on_refused = function(given, err)
        cekura.sleep(0.01) -- it may wait
        refused[#refused + 1] = given.call_id .. " " .. err.kind
      end }
      put(box, 1)
      cekura.assert(box:put(call("c-2", { redact_fields = { "No Name" } })))
      cekura.assert(box:put(call("c-3", { voice_recording = dir .. "/missing.wav" })))
      put(box, 4)
      assert.equal(2, box:run { until_empty = true })
      assert.same({ "c-2 invalid", "c-3 config" }, refused)
      assert.equal("c-1 c-2 c-4", sent())
      assert.equal(2, box:status().refused)
      file.write(dir .. "/missing.wav", "found")
      assert.equal(2, box:retry())
      assert.equal(2, box:size())
      assert.equal(1, box:run { until_empty = true })
      assert.equal("c-2 invalid", refused[3])
      assert.equal(1, box:status().refused)
    end)

    it("calls whose recordings are missing, and gives other tasks their turns", function()
      local box = sending()
      for index = 1, 20 do
        cekura.assert(box:put(call("c-" .. index, { voice_recording = dir .. "/missing.wav" })))
      end
      local turns = turns_during(function()
        assert.equal(0, box:run { until_empty = true })
      end)
      assert.truthy(turns >= 20, turns)
      assert.equal(20, box:status().refused)
    end)

    it("what a handler raises for, too, and goes on", function()
      local box = sending { on_refused = function() error "in the handler" end }
      cekura.assert(box:put(call("c-1", { redact_fields = { "No Name" } })))
      put(box, 2)
      assert.equal(1, box:run { until_empty = true })
      assert.equal(1, box:status().refused)
    end)

    it("what fails for so long while later calls are accepted", function()
      local bad = { status = 500, body = { detail = "boom" } }
      server:script(OBSERVE, { bad, bad, ACCEPTED, ACCEPTED, bad, bad, bad, bad, bad, bad, bad, bad, bad, bad })
      local refused
      local box = sending { give_up = 2, on_refused = function(given, err)
        refused = given.call_id .. " " .. err.kind
      end }
      put(box, 1, 3)
      assert.equal(2, box:run { until_empty = true })
      assert.truthy(sent():find "^c%-1 c%-1 c%-2 c%-3 c%-1", sent())
      assert.equal("c-1 server", refused)
      assert.equal(1, box:status().refused)
    end)
  end)

  describe("of many calls gives other tasks their turns while", function()
    local MANY = 3000

    -- Fills a spool, all of whose entries are in that state.
    local function fill(where, state)
      local spool = assert(core.open_spool(where, 1024 * 1024))
      for index = 1, MANY do
        assert(core.append_to_spool(spool, ('{"agent":2142,"call_id":"c-%d"}'):format(index)))
      end
      local count = 0
      while state and count < MANY do
        local item = core.next_of_spool(spool)
        if item ~= true then
          assert(core.mark_in_spool(spool, item, state))
          count = count + 1
        end
      end
      core.close_spool(spool)
    end

    it("they are counted", function()
      fill(path)
      for _, how in ipairs { "size", "status" } do
        local counted
        local box = sending()
        local turns = turns_during(function()
          counted = box[how](box)
        end)
        assert.equal(MANY, how == "size" and counted or counted.waiting)
        assert.truthy(turns >= 10, turns)
      end
    end)

    it("refused ones are put back", function()
      open()
      fill(path .. "/refused")
      local box = sending()
      local turns = turns_during(function()
        assert.equal(MANY, box:status().refused)
        assert.equal(MANY, box:retry())
      end)
      assert.truthy(turns >= 20, turns)
      local status = open():status()
      assert.equal(MANY, status.waiting)
      assert.equal(0, status.refused)
    end)

    it("refused ones are put back once, although a sender refuses them again meanwhile", function()
      local box, count = sending { on_refused = function() end }, nil
      for index = 1, MANY do
        cekura.assert(box:put(call("c-" .. index, { voice_recording = "/nowhere/recording.wav" })))
      end
      cekura.assert(box:run { until_empty = true })
      cekura.run(function()
        local sender = cekura.spawn(box.run, box)
        count = cekura.assert(box:retry())
        box:close()
        sender:join()
      end)
      assert.equal(MANY, count)
      local status = open():status()
      assert.equal(MANY, status.waiting + status.refused)
    end)

    it("those that are done are passed", function()
      fill(path, "done")
      local box = sending()
      local turns = turns_during(function()
        assert.equal(0, box:run { until_empty = true })
      end)
      assert.truthy(turns >= 10, turns)
      assert.same({}, segments())
    end)

    it("they are counted, also if its sender begins or the outbox is closed meanwhile", function()
      fill(path)
      local box = sending()
      cekura.run(function()
        local function assert_counted_while(act)
          local counting = cekura.spawn(box.size, box)
          cekura.sleep(0)
          act()
          local size = cekura.assert(counting:join())
          assert.truthy(size <= MANY and size >= MANY - server:count(OBSERVE), size)
        end
        local sender
        assert_counted_while(function()
          sender = cekura.spawn(box.run, box)
        end)
        assert_counted_while(function()
          box:close()
        end)
        sender:join()
      end)
      local size, err = box:size()
      assert.is_nil(size)
      assert.equal("closed", err.kind)
    end)

    it("they are counted, which ends if the task is cancelled", function()
      fill(path)
      local box, size, err = open(), nil, nil
      cekura.run(function()
        local task
        task = cekura.spawn(function()
          size, err = box:size()
        end)
        cekura.sleep(0)
        task:cancel()
        task:join()
      end)
      assert.is_nil(size)
      assert.equal("cancelled", err.kind)
    end)
  end)

  it("has nothing that only root can use, if root has sent its calls once", function()
    if shell "id -u" ~= "0\n" then
      return
    end
    shell(("mkdir -m 700 %s && chown nobody:nogroup %s"):format(path, path))
    server:script(OBSERVE, { { status = 400, body = { detail = "no" } } })
    local box = sending()
    put(box, 1, 2)
    assert.equal(0, box:run { until_empty = true })
    assert.equal(2, box:retry())
    assert.equal("", (shell(("find %s ! -user nobody -o ! -group nogroup"):format(path))))
    assert.equal("sender.lock refused reader.lock",
      (shell(("cd %s; echo sender.lock refused; cd refused; ls *.lock"):format(path)):gsub("\n", " "):gsub(" $", "")))
  end)

  it("keeps its calls from other users, and the key out of its files", function()
    server:script(OBSERVE, { { status = 400, body = { detail = "not with " .. server.key } } })
    local told
    local box = sending { on_refused = function(_, err)
      told = tostring(err)
    end }
    put(box, 1)
    assert.equal(0, box:run { until_empty = true })
    assert.truthy(told:find("not with [key]", 1, true), told)
    put(box, 2)
    assert.equal("", (shell(("grep -r %s %s"):format(server.key, path))))
    local modes = shell(("cd %s && find . -printf '%%m %%y %%f\\n' | sort"):format(path)):gsub("%d+%.log", "N.log")
    assert.equal("600 f N.log\n600 f N.log\n600 f sender.lock\n700 d .\n700 d refused\n", modes)
  end)

  it("sends later what has failed alone, beside the others", function()
    local bad = { status = 500 }
    server:script(OBSERVE, { bad, bad, ACCEPTED, ACCEPTED, bad, ACCEPTED })
    local box = sending()
    put(box, 1, 3)
    assert.equal(3, box:run { until_empty = true })
    assert.equal("c-1 c-1 c-2 c-3 c-1 c-1", sent())
  end)

  it("keeps the order if the service fails for all", function()
    local bad = { status = 500 }
    server:script(OBSERVE, { bad, bad, bad, ACCEPTED })
    local box = sending()
    put(box, 1, 3)
    assert.equal(3, box:run { until_empty = true })
    assert.equal("c-1 c-1 c-2 c-1 c-2 c-3", sent())
  end)

  -- Has the first calls of the directory set aside long ago.
  local function set_aside(count)
    local spool = assert(core.open_spool(path, 2 ^ 22))
    for _ = 1, count do
      assert(core.mark_in_spool(spool, assert(core.next_of_spool(spool)), "waiting", 1))
    end
    core.close_spool(spool)
  end

  it("sends the others however many are set aside and due", function()
    server:script(OBSERVE, { ACCEPTED, { status = 504 }, ACCEPTED })
    local box = sending()
    put(box, 1, 4)
    set_aside(2)
    cekura.run(function()
      local task = cekura.spawn(function()
        return box:run()
      end)
      server:wait_for(OBSERVE, 3)
      assert.equal("c-3 c-1 c-4", (sent():match "^%S+ %S+ %S+"))
      box:close()
      task:join()
    end)
  end)

  it("tries at growing pauses what was set aside long ago, while nothing shows that others are accepted", function()
    local bad = { status = 500 }
    server:script(OBSERVE, { bad, bad, bad, bad, bad, bad })
    local box = sending { give_up = 1 }
    put(box, 1)
    set_aside(1)
    cekura.run(function()
      local begun = core.now()
      local task = cekura.spawn(function()
        return box:run()
      end)
      server:wait_for(OBSERVE, 4)
      assert.truthy(core.now() - begun > 2.4) -- 0.5, 1 and 2 s, each less a quarter at most
      box:close()
      task:join()
    end)
  end)

  it("waits for as long as the service asks", function()
    server:script(OBSERVE, { { status = 429, headers = { ["Retry-After"] = "2" } }, ACCEPTED })
    local box = sending { client = server:renew_client { retries = 0 } }
    put(box, 1, 2)
    local begun = core.now()
    assert.equal(2, box:run { until_empty = true })
    assert.truthy(core.now() - begun > 1.5)
    assert.equal("c-1 c-1 c-2", sent())
  end)

  it("sets aside what alone is answered with Retry-After, after as long as that says", function()
    local busy = { status = 503, headers = { ["Retry-After"] = "1" } }
    server:script(OBSERVE, { busy, busy, busy, busy, ACCEPTED })
    local box = sending { client = server:renew_client { retries = 0 } }
    put(box, 1, 2)
    cekura.run(function()
      local begun = core.now()
      local task = cekura.spawn(function()
        return box:run()
      end)
      server:wait_for(OBSERVE, 5)
      assert.truthy(core.now() - begun > 3.9)
      assert.equal("c-1 c-1 c-1 c-1 c-2", sent())
      box:close()
      task:join()
    end)
  end)

  it("waits for a service that is away", function()
    local port = process.free_port()
    local box = open { client = cekura.assert(cekura.new { api_key = server.key, config_file = false, retries = 0,
      base_url = "http://127.0.0.1:" .. port }) }
    put(box, 1, 3)
    local later
    cekura.run(function()
      local task = cekura.spawn(function()
        return box:run { until_empty = true }
      end)
      cekura.sleep(0.3)
      assert.equal(3, box:size())
      later = simulator.start { port = port }
      assert.equal(3, (task:join()))
    end)
    local ids = {}
    for index, request in ipairs(later:requests()) do
      ids[index] = core.decode(request.body).call_id
    end
    later:stop()
    assert.equal("c-1 c-2 c-3", table.concat(ids, " "))
  end)

  it("stops where the key is refused, and keeps what waits", function()
    local box = open { client = server:client { api_key = "wrong" } }
    put(box, 1, 2)
    local count, err = box:run()
    assert.is_nil(count)
    assert.equal("auth", err.kind)
    assert.equal(2, box:size())
    assert.equal(2, sending():run { until_empty = true })
  end)

  it("ends with its client", function()
    local client = server:client()
    local box = open { client = client }
    cekura.run(function()
      local task = cekura.spawn(function()
        return box:run()
      end)
      cekura.sleep(0.05)
      client:close()
      put(box, 1)
      task:join()
    end)
    assert.equal(1, box:size())
  end)

  describe("takes a refusal that names call_id", function()
    it("as a refusal, if it is the first answer", function()
      server:script(OBSERVE, { KNOWN })
      local box = sending()
      put(box, 1)
      assert.equal(0, box:run { until_empty = true })
      assert.equal(1, box:status().refused)
    end)

    it("as delivered, after an attempt that may have arrived", function()
      server:script(OBSERVE, { { status = 504 }, KNOWN })
      local box = sending()
      put(box, 1)
      assert.equal(1, box:run { until_empty = true })
      assert.equal(0, box:status().refused)
    end)

    it("as a refusal, after an attempt that has not arrived", function()
      server:script(OBSERVE, { { status = 429 }, { status = 429 }, KNOWN })
      local box = sending { client = server:renew_client { retries = 0 } }
      put(box, 1)
      assert.equal(0, box:run { until_empty = true })
      assert.equal(1, box:status().refused)
    end)

    it("as a refusal, after an attempt of an earlier sender that has not arrived", function()
      local url = "http://127.0.0.1:" .. process.free_port()
      local earlier = open { client = server:client { base_url = url, retries = 0 } }
      put(earlier, 1)
      cekura.run(function()
        local task = cekura.spawn(function()
          return earlier:run()
        end)
        cekura.sleep(0.2)
        earlier:close()
        task:join()
      end)
      server:script(OBSERVE, { KNOWN })
      local box = sending()
      assert.equal(0, box:run { until_empty = true })
      assert.equal(1, box:status().refused)
    end)

    it("as delivered, if a sender was killed while its attempt was under way", function()
      server:script(OBSERVE, { { hold = "never" }, KNOWN })
      put(open(), 1)
      shell(script [[ open { client = client }:run() ]] .. background)
      cekura.run(function()
        server:wait_for(OBSERVE, 1)
      end)
      shell("kill -9 " .. file.read(dir .. "/pid"))
      local box = sending()
      assert.equal(1, box:run { until_empty = true })
      assert.equal(0, box:status().refused)
    end)
  end)

  -- ---- processes ----

  it("has one sender at a time, and another takes over when that is killed", function()
    server:script(OBSERVE, { { hold = "never" }, ACCEPTED })
    put(open(), 1, 2)
    shell(script [[ open { client = client }:run() ]] .. background)
    local box = sending()
    cekura.run(function()
      server:wait_for(OBSERVE, 1)
      local task = cekura.spawn(function()
        return box:run()
      end)
      cekura.sleep(1.5)
      assert.equal(1, server:count(OBSERVE)) -- it stands by
      shell("kill -9 " .. file.read(dir .. "/pid"))
      server:wait_for(OBSERVE, 3)
      eventually(function() return box:size() == 0 end)
      box:close()
      assert.equal(2, (task:join()))
    end)
    assert.equal("c-1 c-1 c-2", sent())
  end)

  it("ends a sender that stands by until the outbox is empty once another has emptied it", function()
    local first = sending()
    local second = open { client = server:client() }
    cekura.run(function()
      local task = cekura.spawn(function()
        return first:run()
      end)
      cekura.sleep(0.05)
      put(first, 1, 3)
      assert.equal(0, second:run { until_empty = true })
      assert.equal(0, first:size())
      first:close()
      assert.equal(3, (task:join()))
    end)
  end)

  it("keeps what was put by processes that were killed", function()
    local program = script [[
      local box, first = open(), tonumber(arg[1])
      for index = 1, math.huge do
        cekura.assert(box:put(call(("p%d-%d"):format(first, index))))
        io.stdout:write(("p%d-%d\n"):format(first, index))
      end
    ]]
    local commands = {}
    for index = 1, 3 do
      commands[index] = ("%s %d >%s/acknowledged%d & pids=\"$pids $!\""):format(program, index, dir, index)
    end
    shell(table.concat(commands, "\n") .. "\nsleep 0.3; kill -9 $pids")
    local box = sending()
    local before = box:status()
    local known = {}
    for index = 1, 3 do
      for id in (file.read(dir .. "/acknowledged" .. index) or ""):gmatch "(p%S+)\n" do
        known[#known + 1] = id
      end
    end
    assert.truthy(#known > 10, #known)
    assert.truthy(before.waiting >= #known and before.waiting <= #known + 3)
    for _, name in ipairs(segments()) do
      local text = file.read(name)
      for index = #known, 1, -1 do
        if text:find('"' .. known[index] .. '"', 1, true) then
          table.remove(known, index)
        end
      end
    end
    assert.same({}, known)
  end)

  it("goes on in a new directory if it was removed", function()
    local box = sending()
    cekura.run(function()
      local task = cekura.spawn(function()
        return box:run()
      end)
      put(box, 1)
      server:wait_for(OBSERVE, 1)
      eventually(function() return box:size() == 0 end)
      shell("rm -rf " .. path)
      assert.equal("", (shell(script [[ cekura.assert(open():put(call "c-2")) ]])))
      server:wait_for(OBSERVE, 2)
      shell("rm -rf " .. path)
      put(box, 3)
      server:wait_for(OBSERVE, 3)
      box:close()
      assert.equal(3, (task:join()))
    end)
  end)

  it("ends where the task that runs it is cancelled, and runs again", function()
    server:script(OBSERVE, { { hold = "never" }, ACCEPTED })
    local box = sending()
    cekura.run(function()
      for index = 1, 2 do -- while it waits for calls, and for an answer
        local task = cekura.spawn(function()
          return box:run()
        end)
        cekura.sleep(0.05)
        if index == 2 then
          put(box, 1)
          server:wait_for(OBSERVE, 1)
        end
        task:cancel()
        local ended, err = task:join()
        assert.is_nil(ended)
        assert.equal("cancelled", err.kind)
      end
      cekura.sleep(0.7)
      assert.equal(1, server:count(OBSERVE)) -- nobody sends
      assert.equal(1, box:run { until_empty = true })
      assert.equal(2, server:count(OBSERVE))
    end)
  end)

  it("goes on putting, or says why not, if its directory cannot be opened again", function()
    path = dir .. "/parent/box"
    shell(("mkdir %s/parent"):format(dir))
    local box = sending()
    cekura.run(function()
      local task = cekura.spawn(function()
        return { box:run() }
      end)
      cekura.sleep(0.05)
      shell(("rm -rf %s/parent"):format(dir))
      local ended = task:join()
      assert.is_nil(ended[1])
      assert.equal("config", ended[2].kind)
      local ok, err = box:put(call "c-1")
      assert.is_nil(ok)
      assert.equal("config", err.kind)
      shell(("mkdir %s/parent"):format(dir))
      put(box, 1)
      assert.equal(1, box:run { until_empty = true })
    end)
  end)

  it("is not empty where a file cannot be read", function()
    local box = sending()
    put(box, 1)
    shell(("mkdir %s/1700000000000000.log"):format(path))
    local count, err = box:run { until_empty = true }
    assert.is_nil(count)
    assert.equal("config", err.kind)
    assert.truthy(tostring(err):find("Is a directory", 1, true), tostring(err))
  end)

  it("is not counted for ever while a process is stopped that appends", function()
    local box = sending()
    put(box, 1)
    append(segments()[1], "a part of an entry")
    local pid = shell(("flock -s %s sleep 600 >&- 2>&- & echo $!"):format(path)):match "%d+"
    assert.truthy(process.eventually(function()
      return select(2, shell(("flock -xn %s true"):format(path))) ~= 0
    end))
    local size, err = box:size()
    os.execute("pkill -P " .. pid .. "; kill " .. pid)
    assert.is_nil(size)
    assert.equal("config", err.kind)
    assert.truthy(err.message:find("another process keeps its files locked", 1, true), err.message)
  end)

  -- ---- damage and full disks ----

  it("skips and counts a part of an entry, wherever it is", function()
    local box = sending()
    put(box, 1)
    local name = segments()[1]
    local whole = file.read(name)
    append(name, whole:sub(1, 60))
    put(box, 2)
    append(name, whole:sub(1, 20))
    local status = box:status()
    assert.equal(2, status.waiting)
    assert.equal(2, status.torn)
    assert.equal(2, box:run { until_empty = true })
    assert.equal("c-1 c-2", sent())
    assert.same({}, segments())
  end)

  -- Runs a program with a small file system of its own at `path`.
  local function on_small_disk(program)
    return shell(("unshare --mount sh -c 'mkdir -p %s && mount -t tmpfs -o size=64k none %s && %s'"):format(path, path,
      script(program)))
  end

  it("has nil and an error for a full disk, loses nothing, and empties it", function()
    local output = on_small_disk [[
      local box = open { path = path .. "/box", client = client }
      local count, err = 0, nil
      local function fill(size)
        local ok = true
        while ok do
          local given = call("c-" .. count + 1)
          given.metadata = { padding = ("x"):rep(size) }
          ok, err = box:put(given)
          count = count + (ok and 1 or 0)
        end
      end
      fill(3000)
      assert(count > 10 and box:size() == count, count)
      assert(err.kind == "config" and err.file == path .. "/box", tostring(err))
      assert(tostring(err):find "No space left on device", tostring(err))
      local filler = io.open(path .. "/filler", "w")
      filler:write(("x"):rep(65536))
      filler:close()
      fill(1) -- the last page
      local sent = cekura.assert(box:run { until_empty = true })
      assert(sent == count, sent)
      assert(box:size() == 0)
      cekura.assert(box:put(call "after"))
      assert(box:run { until_empty = true } == 1)
      io.stdout:write(count)
    ]]
    local count = tonumber(output)
    assert.truthy(count, output)
    local expected = {}
    for index = 1, count do
      expected[index] = "c-" .. index
    end
    assert.equal(table.concat(expected, " ") .. " after", sent())
  end)

  it("keeps what is refused while it cannot be stored", function()
    local output = on_small_disk [[
      local refused = 0
      local box = open { path = path .. "/box", client = client, on_refused = function() refused = refused + 1 end }
      local given = call "c-1"
      given.redact_fields, given.metadata = { "No Name" }, { padding = ("x"):rep(9000) }
      cekura.assert(box:put(given))
      local filler = io.open(path .. "/filler", "w")
      filler:write(("x"):rep(65536))
      filler:close()
      cekura.run(function()
        local task = cekura.spawn(function() return box:run { until_empty = true } end)
        cekura.sleep(0.3)
        assert(box:size() == 1 and refused == 0)
        os.remove(path .. "/filler")
        assert(task:join() == 0)
      end)
      assert(refused == 1 and box:status().refused == 1 and box:size() == 0)
    ]]
    assert.equal("", (output:gsub("cekura: outbox [^\n]*No space left on device\n", "")))
    assert.equal("c-1", sent())
  end)

  it("syncs where it is to: each entry, and once for each file its name", function()
    local library, log = dir .. "/sync_log.so", dir .. "/log"
    local output, status = shell(("cc -shared -fPIC -o %s spec/support/sync_log.c"):format(library))
    assert.equal(0, status, output)
    assert.equal("", (shell(("SYNC_LOG=%s LD_PRELOAD=%s %s"):format(log, library, script [[
      cekura.assert(open():put(call "c-1"))
      local box = open { sync = true }
      cekura.assert(box:put(call "c-2"))
      cekura.assert(box:put(call "c-3"))
    ]]))))
    assert.equal("fdatasync fsync fsync fdatasync ", file.read(log))
  end)
end)
