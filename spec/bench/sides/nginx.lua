--- Sends requests in an nginx worker: nginx.lua cosocket|cekura URL REQUESTS IN_FLIGHT. The cosocket's is hand-written
-- code: what nginx's Lua has for requests.

local nginx = require "spec.support.nginx"
local shell = require "spec.support.shell"

local CONFIG = [[
  init_worker_by_lua_block { require "spec.bench.nginx.requests" }
  server {
    listen 127.0.0.1:@PORT@;
    location = /send {
      lua_ssl_trusted_certificate CA_FILE;
      lua_ssl_verify_depth 2;
      content_by_lua_block { require("spec.bench.nginx.requests")(ngx.req.get_uri_args()) }
    }
  }
]]

local way, url, requests, in_flight = arg[1], arg[2], arg[3], arg[4]
local ca_file = os.getenv "CA_FILE"
local config = CONFIG:gsub("lua_ssl_trusted_certificate [%u_]+;", ca_file and "%0" or "")
  :gsub("CA_FILE", ca_file or "")
local host = nginx.start(nginx.config(config))
local figures = shell(("curl -sf '%s/send?way=%s&url=%s&requests=%s&in_flight=%s&ca_file=%s'"):format(host.url, way,
  url, requests, in_flight, ca_file or ""))
io.write(figures, host:log():match "%[error%].*" or "")
host:stop()
