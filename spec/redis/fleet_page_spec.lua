--- docs/fleet.md, followed to the letter, and the programs of examples/fleet, with a real Redis. The page's addresses
-- stand for the server that is started here.

local blocks = require "spec.support.pages".of "spec/redis/fleet_page_spec.lua"
local cekura = require "cekura"
local file = require "spec.support.file"
local fleets = require "cekura.fleet"
local luacats = require "tools.luacats.model"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"
local shown = require "spec.support.shown"
local simulator = require "spec.support.simulator"

local HERE = shell "pwd":match "[^\n]+"
local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local KIND = "calls.improve_prompt"
local PARAMS = { agent_id = 2142, call_logs = { 5181749 }, prompt = "Be brief." }

-- The block of the page that contains a text.
local function block_with(text)
  for _, block in ipairs(blocks) do
    if block.code:find(text, 1, true) then
      return block
    end
  end
  error("no block has " .. text)
end

-- The options of redis-server that a configuration file has.
local function options_of(configuration)
  return (configuration:gsub("([%w-]+) ([^\n]+)\n", "--%1 %2 "))
end

describe("docs/fleet.md:", function()
  local service = simulator.during(setup, teardown)
  local redis, dir, client

  setup(function()
    dir = shell "mktemp -d":match "%S+"
    redis = redis_server.start(options_of(block_with("appendonly").code) .. "--dir " .. dir)
    client = service:client { interval = 0.05 }
  end)

  teardown(function()
    client:close()
    redis:stop "KILL"
    shell("rm -rf " .. dir)
  end)

  local function open(options)
    options = options or {}
    options.redis, options.name = redis.url, "prompts"
    return cekura.assert(fleets.new(options))
  end

  -- What the programs of the page and the examples find in their environment.
  local function environment()
    return ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/%s/?.so;;' CEKURA_API_URL=%s "
      .. "CEKURA_API_KEY=%s REDIS_URL=%s CEKURA_PROMPTS=%s"):format(HERE, HERE, HERE, lua, service.url, service.key,
      redis.url, dir)
  end

  local function code_of(block)
    return (block.code:gsub("redis://127%.0%.0%.1", redis.url):gsub("redis%-cli", "redis-cli -p " .. redis.port)
      :gsub("LUA=lua5.4", ("-s LUA=%s STAGE=%s/stage DESTDIR=%s/root PREFIX=/usr"):format(lua, dir, dir)))
  end

  -- Starts the program of the page that submits.
  local function start(name)
    return process.start(("env %s %s %s"):format(environment(), lua, name), function()
      return open():stats().waiting > 0
    end, function(folder)
      file.write(folder .. "/" .. name, code_of(block_with("-- " .. name)))
    end)
  end

  -- Runs a program of the page, and compares its output.
  local function run(name)
    local block = block_with("-- " .. name)
    local command = ("export %s; exec %s %s"):format(environment(), lua, name)
    local output, fault = shown.run(command, block.output, function(folder)
      file.write(folder .. "/" .. name, code_of(block))
    end)
    assert.is_nil(fault, fault and fault .. ":\n" .. output)
  end

  -- Runs commands of the page, and compares their output.
  local function type_in(text)
    local block = block_with(text)
    local output, status = shell(("sh -eu -c '%s' 2>&1"):format(code_of(block):gsub("'", "'\\''")))
    assert.equal(0, status, output)
    if block.output then
      assert.is_true(shown.matches(output:gsub("%s+$", "\n"), block.output), output)
    end
  end

  it("installs the library for Redis", function()
    type_in "make redis"
    local abi = lua == "luajit" and "5.1" or lua:match "%d%.%d"
    local output, status = shell(("LUA_PATH='%s/root/usr/share/lua/%s/?.lua;%s/root/usr/share/lua/%s/?/init.lua;;' "
      .. "LUA_CPATH='%s/root/usr/lib/lua/%s/?.so;;' %s -e 'require \"cekura\" print(require \"cekura.redis\")' 2>&1")
      :format(dir, abi, dir, abi, dir, abi, lua))
    assert.equal(0, status, output)
    assert.truthy(output:find "^table", output)
  end)

  it("has one program submit and wait, and another one work", function()
    local submitter = start "submit.lua"
    run "work.lua"
    process.eventually(function() return not submitter:is_running() end)
    assert.is_true(shown.matches(submitter:output(), block_with("-- submit.lua").output), submitter:output())
    submitter:stop()
    run "numbers.lua"
  end)

  it("has a user of Redis who sees this fleet only", function()
    type_in "ACL SETUSER"
    local url = redis.url:gsub("//", "//fleet:a-long-password@")
    local fleet = cekura.assert(fleets.new { redis = url, name = "prompts", client = client })
    local id = cekura.assert(fleet:submit(KIND, PARAMS))
    assert.is_true(fleet:work { until_empty = true, on_result = function() end })
    assert.truthy(fleet:result(id))
    local _, err = cekura.assert(fleets.new { redis = url, name = "other" }):submit(KIND, PARAMS)
    assert.equal("auth", err.kind)
  end)

  it("lists poisoned tasks", function()
    local fleet = open { client = client }
    local id = cekura.assert(fleet:submit(KIND, PARAMS))
    assert.is_true(fleet:work { until_empty = true, on_error = function() end, on_result = function()
      error "handler broke"
    end })
    type_in "XRANGE"
    assert.truthy(fleet:result(id))
  end)

  it("names the fields of the numbers and of tasks, as the annotations do", function()
    local classes, seen = luacats.read().classes, {}
    local fleet = open { client = client, rate = { starts_per_minute = 6000, in_flight = 10 } }
    cekura.assert(fleet:submit(KIND, PARAMS, { key = "fields" }))
    fleet:work { until_empty = true, on_result = function(_, task)
      seen["cekura.FleetTask"] = task
    end }
    seen["cekura.FleetStats"] = cekura.assert(fleet:stats())
    local page = file.read "docs/fleet.md"
    for class, object in pairs(seen) do
      local declared = {}
      for _, field in ipairs(classes[class].fields) do
        declared[field.name] = true
        assert.is_not_nil(object[field.name], field.name)
        assert.truthy(page:find("`" .. field.name .. "`", 1, true), field.name)
      end
      for name in pairs(object) do
        assert.is_true(declared[name], name)
      end
    end
  end)

  -- Has examples/fleet/submit.lua submit and wait.
  local function submit(arguments)
    file.write(dir .. "/prompt", "Be nice.")
    return shell(("%s timeout 100 %s %s/examples/fleet/submit.lua %s 2>&1"):format(environment(), lua, HERE, arguments))
  end

  it("examples/fleet/submit.lua and worker.lua improve a prompt by each call log, once", function()
    local output, status = submit(("--no-wait 2142 %s/prompt 101 102"):format(dir))
    assert.equal(0, status, output)
    local id = output:match "call log 101: task (%x+)\n"
    output, status = shell(("%s %s %s/examples/fleet/worker.lua --until-empty 2>&1"):format(environment(), lua, HERE))
    assert.equal(0, status, output)
    assert.truthy(output:find(("call log 101: wrote %s/%s.txt: Two rules"):format(dir, id), 1, true), output)
    assert.truthy(file.read(("%s/%s.txt"):format(dir, id)):find "^Be nice%.\n\n%- Confirm")
    local starts = service:count "/observability/v1/call-logs/improve_prompt_bg/"
    output, status = submit(("2142 %s/prompt 101 102"):format(dir))
    assert.equal(0, status, output)
    assert.equal(2, select(2, output:gsub("call log %d+: Two rules added", "")), output)
    assert.equal(starts, service:count "/observability/v1/call-logs/improve_prompt_bg/")
  end)

  it("examples/fleet refuses wrong usage", function()
    for program, wrong in pairs { submit = { "", "2142 p", "--wait 2142 p 1" }, worker = { "x", "--until-empty x" } } do
      for _, arguments in ipairs(wrong) do
        local output, status = shell(("%s examples/fleet/%s.lua %s 2>&1"):format(lua, program, arguments))
        assert.equal(2, status, output)
        assert.truthy(output:find("^usage: " .. program .. "%.lua "), output)
      end
      assert.equal(0, select(2, shell(("%s examples/fleet/%s.lua --help"):format(lua, program))))
    end
  end)

  it("examples/fleet/nginx.conf has each worker of nginx work", function()
    if lua ~= "luajit" or select(2, shell "command -v nginx") ~= 0 then
      return
    end
    local configuration = file.read "examples/fleet/nginx.conf":gsub("8080", "@PORT@")
      :gsub("events {}", "user root; pid @DIR@/nginx.pid; error_log @DIR@/error.log; worker_processes 2; events {}")
      :gsub("http {", ("http { lua_package_path '%s/lua/?.lua;%s/lua/?/init.lua;;'; lua_package_cpath "
        .. "'%s/build/luajit/?.so;;';"):format(HERE, HERE, HERE))
    for name, value in environment():gmatch "([%w_]+)=(%S+)" do
      configuration = configuration:gsub("env " .. name .. ";", ("env %s=%s;"):format(name, value))
    end
    local host = nginx.start(configuration, function(folder)
      file.write(folder .. "/worker.lua", file.read "examples/fleet/worker.lua")
    end)
    local fleet = open()
    process.eventually(function() return fleet:stats().workers == 2 end)
    local output, status = submit(("2142 %s/prompt 201"):format(dir))
    assert.equal(0, status, output)
    assert.truthy(output:find("call log 201: Two rules added", 1, true), output)
    host:stop "QUIT"
    assert.equal(0, fleet:stats().workers)
  end)
end)
