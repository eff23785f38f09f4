--- Commands on a real Redis server by TLS, which needs hiredis 1.0 or newer: with an older one it is refused.

local cekura = require "cekura"
local certificates = require "spec.support.certificates"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"

local _, unfit = cekura.redis.new "rediss://localhost"

if select(2, shell "test -e /usr/include/hiredis/hiredis_ssl.h") ~= 0 then
  describe("redis without TLS:", function()
    it("rediss:// is refused", function()
      assert.equal("config", unfit.kind)
      assert.truthy(unfit.message:find("hiredis 1.0", 1, true), unfit.message)
    end)
  end)
  return
end

describe("redis with TLS:", function()
  local dir, server
  local opened = {}

  -- Makes a certificate by the authority.
  local function certify(file, name, time)
    shell(([[cd %s && openssl req -newkey rsa:2048 -nodes -subj /CN=%s -keyout %s.key -out %s.csr && \
      printf 'subjectAltName=DNS:%s' > %s.names && \
      openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key -CAcreateserial %s -extfile %s.names -out %s.pem]])
      :format(dir, name, file, file, name, file, file, time, file, file))
  end

  setup(function()
    dir = shell "mktemp -d":match "%S+"
    certificates(dir)
    certify("elsewhere", "elsewhere.example", "-days 2")
    certify("expired", "localhost", "-not_before 20200101000000Z -not_after 20210101000000Z")
    shell(("mkdir %s/other"):format(dir))
    certificates(dir .. "/other")
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  local function start(certificate, port)
    port = port or process.free_port()
    local file = ("%s/%s"):format(dir, certificate)
    server = redis_server.start(("--tls-port %d --tls-cert-file %s.pem --tls-key-file %s.key "
      .. "--tls-ca-cert-file %s/ca.pem --tls-auth-clients no"):format(port + 1, file, file, dir), port)
    server.secure_port = port + 1
  end

  after_each(function()
    for index, made in ipairs(opened) do
      made:close()
      opened[index] = nil
    end
    server:stop "KILL"
  end)

  local function open(host, options)
    options = options or {}
    options.ca_file = options.ca_file or dir .. "/ca.pem"
    local made = cekura.assert(cekura.redis.new(("rediss://%s:%d/1"):format(host or "localhost", server.secure_port),
      options))
    opened[#opened + 1] = made
    return made
  end

  it("commands of many tasks, and large ones, in both directions", function()
    start "server"
    local redis = open()
    assert.equal("OK", redis:command("SET", "a", "1"))
    assert.truthy(redis:command("CLIENT", "LIST"):find "db=1 ")
    local bytes = ("0123456789abcde\n"):rep(2 ^ 16)
    assert.equal("OK", redis:command("SET", "large", bytes))
    local seen = {}
    cekura.run(function()
      for _ = 1, 100 do
        cekura.spawn(function()
          local number = redis:command("INCR", "n")
          seen[#seen + 1] = number
        end)
      end
      assert.is_true(redis:command("GET", "large") == bytes)
    end)
    assert.equal(100, #seen)
    assert.equal(100, seen[100])
    assert.equal("PONG", open("127.0.0.1"):command "PING")
  end)

  it("a connection that breaks is made again", function()
    start "server"
    local redis = open()
    local first = redis:command("CLIENT", "ID")
    local port = server.port
    server:stop "KILL"
    local _, err = redis:command("PING")
    assert.truthy(err == nil or err.kind == "network" or err.kind == "timeout")
    start("server", port)
    assert.is_number(first)
    assert.is_true(patience.eventually(function() return redis:command "PING" == "PONG" end))
  end)

  for name, case in pairs {
    ["of an authority that is not trusted"] = { "server", ca_file = "other/ca.pem",
      says = "self-signed|signature failure|unable to get local issuer" },
    ["for another host"] = { "elsewhere", says = "hostname mismatch" },
    ["for another host than the address"] = { "elsewhere", host = "127.0.0.1", says = "IP address mismatch" },
    ["that has expired"] = { "expired", says = "expired" },
  } do
    it("a certificate " .. name .. " is refused at once, and nothing is sent", function()
      start(case[1])
      local redis = open(case.host, { timeout = 600, ca_file = dir .. "/" .. (case.ca_file or "ca.pem") })
      local reply, err = redis:command("SET", "a", "1")
      assert.is_nil(reply)
      assert.equal("tls", err.kind)
      assert.is_false(err.sent)
      local found = false
      for text in case.says:gmatch "[^|]+" do
        found = found or err.message:find(text, 1, true)
      end
      assert.truthy(found, err.message)
      assert.is_false(cekura.assert(cekura.redis.new(server.url .. "/1")):command("GET", "a"))
    end)
  end

  it("the system's certificates are the default, whatever the environment says", function()
    start "server"
    local program = [[print(select(2, require "cekura".redis.new("rediss://localhost:%d"):command "PING").kind)]]
    assert.equal("tls\n", (shell(("SSL_CERT_FILE=%s/ca.pem SSL_CERT_DIR=%s %s -e '%s'"):format(dir, dir,
      os.getenv "CEKURA_LUA" or "lua5.4", program:format(server.secure_port)))))
  end)

  it("a file without certificates is refused", function()
    start "server"
    for _, path in ipairs { "/nowhere", "/dev/null", dir .. "/server.key" } do
      local made, err = cekura.redis.new("rediss://localhost", { ca_file = path })
      assert.is_nil(made, path)
      assert.equal("config", err.kind)
      assert.truthy(err.message:find("ca_file", 1, true), err.message)
    end
  end)

  it("a server without TLS gets no login", function()
    start "server"
    local made = cekura.assert(cekura.redis.new(("rediss://:secret@127.0.0.1:%d"):format(server.port),
      { timeout = 0.5, ca_file = dir .. "/ca.pem" }))
    local _, err = made:command "PING"
    assert.truthy(err.kind == "tls" or err.kind == "timeout", tostring(err))
    assert.is_false(err.sent)
    made:close()
    local plain = cekura.assert(cekura.redis.new(("redis://127.0.0.1:%d"):format(server.secure_port),
      { timeout = 0.5 }))
    _, err = plain:command "PING"
    assert.truthy(err.kind == "network" or err.kind == "protocol" or err.kind == "timeout", tostring(err))
    plain:close()
  end)

  it("a server that is silent in the handshake is given up in time, and blocks nothing", function()
    start "server"
    server:signal "STOP"
    local turns = 0
    cekura.run(function()
      local task = cekura.spawn(function()
        return open(nil, { timeout = 0.6, connect_timeout = 0.2 }):command "PING"
      end)
      while task.state ~= "done" do
        cekura.sleep(0.01)
        turns = turns + 1
      end
      local _, err = task:join()
      assert.equal("timeout", err.kind)
      assert.is_false(err.sent)
    end)
    assert.is_true(turns > 5)
    server:signal "CONT"
  end)
end)
