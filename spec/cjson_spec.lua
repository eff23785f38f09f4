-- lua-cjson beside the module, and a program without it.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"

-- Code that runs first, and hides an installed lua-cjson.
local HIDE = [[package.preload.cjson = function() error("hidden", 0) end]]

-- Runs a program in another process; returns what it printed, and its exit status.
local function run(code)
  return file.temporary(code, function(path)
    return shell(("LUA_PATH='%s' LUA_CPATH='%s' %s %s"):format(package.path, package.cpath, lua, path))
  end)
end

describe("a program without lua-cjson", function()
  local server = simulator.during(setup, teardown)

  it("starts a job, waits for it, and sends and reads null", function()
    local output = run(HIDE .. ([[
      local cekura = require "cekura"
      assert(not pcall(require, "cjson"))
      local client = cekura.assert(cekura.new { api_key = %q, base_url = %q, config_file = false })
      local job = cekura.assert(client.calls:improve_prompt { call_logs = { 1 }, prompt = 'Say "yes"/"no".\n\0' })
      print(cekura.assert(job:wait { interval = 0.02 }).improved_prompt ~= nil)
      local sent = { null = cekura.null, list = { 1, cekura.null, 0.5 }, text = "a/b \31\127" }
      local echo = cekura.assert(client:request("POST", "/echo/", { body = sent })):json()
      print(echo.body)
      print(client.calls:mark_metric_vote(1, { metric_id = 1, feedback = "x", thumbs_up = cekura.null }) ~= false)
      local text = '{"a":null,"b":[null]}'
      print(cekura.call_log(text):totable().a == cekura.null, cekura.call_log(text):totable().b[1] == cekura.null)
    ]]):format(server.key, server.url))
    assert.equal("true\n" .. [[{"list":[1,null,0.5],"null":null,"text":"a/b \u001f]] .. '\127"}\ntrue\ntrue\ttrue\n',
      output)
  end)

  for _, spec in ipairs { "encode", "decode", "params", "call_log" } do
    it("passes " .. spec .. "_spec", function()
      local output, status = shell(
        ("LUA_INIT='%s' LUA_PATH='%s' LUA_CPATH='%s' %s /usr/bin/busted -o TAP spec/%s_spec.lua"):format(
          HIDE, package.path, package.cpath, lua, spec))
      assert.equal(0, status, output)
      assert.truthy(output:find "^ok " or output:find "\nok ", output)
    end)
  end
end)

describe("lua-cjson", function()
  it("is not loaded by the module, which knows its marks once a program has loaded it", function()
    assert.equal('false\tfalse\n{}\t[]\t[]\n', (run [[
      require "cekura"
      local encode = require "cekura.http.encode"
      print(package.loaded.cjson ~= nil, package.loaded["cjson.safe"] ~= nil)
      local mark = {}
      local value = setmetatable({}, mark)
      local before = encode(value, "body")
      package.loaded["cjson.safe"] = { empty_array_mt = mark }
      local safe = encode(value, "body")
      package.loaded.cjson, package.loaded["cjson.safe"] = { array_mt = mark }, nil
      print(before, safe, (encode(value, "body")))
    ]]))
  end)
end)

describe("cekura.null", function()
  it("is the null pointer", function()
    assert.equal("userdata", type(cekura.null))
    assert.equal(core.decode("[null]")[1], cekura.null)
  end)
end)

local available, cjson = pcall(require, "cjson")
if not available then -- Debian has no lua-cjson for Lua 5.5
  return
end

describe("cekura.null", function()
  it("is lua-cjson's null", function()
    assert.equal(cjson.null, cekura.null)
  end)
end)

describe("the process-wide settings of lua-cjson", function()
  it("are not changed", function()
    local before = cjson.encode { 0.123456789012345678 }
    local precision = cjson.encode_number_precision()
    encode({ 0.1 + 0.2, "a/b", setmetatable({}, core.array_mt) }, "body")
    pcall(encode, { 0 / 0 }, "body")
    core.decode "[1.5,[]]"
    assert.equal(precision, cjson.encode_number_precision())
    assert.equal(before, cjson.encode { 0.123456789012345678 })
    assert.is_false(pcall(cjson.encode, { math.huge }))
  end)

  it("are not changed when the module is loaded", function()
    local output = run [[
      local cjson = require "cjson"
      cjson.encode_number_precision(3)
      require "cekura"
      print(cjson.encode(0.123456), cjson.encode_sparse_array())
    ]]
    assert.truthy(output:find "^0.123\tfalse")
  end)

  it("do not affect what is sent", function()
    local precision = cjson.encode_number_precision()
    cjson.encode_number_precision(3)
    local text = encode({ 1234.1, 1234.5, math.pi }, "body")
    cjson.encode_number_precision(precision)
    assert.equal("[1234.1,1234.5,3.141592653589793]", text)
  end)
end)
