--- An outbox in nginx: put() in the log phase, where nothing can wait, and one sender in all workers.

local cekura = require "cekura"
local core = require "cekura.core"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

if (os.getenv "CEKURA_LUA" or "lua5.4") ~= "luajit" then
  return
end

local OBSERVE = "/observability/v1/observe/"

local HTTP = [[
  init_worker_by_lua_block {
    local cekura = require "cekura"
    local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = "URL", config_file = false })
    outbox = cekura.assert(cekura.outbox { path = "@DIR@/box", client = client })
    local function send()
      local sent, err = outbox:run()
      if err then
        ngx.log(ngx.ERR, tostring(err))
      end
    end
    assert(ngx.timer.at(0, send))
  }
  server {
    listen 127.0.0.1:@PORT@;
    location /call/ {
      content_by_lua_block { ngx.print(ngx.worker.pid()) }
      log_by_lua_block {
        local id = ngx.var.uri:match "[^/]+$"
        local ok, err = outbox:put { call_id = id, agent = 2142, customer_number = ngx.var.remote_addr }
        if not ok then
          ngx.log(ngx.ERR, tostring(err))
        end
      }
    }
  }
]]

describe("an outbox in nginx", function()
  local server = simulator.during(setup, teardown)
  local host

  before_each(function()
    server:reset()
    local config = nginx.config((HTTP:gsub("URL", server.url)))
    host = nginx.start((config:gsub("worker_processes 1", "worker_processes 3")))
  end)

  after_each(function()
    host:stop()
  end)

  local function call(id)
    local client = cekura.assert(cekura.new { api_key = "key", base_url = host.url, config_file = false })
    local reply = cekura.assert(client:request("GET", "/call/" .. id))
    client:close()
    return reply.body
  end

  local function received()
    local ids = {}
    for _, request in ipairs(server:requests()) do
      if request.path == OBSERVE then
        ids[core.decode(request.body).call_id] = true
      end
    end
    return ids
  end

  local function await(first, last)
    assert.truthy(process.eventually(function()
      local ids = received()
      for index = first, last do
        if not ids["c-" .. index] then
          return false
        end
      end
      return true
    end), host:log())
  end

  it("sends what the log phase of any worker has put, also when workers are killed", function()
    local workers = {}
    for index = 1, 30 do
      workers[call("c-" .. index)] = true
    end
    await(1, 30)
    assert.truthy(next(workers))
    for _, pid in ipairs(host:workers()) do
      shell("kill -9 " .. pid)
      call "c-31"
    end
    for index = 32, 50 do
      call("c-" .. index)
    end
    await(31, 50)
    assert.is_nil(host:log():find "%[error%]", host:log())
  end)

  it("goes on over a reload, and lets workers end", function()
    for index = 1, 10 do
      call("c-" .. index)
    end
    local before = host:workers()
    host:reload()
    for index = 11, 30 do
      call("c-" .. index)
    end
    await(1, 30)
    assert.truthy(process.eventually(function()
      local alive = (" " .. table.concat(host:workers(), " ") .. " ")
      return not (alive:find(" " .. before[1] .. " ", 1, true) or alive:find(" " .. before[2] .. " ", 1, true))
    end), host:log())
    assert.is_nil(host:log():find "%[error%]", host:log())
  end)
end)
