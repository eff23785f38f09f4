local cekura = require "cekura"
local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local tls_peer = require "spec.support.tls_peer"

describe("over https", function()
  local server = simulator.during(setup, teardown, { tls = true })

  local lua = os.getenv "CEKURA_LUA" or "lua5.4"

  local function client_of(url, options)
    options = options or {}
    options.base_url = url
    return server:client(options)
  end

  it("a client with the right CA keeps using its connection", function()
    local client = client_of(server.tls_url, { ca_file = server.ca_file })
    for _ = 1, 3 do
      cekura.assert(client:request("GET", "/echo/"))
    end
    local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
    assert.truthy(cekura.assert(job:wait { interval = 0.02 }).improved_prompt)
    assert.equal(2, client:stats().connections) -- a start uses a new connection
    client:close()
  end)

  -- Each start uses a new connection.
  it("every start but the first resumes a TLS session", function()
    server:reset()
    local client = client_of(server.tls_url, { ca_file = server.ca_file })
    for _ = 1, 6 do
      cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" })
    end
    assert.equal(6, client:stats().connections)
    client:close()
    local resumed = 0
    for _, request in ipairs(server:requests()) do
      resumed = resumed + (request.resumed and 1 or 0)
    end
    assert.equal(5, resumed)
  end)

  -- libcurl would parse them in the first step that connects, which takes tens of milliseconds.
  it("certificates are loaded when the client is made, not in a step", function()
    local copy = os.tmpname()
    os.execute(("cp %s %s"):format(server.ca_file, copy))
    local client = client_of(server.tls_url, { ca_file = copy })
    os.remove(copy)
    cekura.assert(client:request("GET", "/echo/"))
    client:close()
  end)

  it("a certificate of an unknown CA is tls after one attempt, and nothing is sent", function()
    local client = client_of(server.tls_url)
    local response, err = client:request("GET", "/echo/")
    assert.is_nil(response)
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
    assert.equal(1, err.attempts)
    local _, start_err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
    assert.equal("tls", start_err.kind)
    client:close()
  end)

  it("a certificate for another name is tls", function()
    local client = client_of(server.tls_url:gsub("localhost", "[::1]"), { ca_file = server.ca_file })
    local _, err = client:request("GET", "/echo/")
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
    client:close()
  end)

  it("a server without TLS is tls or network, and does not get the request", function()
    local client = client_of(server.url:gsub("^http:", "https:"), { ca_file = server.ca_file, retries = 0 })
    local _, err = client:request("GET", "/echo/")
    assert.truthy(err.kind == "tls" or err.kind == "network")
    assert.is_false(err.sent)
    client:close()
  end)

  -- With HTTP/2, libcurl 7.88 waited until the deadline.
  it("a large body is answered even by a server that does not read it", function()
    local client = client_of(server.tls_url, { ca_file = server.ca_file })
    local response = cekura.assert(client:request("POST", "/bench/", { body = ("x"):rep(300000), timeout = 60 }))
    assert.equal(200, response.status)
    client:close()
  end)

  for name, text in pairs { empty = "", garbage = "no certificate\n",
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" } do
    it("a ca_file that is " .. name .. " trusts no authority, and the error names the file", function()
      local path = os.tmpname()
      file.write(path, text)
      local client = client_of(server.tls_url, { ca_file = path, retries = 0 })
      local refused, err
      for _ = 1, 2 do
        refused, err = client:request("GET", "/echo/")
        assert.is_nil(refused)
        assert.equal("tls", err.kind)
        assert.is_false(err.sent)
      end
      -- libcurl before 8.23 does not name an empty file.
      assert.truthy(err.message:find(path, 1, true) or name == "empty" and err.message:find "certificate", err.message)
      client:close()
      os.remove(path)
    end)
  end

  it("no option switches a check off", function()
    for _, name in ipairs { "insecure", "verify", "ssl_verify", "verify_peer", "verify_host", "tls_verify", "cert" } do
      assert.has_error(function() client_of(server.tls_url, { [name] = false }) end)
    end
    for _, value in ipairs { false, true, {}, 0 } do
      assert.has_error(function() client_of(server.tls_url, { ca_file = value }) end)
    end
  end)

  local ASK = [[%s %s -e 'local c = require "cekura"
    local client = c.assert(c.new { api_key = "sim-key", base_url = "%s", config_file = false, ca_file = %s })
    local answer, err = client:request("GET", "/echo/")
    print(answer and answer.status or err.kind, err or "")' 2>&1]]

  it("variables of other programs for certificates are ignored", function()
    local trusted, none = ("%q"):format(server.ca_file), "nil"
    for name, value in pairs { SSL_CERT_FILE = server.ca_file, CURL_CA_BUNDLE = server.ca_file,
      SSL_CERT_DIR = server.dir, CURL_SSL_BACKEND = "none" } do
      local variable = name .. "=" .. value
      assert.truthy(shell(ASK:format(variable, lua, server.tls_url, none)):find "^tls\t")
      assert.truthy(shell(ASK:format(name .. "=/nowhere", lua, server.tls_url, trusted)):find "^200\t")
    end
  end)

  it("a version below 1.2 is refused, even if OpenSSL's configuration allows it", function()
    local port = process.free_port()
    local url = "https://localhost:" .. port
    local old = process.start(("openssl s_server -www -tls1_1 -cipher DEFAULT@SECLEVEL=0 -accept 127.0.0.1:%d "
      .. "-cert %s/server.pem -key %s/server.key"):format(port, server.dir, server.dir), function(self)
      return self:output():find("ACCEPT", 1, true)
    end, function(dir)
      file.write(dir .. "/openssl.cnf", "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\n"
        .. "system_default = old\n[old]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n")
    end)
    local environment = "OPENSSL_CONF=" .. old.dir .. "/openssl.cnf"
    local output = shell(ASK:format(environment, lua, url, ("%q"):format(server.ca_file)))
    old:stop()
    assert.truthy(output:find "^tls\t", output)
  end)

  -- In TLS 1.3 the request has left before the server refuses the client.
  it("a server that demands a client certificate is tls, and the request was not received", function()
    for _, version in ipairs { "1.2", "1.3" } do
      local peer = tls_peer.start(("serve --cert %s/server.pem --ask %s --newest %s"):format(server.dir, server.ca_file,
        version))
      local client = client_of("https://localhost:" .. peer.port, { ca_file = server.ca_file })
      local answer, err = client:request("GET", "/echo/")
      assert.is_nil(answer)
      assert.equal("tls", err.kind, tostring(err))
      assert.is_false(err.sent)
      assert.equal(1, err.attempts)
      local _, start_err = client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }
      assert.equal("tls", start_err.kind)
      assert.is_false(start_err.sent)
      local _, wait_err = cekura.assert(client:job("calls.improve_prompt", "some-id")):wait { interval = 0.01 }
      assert.equal("tls", wait_err.kind)
      client:close()
      peer:stop()
      assert.is_nil(peer:output():find("request", 1, true))
    end
  end)

  it("an error of TLS names the host", function()
    local client = client_of(server.tls_url)
    local _, err = client:request("GET", "/echo/")
    assert.truthy(err.message:find("TLS with " .. server.tls_url:match "//(.*)", 1, true), err.message)
    client:close()
  end)

  describe("a ca_file that changes", function()
    local path, client, none

    before_each(function()
      path, none = os.tmpname(), os.tmpname()
      local _, status = shell(("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=none -keyout /dev/null "
        .. "-out %s"):format(none))
      assert.equal(0, status)
    end)

    after_each(function()
      client:close()
      os.remove(path)
      os.remove(none)
    end)

    local function outcome()
      local answer, err = client:request("GET", "/echo/")
      return answer and answer.status or err.kind
    end

    local function take(from)
      file.write(path, file.read(from))
    end

    it("is read again each time", function()
      take(none)
      client = client_of(server.tls_url, { ca_file = path })
      for _ = 1, 5 do
        assert.equal("tls", outcome())
        take(server.ca_file)
        assert.equal(200, outcome())
        assert.equal(200, outcome())
        take(none)
      end
    end)

    it("is read again when another file replaces it", function()
      take(none)
      client = client_of(server.tls_url, { ca_file = path })
      assert.equal("tls", outcome())
      local new = os.tmpname()
      file.write(new, file.read(server.ca_file))
      assert(os.rename(new, path))
      assert.equal(200, outcome())
    end)

    it("is read again through a symbolic link, and through a path without a folder", function()
      local folder = shell "mktemp -d":match "%S+"
      local program = ([[
        local cekura = require "cekura"
        local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false,
          ca_file = "ca.pem" })
        for _, target in ipairs { %q, %q, %q } do
          os.execute("ln -sf " .. target .. " ca.pem")
          local answer, err = client:request("GET", "/echo/")
          print(answer and answer.status or err.kind)
        end
      ]]):format(server.tls_url, server.ca_file, none, server.ca_file)
      local here = shell "pwd":match "[^\n]+"
      local environment = {}
      for _, name in ipairs { "LUA_PATH", "LUA_CPATH" } do -- both are relative paths
        environment[#environment + 1] = ("%s='%s'"):format(name, os.getenv(name):gsub("%f[^;%z]%./", here .. "/")
          :gsub("%f[^;%z]lua/", here .. "/lua/"):gsub("%f[^;%z]build/", here .. "/build/"))
      end
      local output = file.temporary(program, function(code)
        return shell(("cd %s && ln -s %s ca.pem && %s %s %s"):format(folder, none, table.concat(environment, " "), lua,
          code))
      end)
      shell("rm -rf " .. folder)
      assert.equal("200\ntls\n200\n", output)
    end)

    it("stays in use while it is missing, and is read when it is back", function()
      take(server.ca_file)
      client = client_of(server.tls_url, { ca_file = path })
      os.remove(path)
      assert.equal(200, outcome())
      cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = "x" }) -- uses a new connection
      take(none)
      assert.equal("tls", outcome())
    end)

    it("trusts no authority while it is broken", function()
      take(server.ca_file)
      client = client_of(server.tls_url, { ca_file = path, retries = 0 })
      assert.equal(200, outcome())
      file.write(path, file.read(server.ca_file):sub(1, 300))
      assert.equal("tls", outcome())
      assert.equal("tls", outcome())
      take(server.ca_file)
      assert.equal(200, outcome())
    end)
  end)

  it("a wait returns tls", function()
    local client = client_of(server.tls_url)
    local job = cekura.assert(client:job("calls.improve_prompt", "some-id"))
    local _, err = job:wait { interval = 0.01, timeout = 60 }
    assert.equal("tls", err.kind)
    assert.equal(job, err.job)
    client:close()
  end)

  it("an unreadable ca_file is config", function()
    local client, err = cekura.new {
      api_key = "k", base_url = server.tls_url, config_file = false, ca_file = "/nowhere",
    }
    assert.is_nil(client)
    assert.equal("config", err.kind)
    assert.truthy(tostring(err):find("/nowhere", 1, true))
  end)
end)
