--- The service of the outbox's proof: an nginx that writes down the id of each call that it processes. It keeps nothing
-- in memory, so it may end at any time.

local nginx = require "spec.support.nginx"

local service = {}
service.__index = service

-- A call is processed, and written down, after 0 to DELAY seconds, and answered after 0 to DELAY more.
local BLOCK = [[
  keepalive_requests 1000000000;
  client_max_body_size 100m;
  client_body_buffer_size 2m;
  default_type application/json;
  init_worker_by_lua_block {
    local received = assert(io.open("@FILES@/received", "a"))
    package.loaded.observe = function()
      ngx.req.read_body()
      local id = ngx.req.get_body_data():match '"call_id":"([^"]+)"'
      ngx.sleep(@DELAY@ * math.random())
      received:write(id, "\n")
      received:flush()
      ngx.sleep(@DELAY@ * math.random())
      ngx.status = 201
      ngx.print(('{"id":1,"call_id":"%s"}'):format(id))
    end
  }
  server {
    listen 127.0.0.1:@PORT@;
    location ~ observe/$ { content_by_lua_block { require "observe" () } }
  }
]]

--- Starts one.
---@param files string a folder, for the file "received"
---@param delay number seconds
---@return table service url
function service.start(files, delay)
  local config = nginx.config((BLOCK:gsub("@(%u+)@", { FILES = files, DELAY = delay })))
  local self = setmetatable({ config = config }, service)
  self:go_on()
  return self
end

--- Ends it, as a crash would: connections are cut.
function service:go_away()
  self.nginx:stop()
end

--- Starts it again, on the same port.
function service:go_on()
  self.nginx = nginx.start(self.config, nil, self.port)
  self.port, self.url = self.nginx.port, self.nginx.url
end

return service
