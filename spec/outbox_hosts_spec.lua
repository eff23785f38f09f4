--- An outbox in nginx and HAProxy: put() where nothing can wait, and one sender in all workers.

local cekura = require "cekura"
local core = require "cekura.core"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local haproxy_lua = "lua" .. (shell "haproxy -vv":match "Built with Lua version : Lua (%d%.%d)" or "")

local OBSERVE = "/observability/v1/observe/"

local NGINX = [[
init_worker_by_lua_block {
  local cekura = require "cekura"
  local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = "@URL@", config_file = false })
  outbox = cekura.assert(cekura.outbox { path = "@DIR@/box", client = client })
  assert(ngx.timer.at(0, function()
    local _, err = outbox:run()
    if err then
      ngx.log(ngx.ERR, tostring(err))
    end
  end))
}

server {
  listen 127.0.0.1:@PORT@;
  location /call/ {
    content_by_lua_block { ngx.print(ngx.worker.pid()) }
    log_by_lua_block { -- after the answer was sent
      local ok, err = outbox:put { call_id = ngx.var.uri:match "[^/]+$", agent = 2142 }
      if not ok then
        ngx.log(ngx.ERR, tostring(err))
      end
    }
  }
}
]]

-- The call ids that the service was sent.
local function received(server)
  local ids = {}
  for _, request in ipairs(server:requests()) do
    if request.path == OBSERVE then
      ids[core.decode(request.body).call_id] = true
    end
  end
  return ids
end

local function await(server, first, last)
  return process.eventually(function()
    local ids = received(server)
    for index = first, last do
      if not ids["c-" .. index] then
        return false
      end
    end
    return true
  end)
end

-- Has a host end a call, by a request to it.
local function call(url, id)
  local client = cekura.assert(cekura.new { api_key = "key", base_url = url, config_file = false })
  local reply = cekura.assert(client:request("GET", "/call/" .. id))
  client:close()
  return reply.body
end

local in_nginx = lua == "luajit" and describe or function() end

in_nginx("an outbox in nginx", function()
  local server = simulator.during(setup, teardown)
  local host

  before_each(function()
    server:reset()
    local config = nginx.config((NGINX:gsub("@URL@", server.url)))
    host = nginx.start((config:gsub("worker_processes 1", "worker_processes 3")))
  end)

  after_each(function()
    host:stop()
  end)

  it("sends what the log phase of any worker has put, also when workers are killed", function()
    local workers = {}
    for index = 1, 30 do
      workers[call(host.url, "c-" .. index)] = true
    end
    assert.truthy(await(server, 1, 30), host:log())
    assert.truthy(next(workers))
    for _, pid in ipairs(host:workers()) do
      shell("kill -9 " .. pid)
      call(host.url, "c-31")
    end
    for index = 32, 50 do
      call(host.url, "c-" .. index)
    end
    assert.truthy(await(server, 31, 50), host:log())
    assert.is_nil(host:log():find "%[error%]", host:log())
  end)

  it("goes on over a reload, and lets workers end", function()
    for index = 1, 10 do
      call(host.url, "c-" .. index)
    end
    local before = host:workers()
    host:reload()
    for index = 11, 30 do
      call(host.url, "c-" .. index)
    end
    assert.truthy(await(server, 1, 30), host:log())
    assert.truthy(process.comes_true(function()
      local alive = (" " .. table.concat(host:workers(), " ") .. " ")
      return not (alive:find(" " .. before[1] .. " ", 1, true) or alive:find(" " .. before[2] .. " ", 1, true))
    end), host:log())
    assert.is_nil(host:log():find "%[error%]", host:log())
  end)
end)

-- The outbox is opened before HAProxy forks.
local IN_HAPROXY = [[
local cekura = require "cekura"

local PATH = "box"

-- Opened while HAProxy still has the rights that it begins with.
local outbox = cekura.assert(cekura.outbox { path = PATH })

-- put() never waits, so the request is not delayed.
core.register_action("keep_call", { "http-req" }, function(txn)
  local ok, err = outbox:put { call_id = txn.f:path():match "[^/]+$", agent = 2142, call_ended_reason = "hangup" }
  if not ok then
    txn:Alert(tostring(err))
  end
end)

-- One process sends at a time; others of the same directory stand by.
core.register_task(function()
  local sender = cekura.assert(cekura.outbox { path = PATH, client = cekura.assert(cekura.new()) })
  local _, err = sender:run()
  if err then
    core.Alert(tostring(err))
  end
end)
]]

local HAPROXY = [[
global
  lua-prepend-path HERE/lua/?.lua
  lua-prepend-path HERE/lua/?/init.lua
  lua-prepend-path HERE/build/LUA/?.so cpath
  lua-load outbox.lua
  nbthread 2
  pidfile haproxy.pid
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend main
  bind 127.0.0.1:@PORT@
  http-request lua.keep_call if { path_beg /call/ }
  http-request return status 200 content-type text/plain string kept
]]

local in_haproxy = lua == haproxy_lua and describe or function() end

in_haproxy("an outbox in HAProxy", function()
  local server = simulator.during(setup, teardown)
  local host

  before_each(function()
    server:reset()
  end)

  after_each(function()
    if host then
      host:stop()
    end
  end)

  for how, arguments in pairs { ["one process"] = "-db", ["a worker, forked after the load"] = "-W -db" } do
    it("sends what an action has put, in " .. how, function()
      local port, here = process.free_port(), shell "pwd":match "%S+"
      local command = "CEKURA_API_URL=%s CEKURA_API_KEY=sim-key haproxy %s -f haproxy.cfg"
      host = process.start(command:format(server.url, arguments), function()
        return process.listens(port)
      end, function(dir)
        file.write(dir .. "/outbox.lua", IN_HAPROXY)
        file.write(dir .. "/haproxy.cfg", (HAPROXY:gsub("%u%u%u+", { HERE = here, LUA = lua })
          :gsub("@PORT@", tostring(port))))
      end)
      for index = 1, 20 do
        call("http://127.0.0.1:" .. port, "c-" .. index)
      end
      assert.truthy(await(server, 1, 20), host:output())
      assert.truthy(process.eventually(function()
        return shell(("cat %s/box/*.log 2>/dev/null"):format(host.dir)) == ""
      end))
    end)
  end
end)
