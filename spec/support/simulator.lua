--- Starts and stops the simulator of the API; see spec/support/simulator/README.md.

local simulator = {}
simulator.__index = simulator

-- The body of /bench/: 189 bytes, as progress answers have them.
local BENCH = '{"status":"processing","output":null,"error":null,"padding":"' .. ("x"):rep(126) .. '"}'

local source = debug.getinfo(1, "S").source:match "^@(.*)%.lua$"

local function command(format, ...)
  local pipe = assert(io.popen("{ " .. format:format(...) .. "\n} 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  return (output:gsub("%s+$", ""))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function own_pid()
  return read("/proc/self/stat"):match "^%d+"
end

local function random_port()
  local bytes = assert(io.open("/dev/urandom", "rb"))
  local a, b = bytes:read(2):byte(1, 2)
  bytes:close()
  return 20000 + (a * 256 + b) % 12000 -- below the ports that the system gives to outgoing connections
end

-- A certificate authority of its own, and a certificate for 127.0.0.1 and localhost.
local function make_certificates(dir)
  command([[cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=simulator-ca \
    -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE && \
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr && \
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > names && \
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem]],
    dir)
end

local function try_port(dir, port, tls)
  local listen = tls and ([[listen 127.0.0.1:%d ssl http2; listen [::1]:%d ssl; ssl_certificate %s/server.pem;
    ssl_certificate_key %s/server.key;]]):format(port + 1, port + 1, dir, dir) or ""
  local values = { DIR = dir, PORT = port, OWNER = own_pid(), SOURCE = source, BENCH = BENCH, TLS = listen }
  local path = source
  if path:sub(1, 1) ~= "/" then
    values.SOURCE = command "pwd" .. "/" .. path
  end
  write(dir .. "/nginx.conf", (read(source .. "/nginx.conf"):gsub("@(%u+)@", values)))
  return command("nginx -p %s -c nginx.conf && echo started", dir):match "started$" ~= nil
end

--- Starts one on a free port of the loopback interface.
---@param options? { tls: boolean } tls: https too, on the next port, with a certificate of its own CA
---@return table simulator url, and with tls: tls_url, ca_file
function simulator.start(options)
  local tls = options and options.tls
  local dir = command "mktemp -d"
  if tls then
    make_certificates(dir)
  end
  for _ = 1, 20 do
    local port = random_port()
    if try_port(dir, port, tls) then
      return setmetatable({
        dir = dir,
        url = "http://127.0.0.1:" .. port,
        tls_url = tls and "https://localhost:" .. port + 1,
        ca_file = tls and dir .. "/ca.pem",
        key = "sim-key",
      }, simulator)
    end
  end
  error("the simulator does not start: " .. read(dir .. "/error.log"))
end

--- One that runs while the specs of a `describe` do; pass busted's setup and teardown.
---@return table simulator filled when setup runs
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

--- A client of it. Its configuration comes from nowhere else.
---@param options? table further options of cekura.new()
function simulator:client(options)
  local cekura = require "cekura"
  local all = { api_key = self.key, base_url = self.url, config_file = false }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return cekura.assert(cekura.new(all))
end

function simulator:admin(method, path, body)
  local cekura = require "cekura"
  self.administrator = self.administrator or self:client()
  return cekura.assert(self.administrator:request(method, "/_sim/" .. path, { body = body })):json()
end

--- The next requests to `path` get these replies, the last of them for ever. See simulator/reply.lua.
function simulator:script(path, replies)
  self:admin("POST", "script/", { path = path, replies = replies })
end

--- The requests that came since the last reset, the administrator's left out.
function simulator:requests()
  return self:admin("GET", "requests/").requests or {}
end

function simulator:reset()
  self:admin("POST", "reset/")
end

function simulator:stop()
  if self.administrator then
    self.administrator:close()
  end
  command("p=$(cat %s/nginx.pid) && kill $p && while kill -0 $p; do sleep 0.02; done; rm -rf %s", self.dir, self.dir)
end

return simulator
