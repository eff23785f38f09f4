-- A host name whose address changes. libcurl caches an address for a minute, unless a connection to it fails.

local file = require "spec.support.file"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local tls_peer = require "spec.support.tls_peer"

describe("a service whose address changes", function()
  local dir, port, peers

  setup(function()
    dir = shell "mktemp -d":match "%S+"
    local output, status = shell(([[
      cc -shared -fPIC -o %s/moving_names.so spec/support/moving_names.c -ldl && cd %s &&
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem \
        -addext basicConstraints=critical,CA:TRUE &&
      for name in api.moving other.example; do
        openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr &&
        echo subjectAltName=DNS:$name >names &&
        openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
          -out $name.pem || exit 1
      done]]):format(dir, dir))
    assert.equal(0, status, output)
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  before_each(function()
    port, peers = process.free_port(), {}
  end)

  after_each(function()
    for _, peer in ipairs(peers) do
      peer:stop()
    end
  end)

  local function start(address, arguments)
    table.insert(peers, tls_peer.start(("%s --at %s:%d"):format(arguments, address, port)))
  end

  -- Runs a program that sends a request while the name resolves to `old`, repeats it, and sends one more when the name
  -- resolves to 127.0.0.1. Returns the program's output.
  local function asked(old, options)
    local code = ([[
      local cekura = require "cekura"
      local function move(address)
        local names = assert(io.open(%q, "w"))
        names:write(address)
        names:close()
      end
      move "%s"
      local client = cekura.assert(cekura.new { api_key = "k", config_file = false, retries = 0, allow_http = true,
        ca_file = %q, %s })
      local function ask(options)
        local answer, err = client:request("GET", "/", options)
        print(answer and answer.status or err.kind)
      end
      ask { timeout = 2 }
      ask { timeout = 2 }
      move "127.0.0.1"
      ask { timeout = 60 }
      client:close()
    ]]):format(dir .. "/names.txt", old, dir .. "/ca.pem", options:gsub("PORT", port))
    return file.temporary(code, function(path)
      return (shell(("LD_PRELOAD=%s/moving_names.so MOVING_NAMES=%s/names.txt %s %s"):format(dir, dir,
        os.getenv "CEKURA_LUA" or "lua5.4", path)))
    end)
  end

  local HTTP, HTTPS = [[base_url = "http://api.moving:PORT"]], [[base_url = "https://api.moving:PORT"]]

  it("is found at once if nothing listens at the old address", function()
    start("127.0.0.1", "serve")
    assert.equal("network\nnetwork\n200\n", asked("127.0.0.2", HTTP))
  end)

  it("is found at once if the old address is unreachable", function()
    start("127.0.0.1", "serve")
    assert.equal("network\nnetwork\n200\n", asked("255.255.255.255", HTTP))
  end)

  it("is found at once if connecting to the old address times out", function()
    start("127.0.0.1", ("serve --cert %s/api.moving.pem"):format(dir))
    start("127.0.0.2", "mute")
    assert.equal("timeout\ntimeout\n200\n", asked("127.0.0.2", HTTPS .. ", connect_timeout = 0.1"))
    assert.equal("timeout\ntimeout\n200\n", asked("127.0.0.2", HTTPS .. ", connect_timeout = 600"))
  end)

  it("is found at once if the old address has a certificate for another name", function()
    start("127.0.0.1", ("serve --cert %s/api.moving.pem"):format(dir))
    start("127.0.0.2", ("serve --cert %s/other.example.pem"):format(dir))
    assert.equal("tls\ntls\n200\n", asked("127.0.0.2", HTTPS))
  end)

  it("is found at once if the old address ends the TLS handshake", function()
    start("127.0.0.1", ("serve --cert %s/api.moving.pem"):format(dir))
    start("127.0.0.2", ("serve --cert %s/api.moving.pem --newest 1.1"):format(dir))
    assert.equal("tls\ntls\n200\n", asked("127.0.0.2", HTTPS))
  end)

  it("is found at once if it is a proxy", function()
    start("127.0.0.1", "proxy")
    assert.equal("network\nnetwork\n200\n",
      asked("127.0.0.2", [[base_url = "http://service.example", proxy = "http://api.moving:PORT"]]))
  end)

  it("is used at the old address while that answers", function()
    start("127.0.0.1", "serve")
    start("127.0.0.2", "serve")
    assert.equal("200\n200\n200\n", asked("127.0.0.2", HTTP))
    assert.is_nil(peers[1]:output():find("request", 1, true))
  end)
end)
