--- The server of the measurements: one nginx worker on free ports of the loopback interface, whose answers cost it as
-- little as possible. Each folder answers every path below it with 189 bytes, as a poll of a waiting job gets them:
--
--   /static/      always the same
--   /changing/    different ones each time
--   /slow/        always the same, after 0.3 s
--   /closing/     always the same, and closes the connection
--   /page/        not those: a page of call logs

local certificates = require "spec.support.certificates"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"

local server = {}
server.__index = server

local BODY = '{"status":"processing","output":null,"error":null,"progress":"PROGRESS","padding":"PADDING"}'

local function body(progress)
  local padding = 189 - #BODY + #"PROGRESS" + #"PADDING" - 32
  return (BODY:gsub("%u%u+", { PROGRESS = progress, PADDING = ("x"):rep(padding) }))
end

local CONFIG = [[
  keepalive_requests 1000000000;
  keepalive_timeout 300;
  default_type application/json;
  server {
    listen 127.0.0.1:@PORT@ backlog=4096;
    listen 127.0.0.1:@NEXT@ ssl backlog=4096;
    ssl_certificate @DIR@/server.pem;
    ssl_certificate_key @DIR@/server.key;
    ssl_session_cache shared:sessions:1m;
    location /static/ { return 200 '@STATIC@'; }
    location /changing/ { return 200 '@CHANGING@'; }
    location /slow/ { content_by_lua_block { ngx.sleep(0.3) ngx.header.content_length = 189 ngx.print '@STATIC@' } }
    location /closing/ { keepalive_timeout 0; return 200 '@STATIC@'; }
    location /page/ { root @DIR@; try_files /page.json =404; }
  }
]]

--- Starts the server.
---@param call_logs? string[] those of the page
---@return table server url, tls_url, and ca_file, the certificate that clients of tls_url trust
function server.start(call_logs)
  local bodies = { STATIC = body(("0"):rep(32)), CHANGING = body "$request_id" }
  local config = CONFIG:gsub("@(%u+)@", bodies)
  local host = nginx.start(nginx.config(config), function(dir)
    certificates(dir)
    file.write(dir .. "/page.json", ('{"next":null,"results":[%s]}'):format(table.concat(call_logs or {}, ",")))
  end)
  return setmetatable({
    host = host,
    url = host.url,
    tls_url = "https://localhost:" .. host.port + 1,
    ca_file = host.dir .. "/ca.pem",
  }, server)
end

function server:stop()
  self.host:stop()
end

return server
