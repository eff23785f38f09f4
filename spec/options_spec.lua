-- The options of a client: the sources of each, and which values are refused.

local cekura = require "cekura"
local core = require "cekura.core"
local errors = require "cekura.errors"
local options = require "cekura.client.options"
local weak = require "spec.support.weak"

local environment, home, getenv

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

-- The user's configuration file.
local function write_config(text)
  write(home .. "/.cekura/config.toml", text)
end

-- The configuration file and the environment of the machine must not affect the specs.
before_each(function()
  home = os.tmpname()
  os.remove(home)
  assert(os.execute(("mkdir -p '%s/.cekura'"):format(home)))
  environment = { HOME = home }
  getenv = stub(os, "getenv", function(name)
    return environment[name]
  end)
end)

after_each(function()
  getenv:revert()
  os.execute(("rm -r '%s'"):format(home))
end)

-- Resolves the options after adding a key.
local function resolve(given)
  given = given or {}
  given.api_key = given.api_key or "sk-1"
  return options.resolve(given)
end

-- The message of the `config` error that the options cause.
local function refusal(given)
  local resolved, err = options.resolve(given)
  assert.is_nil(resolved)
  assert.is_true(errors.is(err))
  assert.equal("config", err.kind)
  assert.is_nil(tostring(err):find("\n", 1, true))
  return err.message
end

-- The message that resolving the options raises.
local function raised(given)
  local ok, message = pcall(options.resolve, given)
  assert.is_false(ok)
  assert.is_string(message)
  return message
end

local function assert_mentions(what, message)
  assert(message:find(what, 1, true), ("%q is not in: %s"):format(what, message))
end

local function header(resolved, name)
  local found
  for _, line in ipairs(resolved.engine.headers) do
    if type(line) == "string" and line:lower():match "^[^:;]+" == name:lower() then
      assert.is_nil(found, "twice: " .. name)
      found = line
    end
  end
  return found
end

-- A key can be compared, but not read.
local function assert_key(key, given)
  local resolved = assert(options.resolve(given))
  assert.is_true(core.equal_secrets(key, resolved.engine.secrets[1]))
  assert.is_true(core.equal_secrets("X-CEKURA-API-KEY: " .. key, resolved.engine.headers[1]))
end

describe("the API key", function()
  it("comes from the option, else from the environment, else from the file", function()
    write_config 'api_key = "from the file"\n'
    assert_key("from the file", {})
    environment.CEKURA_API_KEY = "from the environment"
    assert_key("from the environment", {})
    assert_key("from the option", { api_key = "from the option" })
  end)

  it("counts as absent when it is empty", function()
    write_config 'api_key = "from the file"\n'
    environment.CEKURA_API_KEY = ""
    assert_key("from the file", { api_key = "" })
  end)

  it("is required, and the error lists the ways to give one", function()
    local message = refusal {}
    for _, way in ipairs { "api_key", "CEKURA_API_KEY", "cekura auth login --api-key" } do
      assert_mentions(way, message)
    end
  end)

  it("is required even if the file has a browser sign-in, and the error says so", function()
    write_config '[auth]\naccess_token = "tok-1"\n'
    local message = refusal {}
    assert_mentions("cekura auth login --api-key", message)
    assert_mentions("sign-in", message)
    assert.is_nil(message:find("tok-1", 1, true))
  end)

  it("may come from elsewhere if the file has a browser sign-in", function()
    write_config '[auth]\naccess_token = "tok-1"\n'
    assert_key("sk-1", { api_key = "sk-1" })
  end)

  for name, text in pairs { CR = "\r", LF = "\n", NUL = "\0", ["CR LF and a header"] = "\r\nX-Evil: 1" } do
    it(("with %s is refused from every source, and not shown"):format(name), function()
      local function check(given)
        local message = refusal(given)
        assert_mentions("key", message)
        assert.is_nil(message:find("sk-", 1, true))
      end
      check { api_key = "sk-1" .. text }
      check { api_key = text .. "sk-1" }
      environment.CEKURA_API_KEY = "sk-" .. text .. "2"
      check {}
      if name ~= "NUL" then
        environment.CEKURA_API_KEY = nil
        write_config(('api_key = "sk-3%s"\n'):format((text:gsub("\r", "\\r"):gsub("\n", "\\n"))))
        check {}
      end
    end)
  end
end)

describe("the base URL", function()
  local function base(given)
    return assert(resolve(given)).fields._base_url
  end

  it("comes from the option, else from the environment, else from the file, else is the service's", function()
    assert.equal("https://api.cekura.ai", base())
    write_config 'api_url = "https://file.example"\n'
    assert.equal("https://file.example", base())
    environment.CEKURA_API_URL = "https://environment.example"
    assert.equal("https://environment.example", base())
    assert.equal("https://option.example", base { base_url = "https://option.example" })
  end)

  it("counts as absent when it is empty in the environment, but an empty option is refused", function()
    environment.CEKURA_API_URL = ""
    assert.equal("https://api.cekura.ai", base())
    local resolved, err = resolve { base_url = "" }
    assert.is_nil(resolved)
    assert.equal("config", err.kind)
  end)

  it("keeps its port and its path, and loses its last slash", function()
    assert.equal("https://example.com:8443/a/b", base { base_url = "https://example.com:8443/a/b" })
    assert.equal("https://example.com/a", base { base_url = "https://example.com/a/" })
    assert.equal("https://example.com", base { base_url = "https://example.com/" })
  end)

  it("is normalized", function()
    assert.equal("https://api.example.com", base { base_url = "HTTPS://API.Example.com:443/" })
  end)

  for _, host in ipairs { "127.0.0.1", "127.0.0.1:8080", "127.8.9.10", "localhost", "LocalHost:80", "[::1]:9000" } do
    it("may be plain http to this machine: " .. host, function()
      local resolved = assert(resolve { base_url = "http://" .. host })
      assert.is_true(resolved.engine.loopback)
      assert.is_false(resolved.engine.secure)
    end)
  end

  for _, host in ipairs {
    "api.cekura.ai", "localhost.example.com", "127.0.0.1.example.com", "128.0.0.1", "10.0.0.1", "0.0.0.0", "[::2]",
    "notlocalhost", "localhost@example.com",
  } do
    it("may not be plain http to another machine: " .. host, function()
      assert_mentions("base URL", refusal { api_key = "sk-1", base_url = "http://" .. host })
    end)
  end

  it("may be plain http to another machine only with allow_http", function()
    assert.equal("http://api.example.com", base { base_url = "http://api.example.com", allow_http = true })
    local message = refusal { api_key = "sk-1", base_url = "http://api.example.com", allow_http = false }
    assert_mentions("allow_http", message)
    assert_mentions("http://api.example.com", message)
  end)

  it("is checked, whatever its source", function()
    environment.CEKURA_API_URL = "http://api.example.com"
    refusal { api_key = "sk-1" }
    environment.CEKURA_API_URL = nil
    write_config 'api_url = "http://api.example.com"\n'
    refusal { api_key = "sk-1" }
  end)

  for _, url in ipairs {
    "ftp://example.com", "file:///etc/passwd", "ws://example.com", "javascript:alert(1)", "example.com",
    "//example.com", "/v1", "https://", "https://a b.example", "https://example.com:port", "https://example.com:99999",
    "https://example.com?x=1", "https://example.com#x", "https://example.com\0.evil.example", " ", "https://a\nb",
    "https://[::1", "https://example.com/" .. ("x"):rep(5000), ("x"):rep(100000), "https://b\195\188cher.example",
    "https://b%C3%BCcher.example/v1", "http://\228\190\139.jp", "https://a..b",
    "https://" .. ("x"):rep(64) .. ".example",
  } do
    it(("is refused if no request could be sent to it: %q"):format(url:sub(1, 40)), function()
      assert_mentions("base URL", refusal { api_key = "sk-1", base_url = url, allow_http = true })
    end)
  end

  it("with letters outside ASCII is refused with a hint at its ASCII form", function()
    assert_mentions("xn--", refusal { api_key = "sk-1", base_url = "https://b\195\188cher.example" })
    local ascii = "https://xn--bcher-kva.example"
    assert.equal(ascii, assert(resolve { base_url = ascii }).fields._base_url)
  end)

  it("with a user or a password is refused, and neither is shown", function()
    for _, url in ipairs {
      "https://user:hunter2@example.com", "https://hunter2@example.com", "http://user:hunter2@127.0.0.1",
      "http://user:hunter2@example.com", "ftp://user:hunter2@example.com", "https://user:hunter2@",
      "https://user:hunter2@exa mple.com", "https://:hunter2@example.com/",
    } do
      for _, allow_http in ipairs { true, false } do
        local message = refusal { api_key = "sk-1", base_url = url, allow_http = allow_http }
        assert.is_nil(message:find("hunter2", 1, true))
      end
    end
  end)
end)

describe("the project", function()
  it("comes from the option, else from the file", function()
    assert.is_nil(assert(resolve()).fields._project_id)
    write_config "default_project_id = 42\n"
    assert.equal(42, assert(resolve()).fields._project_id)
    assert.equal(7, assert(resolve { project_id = 7 }).fields._project_id)
    assert.equal("7", assert(resolve { project_id = "7" }).fields._project_id)
  end)
end)

describe("the configuration file", function()
  it("is the one that the option names, else the user's", function()
    write_config 'api_key = "of the user"\n'
    local path = home .. "/other.toml"
    write(path, 'api_key = "named"\n')
    assert_key("named", { config_file = path })
    assert_key("of the user", {})
  end)

  it("is not read if it is false", function()
    write_config "nonsense\n"
    assert_key("sk-1", { api_key = "sk-1", config_file = false })
  end)

  it("may be missing, and so may HOME", function()
    assert_key("sk-1", { api_key = "sk-1" })
    for _, absent in ipairs { "/nonexistent", "" } do
      environment.HOME = absent
      assert_key("sk-1", { api_key = "sk-1" })
    end
    environment.HOME = nil
    assert_key("sk-1", { api_key = "sk-1" })
  end)

  it("is found in a home with any name", function()
    for _, name in ipairs { "100%", "%1", "~" } do
      environment.HOME = home .. "/" .. name
      assert(os.execute(("mkdir -p '%s/.cekura'"):format(environment.HOME)))
      write(environment.HOME .. "/.cekura/config.toml", 'api_key = "below it"\n')
      assert_key("below it", {})
      assert_key("below it", { config_file = "~/.cekura/config.toml" })
    end
  end)

  it("must exist if the option names it", function()
    assert_mentions("/nonexistent.toml", refusal { api_key = "sk-1", config_file = "/nonexistent.toml" })
  end)

  it("is read even if everything is given: where it is named, a malformed one is an error", function()
    write_config "nonsense\n"
    local path = home .. "/.cekura/config.toml"
    local message = refusal { api_key = "sk-1", base_url = "https://example.com", config_file = path }
    assert_mentions(path .. ":1", message)
  end)

  it("that cannot be read is an error", function()
    assert_mentions("cannot be read", refusal { api_key = "sk-1", config_file = home })
    assert(os.execute(("mkdir '%s/.cekura/config.toml'"):format(home)))
    assert_mentions("cannot be read", refusal { api_key = "sk-1" })
  end)

  it("may be malformed by default where key and URL both come from elsewhere", function()
    write_config "nonsense\n"
    assert_mentions("config.toml:1", refusal {})
    assert_mentions("config.toml:1", refusal { api_key = "sk-1" })
    assert_mentions("config.toml:1", refusal { base_url = "https://example.com" })
    assert_key("sk-1", { api_key = "sk-1", base_url = "https://example.com" })
    environment.CEKURA_API_KEY, environment.CEKURA_API_URL = "sk-2", "https://example.com"
    assert_key("sk-2", {})
    environment.CEKURA_API_KEY = "" -- counts as unset
    assert_mentions("config.toml:1", refusal {})
    assert_mentions("config.toml:1", refusal { api_key = "" })
  end)
end)

describe("an option", function()
  it("has the documented default", function()
    local resolved = assert(resolve())
    assert.equal(30, resolved.fields._timeout)
    assert.equal(10, resolved.engine.connect_timeout)
    assert.equal(3, resolved.engine.retries)
    assert.equal(16, resolved.engine.max_in_flight)
    assert.equal(64 * 1024 * 1024, resolved.engine.max_response)
    assert.equal("cekura-lua/" .. cekura._VERSION, resolved.engine.user_agent)
    assert.equal("Accept: application/json", header(resolved, "Accept"))
    assert.is_nil(resolved.engine.proxy)
    assert.is_nil(resolved.engine.ca_file)
    assert.is_nil(resolved.fields._on_event)
    assert.is_nil(resolved.fields._interval)
    assert.is_nil(resolved.durations)
    assert.is_false(resolved.engine.report_events)
    assert.is_true(resolved.engine.secure)
  end)

  it("is used unchanged", function()
    local function on_event() end
    write(home .. "/ca.pem", "x")
    local resolved = assert(resolve {
      timeout = 0.5, connect_timeout = 1.5, retries = 0, max_in_flight = 1, max_response = 1, user_agent = "me/1",
      proxy = "http://proxy.example:3128", on_event = on_event, ca_file = home .. "/ca.pem", interval = "adaptive",
      durations = "x",
    })
    assert.equal(0.5, resolved.fields._timeout)
    assert.equal(1.5, resolved.engine.connect_timeout)
    assert.equal(0, resolved.engine.retries)
    assert.equal(1, resolved.engine.max_in_flight)
    assert.equal(1, resolved.engine.max_response)
    assert.equal("me/1", resolved.engine.user_agent)
    assert.equal("http://proxy.example:3128", resolved.engine.proxy)
    assert.equal(on_event, resolved.fields._on_event)
    assert.equal("adaptive", resolved.fields._interval)
    assert.equal(0.25, assert(resolve { interval = 0.25 }).fields._interval)
    assert.equal("x", resolved.durations)
    assert.is_true(resolved.engine.report_events)
    assert.equal(home .. "/ca.pem", resolved.engine.ca_file)
  end)
end)

describe("a proxy", function()
  local function with(proxy, url, allow_http)
    return { api_key = "sk-1", proxy = proxy, base_url = url, allow_http = allow_http }
  end

  it("is a URL of http, https or socks, with or without a user, or a host", function()
    for _, proxy in ipairs { "http://proxy:3128", "https://proxy", "socks5h://10.0.0.1:1080", "proxy", "proxy:8080/",
      "http://user:pass@proxy:1", "HTTP://us%40er:p%3As@proxy", "user:pass@proxy:1", "http://[::1]:3128", "" } do
      assert.equal(proxy, assert(resolve(with(proxy))).engine.proxy)
    end
  end)

  it("that is malformed is refused", function()
    for _, proxy in ipairs { "ftp://proxy", "http://", "http://proxy:port", "pro xy", "http://a b@proxy",
      "http://a@b@c", "http://proxy?x", "http://pr\195\182xy:1", "http://pr%C3%B6xy:1", "socks5://a..b",
      "http://proxy:0", "http://proxy:65536", "://proxy", "http://user:pa/ss@proxy", "http://evil.com#@proxy" } do
      assert_mentions("proxy", refusal(with(proxy)))
    end
  end)

  it("on another host is refused for plain http without allow_http, since it would get the key in the clear", function()
    for _, proxy in ipairs { "http://proxy:3128", "https://proxy", "http://127.0.0.1.evil.example",
      "localhost@proxy" } do
      assert_mentions("allow_http", refusal(with(proxy, "http://127.0.0.1:1")))
      assert(resolve(with(proxy, "http://127.0.0.1:1", true)))
      assert(resolve(with(proxy, "https://example.com")))
    end
    for _, proxy in ipairs { "http://127.0.0.1:3128", "localhost:1", "http://u:p@[::1]:1", "" } do
      assert(resolve(with(proxy, "http://127.0.0.1:1")))
    end
  end)

  it("has a password that is kept as a secret, decoded", function()
    local resolved = assert(resolve(with "http://user:p%40ss@proxy:1"))
    assert.is_true(core.equal_secrets("p@ss", resolved.engine.secrets[2]))
    assert.is_nil(assert(resolve(with "http://user@proxy:1")).engine.secrets[2])
  end)

  it("from the environment is chosen by the base URL, and its password is a secret", function()
    environment.https_proxy, environment.http_proxy = "http://user:p%40ss@secure:1", "http://user:word@plain:1"
    local resolved = assert(resolve(with(nil, "https://example.com")))
    assert.equal("http://user:p%40ss@secure:1", resolved.engine.proxy)
    assert.is_true(core.equal_secrets("p@ss", resolved.engine.secrets[2]))
    assert.equal("http://user:word@plain:1", assert(resolve(with(nil, "http://example.com", true))).engine.proxy)
    assert.is_nil(assert(resolve(with(nil, "http://127.0.0.1:1"))).engine.proxy)
    assert.equal("", assert(resolve(with("", "https://example.com"))).engine.proxy)
    assert.equal("http://other:1", assert(resolve(with("http://other:1", "https://example.com"))).engine.proxy)
  end)
end)

describe("CEKURA_LOOPBACK_ONLY", function()
  local HOSTS = { "https://api.example.com", "http://api.example.com", "https://10.0.0.1",
    "https://localhost.example.com", "https://127.0.0.1.example.com", "https://[::2]", "https://0.0.0.0" }

  it("refuses every host but this machine, also with allow_http, whatever the source of the URL", function()
    environment.CEKURA_LOOPBACK_ONLY = "1"
    for _, url in ipairs(HOSTS) do
      local message = refusal { api_key = "sk-1", base_url = url, allow_http = true }
      assert_mentions("CEKURA_LOOPBACK_ONLY", message)
      assert_mentions(url, message)
    end
    assert_mentions("from the default", refusal { api_key = "sk-1" })
    environment.CEKURA_API_URL = "https://api.example.com"
    assert_mentions("CEKURA_API_URL", refusal { api_key = "sk-1" })
    for _, url in ipairs { "http://127.0.0.1:1", "https://localhost", "http://[::1]:1" } do
      assert(resolve { base_url = url })
    end
  end)

  it("uses no proxy, be it of the option or of the environment", function()
    environment.CEKURA_LOOPBACK_ONLY = "1"
    environment.https_proxy, environment.http_proxy = "http://proxy:1", "http://proxy:2"
    for _, url in ipairs { "http://127.0.0.1:1", "https://localhost" } do
      assert.equal("", assert(resolve { base_url = url }).engine.proxy)
      assert.equal("", assert(resolve { base_url = url, proxy = "http://proxy:3", allow_http = true }).engine.proxy)
    end
  end)

  it("is off if it is unset, empty or 0, and on by any other value", function()
    for _, value in ipairs { "", "0" } do
      environment.CEKURA_LOOPBACK_ONLY = value
      assert(resolve { base_url = HOSTS[1] })
    end
    for _, value in ipairs { "yes", "true", "2" } do
      environment.CEKURA_LOOPBACK_ONLY = value
      refusal { api_key = "sk-1", base_url = HOSTS[1] }
    end
  end)
end)

describe("a CA file", function()
  it("that is a FIFO or a device is refused at once", function()
    os.execute(("mkfifo '%s/fifo'"):format(home))
    for _, path in ipairs { home .. "/fifo", "/dev/zero", "/dev/null" } do
      assert_mentions("not a regular file", refusal { api_key = "sk-1", ca_file = path })
    end
  end)
end)

describe("a base URL that looks like this machine", function()
  for _, url in ipairs {
    "http://127.0.0.1.evil.com", "http://localhost.evil.com", "http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]",
    "http://0.0.0.0", "http://0", "http://[::]", "http://localhost.", "http://127.0.0.1.", "http://x.localhost",
    "http://localhost:80@evil.com", "http://127.0.0.1:80@evil.com/", "http://evil.com\\@localhost",
    "http://localhost\\@evil.com", "http://localhost\t.evil.com", "http://local\thost", "http://localhost\n",
    "http://\226\147\155ocalhost", "http://loc\195\161lhost", "http://localhost%2eevil.com",
    "http://evil.com#localhost",
    "http://evil.com?localhost", "http:///evil.com", "http://evil.com:80:localhost", "http://128.1", "http://0x80.1",
    "http://4294967295.127.0.0.1", "http://127.0.0.1%2f@evil.com", "http:\\\\localhost", "http://evil.com/@localhost",
  } do
    it(("is refused if it is another host: %q"):format(url), function()
      refusal { api_key = "sk-1", base_url = url }
    end)
  end

  for _, url in ipairs { "http://127.1", "http://0x7f000001", "http://2130706433", "http://0177.0.0.1" } do
    it("is normalized if it is this machine: " .. url, function()
      assert.equal("http://127.0.0.1", assert(resolve { base_url = url }).fields._base_url)
    end)
  end
end)

describe("a CR, LF or NUL", function()
  for name, char in pairs { CR = "\r", LF = "\n", NUL = "\0" } do
    it(("is refused in the user agent and the proxy: %s"):format(name), function()
      assert_mentions("user_agent", refusal { api_key = "sk-1", user_agent = "me" .. char .. "X-Evil: 1" })
      assert_mentions("proxy", refusal { api_key = "sk-1", proxy = "http://proxy" .. char })
    end)

    it(("raises in the name and in the value of a header: %s"):format(name), function()
      assert_mentions("headers", raised { api_key = "sk-1", headers = { ["X-A" .. char] = "v" } })
      local message = raised { api_key = "sk-1", headers = { ["X-A"] = "v" .. char .. "X-Evil: 1" } }
      assert_mentions("headers", message)
      assert_mentions("X-A", message)
      assert.is_nil(message:find("Evil", 1, true))
    end)
  end
end)

describe("headers", function()
  it("are sent with every request, including numbers and empty values", function()
    local resolved = assert(resolve { headers = { ["X-Text"] = "a: b", ["X-Number"] = 5, ["X-Empty"] = "" } })
    assert.equal("X-Text: a: b", header(resolved, "X-Text"))
    assert.equal("X-Number: 5", header(resolved, "X-Number"))
    assert.equal("X-Empty;", header(resolved, "X-Empty")) -- the form that libcurl needs
  end)

  it("may replace Accept, in any spelling", function()
    for _, name in ipairs { "Accept", "accept", "ACCEPT" } do
      local resolved = assert(resolve { headers = { [name] = "text/csv" } })
      assert.equal(name .. ": text/csv", header(resolved, "Accept"))
    end
  end)

  it("raise for a malformed name", function()
    for _, name in ipairs { "", "a b", "a:b", "X-ü", "a\tb", "(a)", "a/b", "X-A: 1" } do
      assert_mentions("headers", raised { api_key = "sk-1", headers = { [name] = "v" } })
    end
    assert_mentions("headers", raised { api_key = "sk-1", headers = { "v" } })
  end)

  it("raise for a value that is neither a string nor a number", function()
    for _, value in ipairs { true, {}, print } do
      local message = raised { api_key = "sk-1", headers = { ["X-A"] = value } }
      assert_mentions("headers", message)
      assert_mentions("X-A", message)
    end
  end)

  it("raise for headers that belong to this module or to the connection", function()
    for _, name in ipairs {
      "X-CEKURA-API-KEY", "x-cekura-api-key", "X_CEKURA_API_KEY", "Host", "Content-Length", "Transfer-Encoding",
      "Connection", "User-Agent",
    } do
      assert_mentions(name, raised { api_key = "sk-1", headers = { [name] = "v" } })
    end
  end)
end)

describe("an unknown option", function()
  it("raises an error that names it", function()
    assert_mentions("apikey", raised { apikey = "sk-1" })
    assert_mentions("max_inflight", raised { api_key = "sk-1", max_inflight = 3 })
    assert_mentions("1", raised { "sk-1" })
  end)
end)

describe("an option of a wrong type", function()
  local NAN = 0 / 0
  for name, values in pairs {
    api_key = { 5, true, {}, print },
    base_url = { 5, false, {} },
    ca_file = { 5, true, {} },
    proxy = { 5, true, {} },
    user_agent = { 5, true, {} },
    config_file = { 5, true, {} },
    project_id = { 1.5, "", true, {}, math.huge, NAN },
    allow_http = { 1, "true", {} },
    ticks = { 1, "true", {} },
    api_version = { 2, "2", "v3", "", true, {} },
    loop = { 1, "nowhere", true, {}, { after = print }, { watch = print, after = 1 }, { watch = true, after = print } },
    timeout = { "5", true, {}, 0, -1, NAN },
    connect_timeout = { "5", true, {}, 0, -1, NAN },
    interval = { "5", "fast", "", true, {}, 0, -1, NAN },
    durations = { 5, true, {}, print },
    retries = { "3", true, {}, -1, 1.5, NAN, math.huge },
    max_in_flight = { "3", true, {}, 0, -1, 1.5, NAN, math.huge },
    max_response = { "3", true, {}, 0, -1, 1.5, NAN, math.huge },
    headers = { 5, "X-A: 1", true, print },
    on_event = { 5, "print", true, {} },
  } do
    for _, value in ipairs(values) do
      it(("raises and is named: %s = %s"):format(name, type(value) == "number" and tostring(value) or type(value)),
        function()
          local given = { api_key = "sk-1" }
          given[name] = value
          assert_mentions(name, raised(given))
        end)
    end
  end

  for _, name in ipairs { "max_in_flight", "retries" } do
    it(("may be a count of more than 32 bits, which is refused or reduced, not wrapped: %s"):format(name), function()
      for _, count in ipairs { 2 ^ 32, 2 ^ 40, 2 ^ 62 } do
        local ok, resolved = pcall(resolve, { [name] = count })
        assert.is_true(not ok or resolved.engine[name] < 2 ^ 32)
      end
    end)
  end

  it("raises even if a key is missing as well", function()
    assert_mentions("timeout", raised { timeout = "5" })
  end)

  it("is not a callable table in place of a function", function()
    local callable = setmetatable({}, { __call = function() end })
    assert.equal(callable, assert(resolve { on_event = callable }).fields._on_event)
  end)
end)

describe("an unreadable CA file", function()
  it("is an error of cekura.new, not of the first request", function()
    assert_mentions("ca_file", refusal { api_key = "sk-1", ca_file = home .. "/none.pem" })
    assert_mentions("none.pem", refusal { api_key = "sk-1", ca_file = home .. "/none.pem" })
    assert_mentions("ca_file", refusal { api_key = "sk-1", ca_file = home }) -- a directory
    assert_mentions("ca_file", refusal { api_key = "sk-1", ca_file = "" })
  end)
end)

describe("cekura.new", function()
  it("returns the error of an option, and raises a wrong type at the caller's line", function()
    local client, err = cekura.new()
    assert.is_nil(client)
    assert.equal("config", err.kind)
    local ok, message = pcall(function()
      return (cekura.new { retries = "3" })
    end)
    assert.is_false(ok)
    assert.truthy(message:find("options_spec.lua:%d+: cekura: retries"))
  end)

  it("returns a client whose tostring does not show the key", function()
    local client = assert(cekura.new { api_key = "sk-secret", base_url = "http://127.0.0.1:1/prefix" })
    assert.is_nil(tostring(client):find("sk-secret", 1, true))
    client:close()
    assert.is_nil(tostring(client):find("sk-secret", 1, true))
  end)
end)

describe("a loop", function()
  it("may be the two functions of a host, and clients of the same table share an adapter", function()
    local function off() end
    local host = { watch = function() return off end, after = function() return off end }
    local adapter = assert(resolve { loop = host }).fields._loop
    assert.equal(adapter, assert(resolve { loop = host }).fields._loop)
    assert.are_not.equal(adapter, assert(resolve { loop = { watch = host.watch, after = host.after } }).fields._loop)
    assert.is_function(adapter.waiter)
    assert.equal(adapter, assert(resolve { loop = adapter }).fields._loop)
  end)

  it("made of two functions is collected with its clients, and so is the table", function()
    local tables = weak.table()
    local function close_client()
      local function off() end
      local host = { watch = function() return off end, after = function() return off end }
      tables[host] = true
      assert(cekura.new { api_key = "sk-1", loop = host }):close()
    end
    for _ = 1, 10 do
      close_client()
    end
    assert.equal(0, weak.count(tables, 1)) -- a register may hold the last one
  end)

  it("made of a table without one of the functions raises an error that names the function", function()
    assert_mentions("after", raised { api_key = "sk-1", loop = { watch = print, after = 1 } })
    assert_mentions("watch", raised { api_key = "sk-1", loop = { watch = true, after = print } })
    assert_mentions("watch", raised { api_key = "sk-1", loop = { after = print } })
  end)
end)
