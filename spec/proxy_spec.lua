-- Proxies: the certificate of a proxy is checked like that of the service, the error of a refusal names the proxy, and
-- a proxy that can never work is refused when the client is made.

local cekura = require "cekura"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local tls_peer = require "spec.support.tls_peer"

describe("a proxy", function()
  local server = simulator.during(setup, teardown, { tls = true })
  local peers = {}
  local client

  -- Two certificates: one of the service's authority for another name, and a self-signed one.
  setup(function()
    local output, status = shell(([[cd %s && openssl req -newkey rsa:2048 -nodes -subj /CN=elsewhere.example \
        -keyout elsewhere.key -out elsewhere.csr && echo subjectAltName=DNS:elsewhere.example >elsewhere &&
      openssl x509 -req -in elsewhere.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile elsewhere \
        -out elsewhere.pem &&
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout own.key -out own.pem \
        -addext subjectAltName=DNS:localhost]]):format(server.dir))
    assert.equal(0, status, output)
  end)

  after_each(function()
    if client then
      client:close()
    end
    for index = #peers, 1, -1 do
      peers[index]:stop()
      peers[index] = nil
    end
  end)

  -- Starts a peer. In the arguments, `--cert server` stands for the option and file of the certificate `server`.
  local function start(role, arguments)
    local peer = tls_peer.start(role .. " " .. (arguments or ""):gsub("%-%-cert (%w+)", "--cert " .. server.dir
      .. "/%1.pem"))
    table.insert(peers, peer)
    return peer
  end

  local function new(options)
    options.ca_file = options.ca_file == nil and server.ca_file or options.ca_file or nil
    options.base_url = options.base_url or server.tls_url
    client = server:client(options)
    return client
  end

  local function asked()
    local answer, err = client:request("GET", "/echo/")
    assert.is_nil(answer)
    return err
  end

  local function assert_refused(kind, mentioned, other)
    local err = asked()
    assert.equal(kind, err.kind, tostring(err))
    assert.is_false(err.sent)
    assert.equal(1, err.attempts)
    assert.truthy(err.message:find(mentioned, 1, true), err.message)
    assert.is_nil(other and err.message:find(other, 1, true), err.message)
    local job, start_err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.is_nil(job)
    assert.equal(kind, start_err.kind)
    assert.is_false(start_err.sent)
    local _, wait_err = cekura.assert(client:job("calls.improve_prompt", "some-id")):wait { interval = 0.01 }
    assert.equal(kind, wait_err.kind)
    return err
  end

  describe("over TLS", function()
    it("passes requests, starts and polls if ca_file trusts it", function()
      local peer = start("proxy", "--cert server")
      new { proxy = "https://localhost:" .. peer.port }
      for _ = 1, 3 do
        cekura.assert(client:request("GET", "/echo/"))
      end
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
      assert.truthy(cekura.assert(job:wait { interval = 0.02 }).improved_prompt)
      assert.truthy(peer:output():find("proxy CONNECT localhost:", 1, true))
    end)

    it("with a bad certificate is tls, and the error names the proxy's host", function()
      for _, certificate in ipairs { "own", "elsewhere" } do
        local peer = start("proxy", "--cert " .. certificate)
        new { proxy = "https://localhost:" .. peer.port }
        assert_refused("tls", "TLS with the proxy localhost:" .. peer.port, server.tls_url:match "%d+$")
        assert.is_nil(peer:output():find("proxy", 1, true), peer:output())
        client:close()
      end
    end)

    it("of an unknown authority is refused without ca_file", function()
      local peer = start("proxy", "--cert server")
      new { proxy = "https://localhost:" .. peer.port, ca_file = false }
      assert_refused("tls", "TLS with the proxy localhost:" .. peer.port)
    end)

    it("in front of a service with a bad certificate is tls, and the error names the service's host", function()
      local proxy, service = start("proxy", "--cert server"), start("serve", "--cert own")
      new { proxy = "https://localhost:" .. proxy.port, base_url = "https://localhost:" .. service.port }
      assert_refused("tls", "TLS with localhost:" .. service.port, "the proxy")
      assert.truthy(proxy:output():find("CONNECT localhost:" .. service.port, 1, true))
      assert.is_nil(service:output():find("request", 1, true))
    end)

    it("is set up when the client is made, not in a step", function()
      local peer = start("proxy", "--cert server")
      for _, base_url in ipairs { server.tls_url, "http://service.example" } do
        local copy = os.tmpname()
        os.execute(("cp %s %s"):format(server.ca_file, copy))
        new { proxy = "https://localhost:" .. peer.port, base_url = base_url, allow_http = true, ca_file = copy }
        os.remove(copy)
        cekura.assert(client:request("GET", "/echo/"))
        client:close()
      end
    end)

    it("without TLS, or with an old version, is tls", function()
      local old = start("proxy", "--cert server --newest 1.1")
      for _, port in ipairs { old.port, server.url:match "%d+$" } do
        new { proxy = "https://localhost:" .. port }
        assert_refused("tls", "TLS with the proxy localhost:" .. port)
        client:close()
      end
    end)

    -- An interruption says nothing about certificates, and a retry may succeed.
    it("in front of a service whose handshake is interrupted is network", function()
      local proxy = start("proxy", "--cert server")
      for _, role in ipairs { "cut", "reset" } do
        local service = start(role)
        local base_url = "https://localhost:" .. service.port
        new { proxy = "https://localhost:" .. proxy.port, base_url = base_url, retries = 1 }
        local err = asked()
        assert.equal("network", err.kind, tostring(err))
        assert.is_false(err.sent)
        assert.equal(2, err.attempts)
        client:close()
      end
    end)

    it("needs TLS 1.2 or newer, whatever OpenSSL's configuration allows", function()
      local peer = start("proxy", "--cert server --newest 1.1")
      local configuration = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = old\n[old]\n"
        .. "MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n"
      local output = file.temporary(configuration, function(path)
        return shell(([[OPENSSL_CONF=%s %s -e 'local c = require "cekura"
          local client = c.assert(c.new { api_key = "k", base_url = "%s", config_file = false, ca_file = "%s",
            proxy = "https://localhost:%d" })
          local answer, err = client:request("GET", "/echo/")
          print(answer and answer.status or err.kind, err or "")' 2>&1]]):format(path,
          os.getenv "CEKURA_LUA" or "lua5.4", server.tls_url, server.ca_file, peer.port))
      end)
      assert.truthy(output:find "^tls\t", output)
    end)
  end)

  it("without TLS in front of a service with a bad certificate is tls", function()
    local proxy, service = start "proxy", start("serve", "--cert own")
    new { proxy = "http://localhost:" .. proxy.port, base_url = "https://localhost:" .. service.port }
    assert_refused("tls", "TLS with localhost:" .. service.port, "the proxy")
  end)

  -- In TLS 1.3 the request has left before the server refuses the client; the proxy's answer to CONNECT came earlier.
  it("without TLS in front of a service that demands a client certificate is tls", function()
    for _, version in ipairs { "1.2", "1.3" } do
      local proxy = start "proxy"
      local service = start("serve", ("--cert server --ask %s --newest %s"):format(server.ca_file, version))
      new { proxy = "http://localhost:" .. proxy.port, base_url = "https://localhost:" .. service.port }
      assert_refused("tls", "TLS with localhost:" .. service.port, "the proxy")
      client:close()
    end
  end)

  describe("that refuses", function()
    for _, status in ipairs { 401, 403, 407 } do
      it(("a tunnel with %d is auth, and the error names the proxy"):format(status), function()
        for scheme, arguments in pairs { http = "", https = " --cert server" } do
          local peer = start("proxy", "--answer " .. status .. arguments)
          new { proxy = scheme .. "://localhost:" .. peer.port }
          assert.equal(status, assert_refused("auth", "by the proxy localhost:" .. peer.port).status)
          client:close()
        end
      end)
    end

    it("a plain request with 407 is auth", function()
      local peer = start("proxy", "--answer 407")
      new { proxy = "http://localhost:" .. peer.port, base_url = "http://service.example", allow_http = true }
      local err = asked()
      assert.equal("auth", err.kind)
      assert.equal(407, err.status)
      assert.equal(1, err.attempts)
    end)

    it("a tunnel because it cannot reach the service is network, and is retried", function()
      local peer = start("proxy", "--answer 502")
      new { proxy = "http://localhost:" .. peer.port, retries = 1 }
      local err = asked()
      assert.equal("network", err.kind)
      assert.is_false(err.sent)
      assert.equal(2, err.attempts)
    end)

    it("with SOCKS is auth if the reason is the user or a rule", function()
      for _, answer in ipairs { "none", "user", 2 } do
        local peer = start("socks", "--answer " .. answer)
        new { proxy = "socks5h://user:word@localhost:" .. peer.port }
        assert_refused("auth", "by the proxy localhost:" .. peer.port)
        client:close()
      end
    end)

    it("with SOCKS is network if the service is unreachable", function()
      for _, answer in ipairs { 1, 3, 4, 5 } do
        local peer = start("socks", "--answer " .. answer)
        new { proxy = "socks5h://localhost:" .. peer.port, retries = 1 }
        local err = asked()
        assert.equal("network", err.kind)
        assert.equal(2, err.attempts)
        client:close()
      end
    end)
  end)

  -- libcurl accepts 16 KiB; before 8.6 it reports a longer line as out of memory.
  it("that answers CONNECT with a line that is too long is protocol", function()
    local peer = start("proxy", "--line 8000")
    new { proxy = "http://localhost:" .. peer.port }
    cekura.assert(client:request("GET", "/echo/"))
    client:close()
    peer = start("proxy", "--line 200000")
    new { proxy = "http://localhost:" .. peer.port }
    assert_refused("protocol", "the headers are larger")
  end)

  describe("from the environment", function()
    local ASK = [[%s %s -e 'local c = require "cekura"
      local client, err = c.new { api_key = "k", base_url = "%s", config_file = false, retries = 0, ca_file = "%s" }
      if not client then print("new", err.kind, err) os.exit() end
      local answer, err = client:request("GET", "/echo/")
      print(answer and answer.status or err.kind, err or "")' 2>&1]]

    local function ask(environment, url)
      return (shell(ASK:format(environment, os.getenv "CEKURA_LUA" or "lua5.4", url or server.tls_url, server.ca_file)))
    end

    it("is trusted by ca_file as well", function()
      for certificate, outcome in pairs { server = "^200\t", own = "^tls\t.*the proxy localhost:" } do
        local peer = start("proxy", "--cert " .. certificate)
        local output = ask("https_proxy=https://localhost:" .. peer.port)
        assert.truthy(output:find(outcome), output)
      end
    end)

    it("is the first variable of those that libcurl reads", function()
      local peer = start "proxy"
      local good, bad = ("=http://localhost:%d "):format(peer.port), "=http://localhost:1 "
      for _, environment in ipairs {
        "https_proxy" .. good .. "HTTPS_PROXY" .. bad, "HTTPS_PROXY" .. good .. "all_proxy" .. bad,
        "all_proxy" .. good .. "ALL_PROXY" .. bad .. "http_proxy" .. bad .. "HTTP_PROXY" .. bad,
        "https_proxy= ALL_PROXY" .. good,
      } do
        assert.truthy(ask(environment):find "^200\t", environment)
      end
      local _, count = peer:output():gsub("CONNECT", "")
      assert.equal(4, count)
    end)

    it("that can never work is config, and the error does not show its text", function()
      for _, url in ipairs { "http://user:hunter2@proxy:port", "nonsense://user:hunter2@127.0.0.1:1",
        "user:hunter2 x@127.0.0.1:1", "http://user:hunter2@127.0.0.1:99999", "http://user:hunter2@127.0.0.1:0",
        "http://user:hunter2@pr\195\182xy:1", "http://user:hunter2@pr%C3%B6xy:1", "https://user:hunter2@a..b:1" } do
        for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy" } do
          local output = ask(("%s='%s'"):format(name, url))
          assert.truthy(output:find("^new\tconfig\t.*" .. name), output)
          assert.is_nil(output:find("hunter2", 1, true))
        end
      end
    end)

    it("that can never work is ignored by a client that does not use it", function()
      for _, environment in ipairs { "no_proxy=localhost", "NO_PROXY='example.com, .localhost'", "no_proxy='*'",
        "http_proxy=http://a:b:c" } do
        local others = environment:find "^http_proxy" and "" or "https_proxy=nonsense://x "
        assert.truthy(ask(others .. environment):find "^200\t", environment)
      end
      assert.truthy(ask("all_proxy=nonsense://x", server.url):find "^200\t") -- plain http to this machine
      local address = server.tls_url:gsub("localhost", "127.0.0.1")
      assert.truthy(ask("https_proxy=nonsense://x no_proxy=127.0.0.0/8", address):find "^200\t")
      assert.truthy(ask("https_proxy=nonsense://x no_proxy=elsewhere.example"):find "^new\tconfig\t")
    end)
  end)
end)
