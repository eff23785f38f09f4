-- Tasks in nginx that nginx drops, and tasks that go on after their cancellation.

local cekura = require "cekura"
local core = require "cekura.core"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local socket = require "socket"

if (os.getenv "CEKURA_LUA" or "lua5.4") ~= "luajit" then
  return
end

describe("tasks in nginx", function()
  local host, client

  after_each(function()
    if client then
      client:close()
    end
    if host then
      host:stop()
    end
    client, host = nil, nil
  end)

  local function start(http, connections)
    local config = nginx.config(http):gsub("worker_connections %d+", "worker_connections " .. (connections or 256))
    host = nginx.start(config)
    client = cekura.assert(cekura.new { api_key = "key", base_url = host.url, config_file = false, retries = 0 })
  end

  local function get(path)
    local response, err = client:request("GET", path)
    return response and response.body:gsub("\n$", "") or tostring(err)
  end

  local function hold(held)
    for _ = #held, 70 do
      local peer = socket.connect("127.0.0.1", host.port)
      if peer then
        peer:settimeout(0)
        peer:send "GET /x HTTP/1.1\r\n"
        held[#held + 1] = peer
      end
    end
    for place = #held, 1, -1 do
      local _, why = held[place]:receive(1)
      if why == "closed" then
        held[place]:close()
        table.remove(held, place)
      end
    end
  end

  local function quit()
    os.execute("kill -QUIT " .. host.pid)
    assert.truthy(process.comes_true(function() return not host:is_running() end), host:log())
  end

  it("go on after nginx had no free connection, and do not keep the worker alive", function()
    start([[
      init_worker_by_lua_block {
        local cekura = require "cekura"
        local turns = { n = 0, lonely = 0 }
        package.loaded.turns = turns
        cekura.spawn(function()
          while true do
            cekura.spawn(function() return 1 end):join()
            turns.n = turns.n + 1
            cekura.sleep(0.05)
          end
        end)
        -- Spawns a task that is never joined.
        local function again() cekura.spawn(function() turns.lonely = turns.lonely + 1 end) end
        assert(ngx.timer.every(0.05, again))
      }
      server { listen 127.0.0.1:@PORT@;
        location /turns { content_by_lua_block {
          local turns, unbegun = require "turns", 0
          for _ in pairs(require "cekura.loop.unbegun".tasks or {}) do unbegun = unbegun + 1 end
          ngx.say(turns.n, " ", turns.lonely, " ", unbegun)
        } }
      }]], 64)
    assert.truthy(process.eventually(function() return tonumber(get "/turns":match "^%d+") > 2 end))
    client:close() -- frees its connection
    local held, log = {}, 0
    while log < 3 do
      hold(held)
      log = select(2, host:log():gsub("could not create fake connection", ""))
      socket.sleep(0.01)
    end
    for _, peer in ipairs(held) do
      peer:close()
    end
    client = cekura.assert(cekura.new { api_key = "key", base_url = host.url, config_file = false })
    local before = get "/turns":match "^%d+"
    assert.truthy(process.comes_true(function()
      return tonumber(get "/turns":match "^%d+") > tonumber(before) + 2
    end), host:log())
    assert.truthy(process.comes_true(function() return get "/turns":find " [01]$" end), get "/turns")
    quit()
  end)

  it("are killed if they keep waiting after their cancellation, in requests and in timers", function()
    start [[
      init_worker_by_lua_block {
        package.loaded.app = { rounds = 0, request_rounds = 0 }
        local app, cekura = require "app", require "cekura"
        function app.stubborn(count)
          while true do
            pcall(cekura.sleep, 0.01)
            app[count] = app[count] + 1
          end
        end
        app.task = cekura.spawn(app.stubborn, "rounds")
      }
      server { listen 127.0.0.1:@PORT@;
        location /timer { content_by_lua_block {
          local app = require "app"
          app.task:cancel()
          ngx.say(select(2, app.task:join()).kind, " ", ngx.timer.running_count())
        } }
        location /run { content_by_lua_block {
          local app, cekura = require "app", require "cekura"
          ngx.say(select(2, pcall(cekura.run, function()
            cekura.spawn(app.stubborn, "request_rounds")
            cekura.sleep(0.1)
            error("boom", 0)
          end)))
        } }
        location /rounds { content_by_lua_block {
          local app = require "app"
          ngx.say(app.rounds, " ", app.request_rounds)
        } }
      }]]
    assert.equal("boom", get "/run") -- the request ends as well
    assert.equal("cancelled", get "/timer":match "%a+")
    local before = get "/rounds"
    core.wait({}, 1)
    assert.equal(before, get "/rounds")
    quit()
  end)

  it("that sleep for no time, or count the calls of an outbox, give others their turns", function()
    local dir = assert(io.popen "mktemp -d"):read "*l"
    local spool = assert(core.open_spool(dir .. "/box", 1024 * 1024))
    for _ = 1, 3000 do
      assert(core.append_to_spool(spool, "{}"))
    end
    core.close_spool(spool)
    start(([[
      server { listen 127.0.0.1:@PORT@;
        location /turns { content_by_lua_block {
          local cekura, turns = require "cekura", {}
          local function other(count)
            for index = 1, count do turns[#turns + 1] = "other"; cekura.sleep(0) end
          end
          local task = cekura.spawn(other, 3)
          for index = 1, 3 do turns[#turns + 1] = "one"; cekura.sleep(0) end
          task:join()
          ngx.say(table.concat(turns, " "))
        } }
        location /outbox { content_by_lua_block {
          local cekura, turns, is_over = require "cekura", 0, false
          local task = cekura.spawn(function()
            while not is_over do turns = turns + 1; cekura.sleep(0) end
          end)
          local size = cekura.assert(cekura.outbox { path = "%s/box" }):size()
          is_over = true
          ngx.say(size, " ", turns >= 5)
        } }
        location /log { content_by_lua_block { ngx.say "x" } log_by_lua_block {
          local ok, raised = pcall(function() return require "cekura".outbox { path = "%s/box" }:size() end)
          ngx.log(ngx.ERR, tostring(ok), " ", raised)
        } }
      }
    ]]):format(dir, dir))
    assert.equal("one other one other one other", get "/turns")
    assert.equal("3000 true", get "/outbox")
    get "/log"
    assert.truthy(process.comes_true(function()
      return host:log():find "false [^\n]*nginx cannot wait in log_by_lua"
    end), host:log())
    os.execute("rm -rf " .. dir)
  end)

  it("that raise are logged with a traceback, which join returns as well", function()
    start [[
      server { listen 127.0.0.1:@PORT@;
        location /raise { content_by_lua_block {
          local cekura = require "cekura"
          local function here() error("joined", 0) end
          local _, raised, traceback = cekura.spawn(function() here() return 1 end):join()
          ngx.say(raised, " ", (traceback:find "in function 'here'") ~= nil)
          cekura.spawn(function() error "lost" end)
          cekura.sleep(0.05)
        } }
      }]]
    assert.equal("joined true", get "/raise")
    assert.truthy(host:log():find "was not joined: [^\n]*lost\nstack traceback:\n")
    assert.is_nil(host:log():find("was not joined: joined", 1, true))
  end)
end)
