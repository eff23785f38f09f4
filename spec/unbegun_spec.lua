--- Tasks and watches that never begin, because nothing in the program or its host lets them run: the program is warned
-- once, and no other program is. Each test is a process of its own.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

local REMEDY = "nothing here runs tasks: call cekura.run, or cekura.step on each tick of the host (docs/hosts.md)\n"
local WATCH = [[cekura.watch { client = cekura.new { api_key = "k", base_url = "http://127.0.0.1:1",
  config_file = false }, agents = { { agent_id = 1 } } }
]]

-- `pass(seconds)` moves the clock.
local PRELUDE = [[
local cekura, core = require "cekura", require "cekura.core"
local now, passed = core.now, 0
core.now = function() return now() + passed end
local function pass(seconds) passed = passed + seconds end
]]

local function run(code)
  return file.temporary(PRELUDE .. code, function(path)
    return shell("timeout 60 " .. lua .. " " .. path)
  end)
end

local function never(count)
  return ("cekura: spawned tasks never began: %d. The program has ended, and "):format(count) .. REMEDY
end

local function late(count)
  return ("cekura: spawned tasks have not begun after 5 s: %d; "):format(count) .. REMEDY
end

describe("a program that lets no task run", function()
  setup(function()
    local output, status = shell("make --no-print-directory -s life LUA=" .. lua)
    assert.equal(0, status, output)
  end)

  for ending, code in pairs {
    ["without more"] = "", ["by os.exit()"] = "os.exit(0)",
    ["by os.exit(), with its state closed"] = "os.exit(0, true)",
  } do
    it("is warned when it ends " .. ending .. ", once for all tasks", function()
      assert.equal(never(2), (run("cekura.spawn(print, 'ran') cekura.spawn(print, 'ran')" .. code)))
    end)

    it("is warned of a watch when it ends " .. ending, function()
      assert.equal(never(1), (run(WATCH .. code)))
    end)
  end

  it("is warned after five seconds, at the next call, and not again", function()
    assert.equal(late(1), (run [[
      local task = cekura.spawn(print, "ran")
      pass(6)
      cekura.spawn(print, "ran"):cancel()
      pass(20)
      cekura.kind("my.kind", { poll = "GET /mine/{id}/" })
      task:cancel()
    ]]))
  end)

  for call, code in pairs {
    ["cekura.new"] = "cekura.new { config_file = false }", ["cekura.call_log"] = "cekura.call_log '{}'",
    ["client:stats"] = "client:stats()", ["client:pollfd"] = "client:pollfd()",
    ["client:job"] = "client:job('calls.improve_prompt', 1)",
    ["client:webhook"] = "client:webhook { secret = 'x' }", ["job:token"] = "job:token()",
    ["watch:status"] = "watch:status()",
  } do
    it("is warned by " .. call .. ", which lets nothing run either", function()
      assert.equal(late(1), (run([[
        local client = cekura.new { api_key = "k", base_url = "http://127.0.0.1:1", config_file = false }
        local job, watch = client:job("calls.improve_prompt", 1), ]] .. WATCH .. [[
        pass(6)
      ]] .. code)))
    end)
  end

  it("is warned of what it spawns later, too", function()
    assert.equal(late(1) .. never(1), (run [[
      cekura.spawn(print, "ran")
      pass(6)
      cekura.spawn(print, "ran")
    ]]))
  end)

  it("is not warned where they ran in time, or were cancelled", function()
    assert.equal("1\n2\n3\n", (run [[
      io.stdout:setvbuf "no"
      cekura.spawn(print, 1)
      pass(4)
      cekura.step()
      cekura.spawn(print, 2)
      cekura.run(function() end)
      cekura.sleep(0)
      cekura.spawn(print, 3)
      cekura.sleep(0)
      cekura.spawn(print, "ran"):cancel()
      os.exit(0)
    ]]))
  end)

  it("is not warned in a process that leaves its tasks to a child, as a daemon does", function()
    assert.equal("ran\n", (run [[
      local posix = require "spec.life.posix"
      io.stdout:setvbuf "no"
      cekura.spawn(print, "ran")
      local pid = posix.fork()
      if pid == 0 then
        cekura.sleep(0)
      else
        posix.wait(pid)
      end
      os.exit(0)
    ]]))
  end)

  it("is warned in each process for what that spawned", function()
    assert.equal(never(2) .. never(1), (run [[
      local posix = require "spec.life.posix"
      cekura.spawn(print, "ran")
      local pid = posix.fork()
      if pid == 0 then
        cekura.spawn(print, "ran")
        os.exit(0)
      end
      posix.wait(pid)
      cekura.spawn(print, "ran"):cancel()
      os.exit(0)
    ]]))
  end)
end)
