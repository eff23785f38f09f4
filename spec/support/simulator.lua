--- Starts and stops the simulator of the API; see spec/support/simulator/README.md.

local file = require "spec.support.file"
local make_certificates = require "spec.support.certificates"
local nginx = require "spec.support.nginx"
local shell = require "spec.support.shell"
local testing = require "cekura.testing"

local simulator = {}
simulator.__index = simulator

-- The body of /bench/: 189 bytes, like the answers to polls.
local BENCH = '{"status":"processing","output":null,"error":null,"padding":"' .. ("x"):rep(126) .. '"}'

-- The part of the configuration for https.
local TLS = [[listen 127.0.0.1:@NEXT@ ssl http2; listen [::1]:@NEXT@ ssl; ssl_certificate @DIR@/server.pem;
  ssl_certificate_key @DIR@/server.key; ssl_session_cache shared:sessions:1m;]] -- libcurl ignores tickets of TLS 1.2

-- The root of the checkout, from which nginx loads the simulator's modules.
local root = debug.getinfo(1, "S").source:match "^@(.*)spec/support/simulator%.lua$"
if root:sub(1, 1) ~= "/" then
  root = shell "pwd":gsub("%s+$", "") .. "/" .. root
end

-- The simulator as nginx serves it, in processes of its own.
local function start_nginx(options)
  local tls = options.tls
  local values = { ROOT = root, BENCH = BENCH, TLS = tls and TLS or "" }
  local config = file.read(root .. "spec/support/simulator/nginx.conf"):gsub("@(%u+)@", values)
  local server = nginx.start(config, tls and make_certificates, options.port)
  return {
    nginx = server,
    dir = server.dir,
    url = server.url,
    tls_url = tls and "https://localhost:" .. server.port + 1,
    ca_file = tls and server.dir .. "/ca.pem",
  }
end

-- The simulator as the module serves it, in this process.
local function start_own(options)
  local service = assert(testing.start { port = options.port })
  return { service = service, url = service.url, dir = shell "mktemp -d":match "%S+" }
end

--- Starts a simulator on a free port of the loopback interface.
---@param options? { tls: boolean, nginx: boolean, port: integer } tls: https as well, on the next port, with a
---certificate of a new authority; nginx: by nginx, as with tls; port: the first port, a free one if nil
---@return table simulator url, dir, a folder of its own; and with tls: tls_url, ca_file
function simulator.start(options)
  options = options or {}
  local self = (options.tls or options.nginx) and start_nginx(options) or start_own(options)
  self.key = "sim-key"
  return setmetatable(self, simulator)
end

--- A simulator that runs during the specs of a `describe`. Pass busted's setup and teardown.
---@return table simulator filled in when setup runs
function simulator.during(setup, teardown, options)
  local self = setmetatable({}, simulator)
  setup(function()
    for name, value in pairs(simulator.start(options)) do
      self[name] = value
    end
  end)
  teardown(function()
    self:stop()
  end)
  return self
end

--- A client of the simulator, with no other configuration.
---@param options? table further options of cekura.new()
function simulator:client(options)
  local cekura = require "cekura"
  local all = { api_key = self.key, base_url = self.url, config_file = false }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return cekura.assert(cekura.new(all))
end

--- A client that replaces the last one of this function, which is closed. stop() closes the last one.
---@param options? table further options of cekura.new()
function simulator:renew_client(options)
  self.renewed = self.renewed or setmetatable({}, { __mode = "v" }) -- a spec may let its client be collected
  if self.renewed.client then
    self.renewed.client:close()
  end
  self.renewed.client = self:client(options)
  return self.renewed.client
end

function simulator:admin(method, path, body)
  local cekura = require "cekura"
  self.administrator = self.administrator or self:client()
  return cekura.assert(self.administrator:request(method, "/_sim/" .. path, { body = body })):json()
end

-- Scripts over HTTP may not contain files.
local function has_file(replies)
  for _, reply in ipairs(replies) do
    if reply.file then
      return true
    end
  end
end

--- The next requests to `path` get these replies in order, and later ones the last reply. See simulator/reply.lua.
function simulator:script(path, replies)
  if has_file(replies) then
    return self.service:script(path, replies)
  end
  self:admin("POST", "script/", { path = path, replies = replies })
end

--- Releases the replies whose `hold` is that name.
function simulator:release(name)
  self:admin("POST", "release/", { name = name })
end

--- The requests since the last reset, without those of the administrator.
function simulator:requests()
  return self:admin("GET", "requests/").requests or {}
end

--- How many requests went to that path.
function simulator:count(path)
  local count = 0
  for _, request in ipairs(self:requests()) do
    count = count + (request.path == path and 1 or 0)
  end
  return count
end

--- Waits in a task until `count` requests to that path have come.
---@param count? integer 1 if nil
function simulator:wait_for(path, count)
  require("spec.support.patience").eventually(function()
    return self:count(path) >= (count or 1)
  end)
end

function simulator:reset()
  self:admin("POST", "reset/")
end

function simulator:stop()
  if self.administrator then
    self.administrator:close()
  end
  if self.renewed and self.renewed.client then
    self.renewed.client:close()
  end
  if self.nginx then
    self.nginx:stop()
  else
    self.service:stop()
    shell("rm -rf " .. self.dir)
  end
end

return simulator
