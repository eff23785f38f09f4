-- A process without free file descriptors: idle connections are closed, and requests wait for a descriptor.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

describe("when no file descriptor is free", function()
  local server = simulator.during(setup, teardown)
  local dir

  -- This name is looked up in a thread; libcurl resolves "localhost" itself.
  setup(function()
    dir = shell "mktemp -d":match "%S+"
    local output, status = shell("cc -shared -fPIC -o " .. dir .. "/names.so spec/support/moving_names.c -ldl")
    assert.equal(0, status, output)
    file.write(dir .. "/names.txt", "127.0.0.1")
  end)

  teardown(function()
    shell("rm -rf " .. dir)
  end)

  before_each(function()
    server:reset()
  end)

  -- The output of a program that may open 60 files. take_all() opens all remaining descriptors, give_back() closes
  -- them.
  local function run(code, url)
    local prelude = ([[
      local cekura, URL = require "cekura", %q
      local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = URL, config_file = false, retries = 1,
        allow_http = true })
      local START = { call_logs = { 1 }, prompt = "x" }
      local taken = {}
      local function take_all()
        local handle = io.open "/dev/null"
        while handle do
          taken[#taken + 1], handle = handle, io.open "/dev/null"
        end
      end
      local function give_back()
        for index = #taken, 1, -1 do
          taken[index]:close()
          taken[index] = nil
        end
      end
    ]]):format(url or server.url)
    return file.temporary(prelude .. code, function(path)
      return (shell(("ulimit -n 60; LD_PRELOAD=%s/names.so MOVING_NAMES=%s/names.txt %s %s"):format(dir, dir,
        os.getenv "CEKURA_LUA" or "lua5.4", path)))
    end)
  end

  local function everywhere(test)
    test(server.url)
    test((server.url:gsub("127.0.0.1", "api.moving")))
  end

  it("a request is retried until its deadline, and its error says why", function()
    everywhere(function(url)
      local output = run([[
        take_all()
        local answer, err = client:request("GET", "/echo/", { timeout = 2 })
        give_back()
        print(answer, err.kind, err.sent, err.attempts > 2, err.message)
      ]], url)
      assert.truthy(output:find "^nil\tnetwork\tfalse\ttrue\t.*no file descriptor is free", output)
    end)
  end)

  it("a request and a start wait until descriptors are free", function()
    everywhere(function(url)
      assert.equal("200\ntrue\ttrue\n", run([[
        cekura.run(function()
          local asking = cekura.spawn(client.request, client, "GET", "/echo/", { timeout = 60 })
          local starting = cekura.spawn(client.start, client, "calls.improve_prompt", START, { timeout = 60 })
          take_all()
          cekura.sleep(1)
          give_back()
          print(cekura.assert(asking:join()).status)
          print(cekura.assert(starting:join()).id ~= nil, client:stats().requests > 2)
        end)
      ]], url))
      assert.equal(1, server:count "/observability/v1/call-logs/improve_prompt_bg/")
      server:reset()
    end)
  end)

  it("idle connections are closed for a request that needs a descriptor", function()
    everywhere(function(url)
      server:script("/slow/", { { body = {}, delay = 1 } })
      assert.equal("true\ttrue\n", run([[
        cekura.run(function()
          local tasks = {}
          for index = 1, 8 do
            tasks[index] = cekura.spawn(client.request, client, "GET", "/slow/", { timeout = 60 })
          end
          for index = 1, 8 do
            cekura.assert(tasks[index]:join())
          end
        end)
        take_all()
        local job = cekura.assert(client:start("calls.improve_prompt", START, { timeout = 60 }))
        give_back()
        print(job.id ~= nil, client:stats().connections > 1)
      ]], url))
      server:reset()
    end)
  end)

  it("a wait for a job goes on", function()
    assert.equal("true\ttrue\n", run [[
      local job = cekura.assert(client:start("calls.improve_prompt", START))
      local other = cekura.assert(cekura.new { api_key = "sim-key", base_url = URL, config_file = false })
      job = cekura.assert(other:resume(job:token()))
      cekura.run(function()
        local waiting = cekura.spawn(job.wait, job, { interval = 0.05, timeout = 60 })
        take_all()
        cekura.sleep(0.5)
        give_back()
        print(cekura.assert(waiting:join()).improved_prompt ~= nil, other:stats().requests > 2)
      end)
    ]])
  end)
end)
