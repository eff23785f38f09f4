--- cekura.testing in nginx, whose loop runs the functions that reply.

local nginx = require "spec.support.nginx"
local shell = require "spec.support.shell"

describe("cekura.testing in nginx", function()
  local server

  setup(function()
    server = nginx.start(nginx.config [[
      server {
        listen 127.0.0.1:@PORT@;
        location / {
          content_by_lua_block {
            local cekura, testing = require "cekura", require "cekura.testing"
            local service = assert(testing.start { speed = 100 })
            local client = assert(service:client { headers = { ["X-Simulate"] = "seconds=50" } })
            local count, bodies = 0, {}
            service:script("/f/", function()
              count = count + 1
              return { body = { count = count } }
            end)
            for index = 1, 3 do
              bodies[index] = assert(client:request("GET", "/f/")).body
            end
            local job = assert(client.metrics:generate { agent_id = 2142 })
            local result = assert(job:wait())
            local requests = #service:requests { path = "/f/" }
            client:close()
            service:stop()
            ngx.say(table.concat(bodies, " "), " ", count, " ", result.status, " ", requests)
          }
        }
      } ]])
  end)

  teardown(function()
    server:stop()
  end)

  it("runs a service in a request, with functions and a speed, again and again", function()
    for _ = 1, 3 do
      assert.equal('{"count":1} {"count":2} {"count":3} 3 completed 3\n', (shell("curl -s -m 100 " .. server.url)))
    end
    assert.is_nil(server:log():find "%[error%]")
    assert.is_nil(server:log():find "%[alert%]")
  end)
end)
