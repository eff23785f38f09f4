-- Webhooks in a server of lua-http's, whose headers are objects, in a loop of cqueues. Debian's package serves Lua 5.1.

if not ("lua5.1 luajit"):find(os.getenv "CEKURA_LUA" or "lua5.4", 1, true) then
  return
end

local cekura = require "cekura"
local cqueues = require "cqueues"
local http_headers = require "http.headers"
local http_server = require "http.server"
local json = require "cjson.safe"
local webhook_cases = require "spec.support.webhook_cases"

it("a server of lua-http's takes webhooks", function()
  local server, client
  local controller = cqueues.new()

  local function answer(stream, receive)
    local event, err = receive(stream:get_headers(), stream:get_body_as_string())
    local reply = http_headers.new()
    reply:append(":status", event and "200" or err.kind == "auth" and "401" or "400")
    reply:append("content-type", "application/json")
    stream:write_headers(reply, false)
    stream:write_chunk(json.encode(event and { type = event.type, duplicate = event.duplicate }
      or { error = err.message }), true)
  end

  controller:wrap(function()
    local receive = cekura.assert(cekura.new { api_key = "k", base_url = "http://127.0.0.1:1", config_file = false })
      :webhook { secret = "whs-1234" }
    server = assert(http_server.listen { host = "127.0.0.1", port = 0, tls = false, cq = controller,
      onstream = function(_, stream) answer(stream, receive) end,
      onerror = function(_, _, operation, err) print(operation, err) end })
    assert(server:listen())
    local _, _, port = server:localname()
    client = cekura.assert(cekura.new { api_key = "k", config_file = false, base_url = "http://127.0.0.1:" .. port })
    webhook_cases(client, "/webhook")
    client:close()
    server:close()
  end)
  assert(controller:loop())
  assert.truthy(client)
end)
