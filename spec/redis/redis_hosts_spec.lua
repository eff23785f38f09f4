--- Commands on a real Redis server in real hosts, which go on while Redis is silent.

local cekura = require "cekura"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local HERE = shell "pwd":match "[^\n]+"

-- A module `app` in the host: pages, by name. `blocked` pops from a list, and `anchored` counts what the client holds
-- for commands.
local APP = [[
local cekura = require "cekura"
local core = require "cekura.core"
local client, redis, other
local function open()
  client = client or cekura.assert(cekura.new { api_key = "sim-key", base_url = "http://127.0.0.1:1",
    config_file = false })
  return cekura.assert(cekura.redis.new("URL", { client = client, timeout = 60 }))
end
local app = {}
function app.ping() return "pong" end
function app.set()
  redis = redis or open()
  return tostring(cekura.assert(redis:command("SET", "key", "value")))
end
function app.get()
  redis = redis or open()
  return cekura.assert(redis:command("GET", "key"))
end
function app.long()
  redis = redis or open()
  local script = "local list = {} for i = 1, 20000 do list[i] = i end return list"
  return tostring(#cekura.assert(redis:command("EVAL", script, 0)))
end
function app.pop()
  other = other or open()
  return cekura.assert(other:command("BLPOP", "list", 0))[2]
end
function app.anchored()
  local count = 0
  for key, value in pairs(core.fields(client)) do
    count = count + (type(key) == "number" and type(value) == "table" and 1 or 0)
  end
  return tostring(count)
end
return app
]]

describe("redis in", function()
  local server, direct, host, client

  before_each(function()
    server = redis_server.start()
    direct = cekura.assert(cekura.redis.new(server.url))
  end)

  after_each(function()
    direct:close()
    if client then
      client:close()
    end
    if host then
      host:stop()
    end
    server:stop "KILL"
    client, host = nil, nil
  end)

  local function write_app(dir)
    file.write(dir .. "/app.lua", (APP:gsub("URL", server.url)))
  end

  local function connect(url)
    client = cekura.assert(cekura.new { api_key = "sim-key", base_url = url, config_file = false, retries = 0,
      timeout = 60 })
  end

  local function get(path)
    return (cekura.assert(client:request("GET", path)).body:gsub("\n$", ""))
  end

  local function is_blocked()
    return direct:command("INFO", "clients"):find "blocked_clients:1" ~= nil
  end

  -- Checks that pages wait for replies, and that others are served while Redis is silent or a command blocks.
  local function check(prefix)
    assert.equal("OK", get(prefix .. "set"))
    assert.equal("value", get(prefix .. "get"))
    assert.equal("20000", get(prefix .. "long"))
    cekura.run(function()
      local task = cekura.spawn(get, prefix .. "pop")
      patience.eventually(is_blocked)
      assert.equal("pong", get(prefix .. "ping"))
      assert.equal("value", get(prefix .. "get"))
      assert.equal("running", task.state == "done" and "done" or "running")
      assert.equal(1, direct:command("RPUSH", "list", "popped"))
      assert.equal("popped", task:join())
    end)
    server:signal "STOP"
    cekura.run(function()
      local task = cekura.spawn(get, prefix .. "get")
      for _ = 1, 20 do
        cekura.sleep(0.01)
        assert.equal("pong", get(prefix .. "ping"))
      end
      assert.is_true(task.state ~= "done")
      server:signal "CONT"
      assert.equal("value", task:join())
    end)
    assert.equal("0", get(prefix .. "anchored"))
  end

  if lua == "luajit" then
    it("nginx", function()
      host = nginx.start(nginx.config [[
        server {
          listen 127.0.0.1:@PORT@;
          lua_check_client_abort on;
          location / { content_by_lua_block { ngx.say((require("app")[ngx.var.uri:sub(2)]())) } }
        }]], write_app)
      connect(host.url)
      check "/"
      -- A request whose client has gone.
      local gone = cekura.assert(cekura.new { api_key = "sim-key", base_url = host.url, config_file = false })
      cekura.run(function()
        local task = cekura.spawn(function() return gone:request("GET", "/pop") end)
        patience.eventually(is_blocked)
        task:cancel()
        gone:close()
        assert.equal("value", get "/get")
        assert.equal("1", get "/anchored")
        assert.equal(1, direct:command("RPUSH", "list", "lost"))
        patience.eventually(function() return get "/anchored" == "0" end)
      end)
      assert.is_nil(host:log():find("[error]", 1, true), host:log())
    end)
  end

  local haproxy = "lua" .. (shell "haproxy -vv 2>&1":match "Built with Lua version : Lua (%d%.%d)" or "")
  if lua == haproxy then
    it("HAProxy", function()
      local port = process.free_port()
      host = process.start("haproxy -db -f haproxy.cfg", function() return process.listens(port) end, function(dir)
        write_app(dir)
        file.write(dir .. "/service.lua", [[
          core.register_service("serve", "http", function(applet)
            local ok, text = pcall(require("app")[applet.path:match "%w+"])
            applet:set_status(ok and 200 or 500)
            applet:start_response()
            applet:send(tostring(text))
          end)
        ]])
        file.write(dir .. "/haproxy.cfg", (([[
global
  lua-prepend-path HERE/lua/?.lua
  lua-prepend-path HERE/lua/?/init.lua
  lua-prepend-path DIR/?.lua
  lua-prepend-path HERE/build/LUA/?.so cpath
  lua-load service.lua
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend main
  bind 127.0.0.1:PORT
  http-request use-service lua.serve
]]):gsub("%u+", { HERE = HERE, DIR = dir, LUA = lua, PORT = port })))
      end)
      connect("http://127.0.0.1:" .. port)
      check "/"
    end)
  end

  if lua == "lua5.4" and select(2, shell "command -v prosody") == 0 then
    it("Prosody", function()
      local port = process.free_port()
      local function absolute(paths)
        return (paths:gsub("[^;]+", function(path)
          return path:sub(1, 1) == "/" and path or HERE .. "/" .. path
        end))
      end
      host = process.start(("LUA_PATH='./?.lua;%s' LUA_CPATH='%s' prosody -F --config prosody.cfg.lua"):format(
        absolute(package.path), absolute(package.cpath)), function(self)
        return self:output():find("Serving 'probe'", 1, true)
      end, function(dir)
        file.write(dir .. "/app.lua", (APP:gsub("URL", server.url)))
        file.write(dir .. "/mod_probe.lua", ([[
          package.path = %q .. "/?.lua;" .. package.path
          local async = require "util.async"
          module:depends "http"
          local routes = {}
          for _, name in ipairs { "ping", "set", "get", "long", "pop", "anchored" } do
            routes["GET /" .. name] = function() return require "app"[name]() end
          end
          module:provides("http", { route = routes })
        ]]):format(dir))
        file.write(dir .. "/prosody.cfg.lua", ([[
          plugin_paths = { %q }
          modules_enabled = { "http", "probe" }
          modules_disabled = { "s2s", "c2s", "posix" }
          http_ports = { %d }
          http_interfaces = { "127.0.0.1" }
          https_ports = {}
          run_as_root = true
          data_path = %q
          pidfile = %q
          log = { { levels = { min = "info" }, to = "console" } }
          VirtualHost "localhost"
        ]]):format(dir, port, dir, dir .. "/pid"))
      end)
      connect(("http://localhost:%d"):format(port))
      check "/probe/"
    end)
  end

  if pcall(require, "luv") then
    it("a luv program", function()
      local output = file.temporary(([[
        local uv, cekura = require "luv", require "cekura"
        local client = cekura.assert(cekura.new { api_key = "k", base_url = "http://127.0.0.1:1", config_file = false,
          loop = "luv" })
        local redis = cekura.assert(cekura.redis.new(%q, { client = client, timeout = 60 }))
        local ticks, stopped = 0, false
        local ticker = uv.new_timer()
        ticker:start(5, 5, function() ticks = ticks + 1 end)
        ticker:unref()
        coroutine.wrap(function()
          print(redis:command("SET", "key", "value"))
          os.execute "kill -STOP %d"
          stopped = true
          local before = ticks
          coroutine.wrap(function()
            repeat cekura.sleep(0.01) until ticks > before + 20
            stopped = false
            os.execute "kill -CONT %d"
          end)()
          print(redis:command("GET", "key"), stopped)
          client:close()
        end)()
        uv.run()
      ]]):format(server.url, server.pid, server.pid), function(path)
        return (shell(("timeout 120 %s %s 2>&1"):format(lua, path)))
      end)
      assert.equal("OK\nvalue\tfalse\n", output)
    end)
  end
end)
