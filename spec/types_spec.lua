--- The LuaCATS annotations, by which editors complete what users type, against the running module, in both directions.

local conforms = require "spec.support.conforms"
local file = require "spec.support.file"
local kinds = require "cekura.api.kinds"
local luacats = require "tools.luacats.model"
local luacats_type = require "tools.luacats.type"
local names = require "tools.meta.names"
local params = require "cekura.api.params"
local public_names = require "spec.support.public_names"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"
local sorted_keys = require "spec.support.sorted_keys"
local upvalue = require "tools.meta.upvalue"
local writer = require "tools.luacats.writer"

local model = luacats.read()
local public, undeclared = luacats.public(model, luacats.ROOTS)

-- What a class has by its annotations, its parents included: names to fields and methods.
local function annotated(class, found)
  found = found or {}
  for _, field in ipairs(class.fields) do
    found[field.name] = found[field.name] or field
  end
  for _, method in ipairs(class.methods) do
    found[method.name] = found[method.name] or method
  end
  return class.parent and annotated(model.classes[class.parent], found) or found
end

local function is_open(class)
  return annotated(class)["[string]"] ~= nil
end

local function each_function(fn)
  for _, module in pairs(model.modules) do
    for _, each in ipairs(module.functions) do
      fn(each)
    end
  end
end

local function names_of(list)
  local found = {}
  for index, item in ipairs(list) do
    found[index] = item.name
  end
  return found
end

describe("the annotations", function()
  local server = simulator.during(setup, teardown)
  local seen

  setup(function()
    seen = public_names.walk(server)
  end)

  it("name all that the module has", function()
    local missing = {}
    for _, class in ipairs(sorted_keys(seen)) do
      local declared = model.classes[class]
      local known = declared and annotated(declared) or {}
      for _, name in ipairs(sorted_keys(seen[class])) do
        if not known[name] and not (declared and is_open(declared) and type(seen[class][name][1]) ~= "function") then
          missing[#missing + 1] = class .. ": " .. name
        end
      end
    end
    assert.equal("", table.concat(missing, "\n"))
  end)

  -- Tables that programs make: the names that the module takes.
  local function given()
    local wait = require "cekura.job.wait"
    local methods = require "cekura.core".client_methods
    local filter = require "cekura.api.calls.filter"
    local fleet = require "cekura.fleet"
    local telephony = require "cekura.api.calls.telephony"
    local of_fleets = upvalue(fleet.new, "Fleet").__index
    local taken = { ["cekura.Loop"] = {}, ["cekura.CallFilter"] = { fields = true, filters = true, filters_v2 = true },
      ["cekura.WaitOptions"] = upvalue(wait.one, "WAIT_OPTIONS"),
      ["cekura.TelephonyCall"] = upvalue(telephony.body, "KNOWN"),
      ["cekura.TelephonyTurn"] = upvalue(telephony.body, "TURN"),
      ["cekura.RequestOptions"] = upvalue(methods.request, "REQUEST_OPTIONS"),
      ["cekura.JobOptions"] = upvalue(methods.job, "JOB_OPTIONS"),
      ["cekura.StartOptions"] = upvalue(require "cekura.client".check_start, "START_OPTIONS"),
      ["cekura.FleetOptions"] = upvalue(fleet.new, "OPTIONS"), ["cekura.FleetRate"] = upvalue(fleet.new, "RATE"),
      ["cekura.SubmitOptions"] = upvalue(of_fleets.submit, "SUBMIT_OPTIONS"),
      ["cekura.WorkOptions"] = upvalue(of_fleets.work, "WORK_OPTIONS"),
      ["cekura.testing.Reply"] = upvalue(upvalue(upvalue(require "cekura.testing".start, "Service").__index, "methods")
        .script, "MEMBERS"),
      ["cekura.testing.RecordOptions"] = upvalue(require "cekura.testing.recording".record, "RECORD"),
      ["cekura.testing.ReplayOptions"] = upvalue(require "cekura.testing.recording".replay, "REPLAY"),
      ["cekura.RedisOptions"] = upvalue(require "cekura.fleet.redis".new, "OPTIONS"),
      ["cekura.OutboxOptions"] = upvalue(require "cekura.outbox".new, "OPTIONS") }
    for name in pairs(upvalue(filter.parameters, "FILTER")) do
      taken["cekura.CallFilter"][name] = true
    end
    for _, name in ipairs(upvalue(require "cekura.loop.adapter".of, "SHAPE")) do
      taken["cekura.Loop"][name] = true
    end
    return taken
  end

  it("name all that the module takes in a table of options, and nothing else", function()
    for class, taken in pairs(given()) do
      local found = {}
      for name, field in pairs(annotated(model.classes[class])) do
        found[name] = name:find "^%a" and (class ~= "cekura.Loop" or not field.optional) and true or nil
      end
      assert.same(sorted_keys(taken), sorted_keys(found), class)
    end
  end)

  -- Public classes whose objects are not walked: tables that programs make, and what generated files have.
  local function is_given(class)
    local of_kind = class:match "^cekura%.%u%w*%.%u%w*Params$" or class:match "^cekura%.%u%w*%.%u%w*Result$"
      or class:match "^cekura%.%u%w*%.%u%w*Job$"
    return given()[class] or of_kind or class:find "Declaration$" or class:find "Entry$" or class:find "Limits$"
      or class == "cekura.Options" or class == "cekura.Host" or class == "cekura.loop.ThreadHost"
      or class == "cekura.Condition" or class == "cekura.SentTurn" or class == "cekura.FormFile"
      or class == "cekura.SelfImprove"
      or class == "cekura.FleetStats" or class == "cekura.FleetTask" -- see spec/redis/fleet_page_spec.lua
      or class == "cekura.JobResult" -- the parent of results
  end

  it("name nothing that the module does not have", function()
    local absent = {}
    for _, name in ipairs(sorted_keys(public)) do
      local class = model.classes[name]
      if class and not is_given(name) then
        for member, what in pairs(annotated(class)) do
          if member:find "^%a" and not what.private and not (seen[name] and seen[name][member])
            and not (is_open(class) and not what.fn) then
            absent[#absent + 1] = name .. ": " .. member
          end
        end
      end
    end
    table.sort(absent)
    assert.equal("", table.concat(absent, "\n"))
  end)

  it("have the types of what the module has", function()
    local wrong = {}
    for class, members in pairs(seen) do
      for name, values in pairs(members) do
        local field = model.classes[class] and annotated(model.classes[class])[name]
        for _, value in ipairs(field and field.tree and not field.private and values or {}) do
          if not conforms(model, field.tree, value) then
            wrong[#wrong + 1] = ("%s: %s: %s is not of the type %s"):format(class, name, tostring(value), field.type)
          end
        end
      end
    end
    assert.equal("", table.concat(wrong, "\n"))
  end)
end)

describe("each annotation", function()
  it("of an error's kind is one that the module gives, and none is missing", function()
    local source = shell("find lua src/lua -name '*.[lc]*' ! -path '*/meta/*' ! -path lua/cekura/errors.lua "
      .. "-exec cat {} +")
    local known = {}
    for _, each in ipairs(model.aliases["cekura.ErrorKind"].tree.of) do
      known[each.value] = true
      assert.truthy(source:find(("%q"):format(each.value), 1, true), each.value)
    end
    for _, pattern in ipairs { 'errors%.new%("([%l_]+)"', 'error%(self, "([%l_]+)"', 'refuse%("([%l_]+)"' } do
      for kind in source:gmatch(pattern) do
        assert.truthy(known[kind], kind)
      end
    end
  end)

  it("of a type mentions types that there are", function()
    assert.equal("", table.concat(undeclared, "\n"))
    local KNOWN = {}
    for name in ("any nil boolean string number integer function table thread userdata lightuserdata T F self true")
      :gmatch "%S+" do
      KNOWN[name] = true
    end
    local unknown = {}
    local function check(item)
      luacats_type.each_name(item.tree, function(name)
        if not (KNOWN[name] or model.classes[name] or model.aliases[name]) then
          unknown[#unknown + 1] = item.at .. ": " .. name
        end
      end)
    end
    local function check_all(list)
      for _, item in ipairs(list) do
        check(item)
      end
    end
    each_function(function(fn)
      check_all(fn.params)
      check_all(fn.returns)
    end)
    for _, class in pairs(model.classes) do
      check_all(class.fields)
    end
    assert.equal("", table.concat(unknown, "\n"))
  end)

  it("of a parameter names one that the function has, in their order", function()
    local wrong = {}
    each_function(function(fn)
      local place = 0
      for _, param in ipairs(fn.given and fn.params or {}) do
        local found
        for index = place + 1, #fn.given do
          found = found or fn.given[index] == param.name and index
        end
        if not found and param.name ~= "self" then
          wrong[#wrong + 1] = ("%s: %s: %s"):format(fn.at, fn.name, param.name)
        end
        place = found or place
      end
    end)
    assert.equal("", table.concat(wrong, "\n"))
  end)

  it("of a public function has all of its parameters", function()
    local wrong = {}
    for name in pairs(public) do
      for _, method in ipairs(model.classes[name] and model.classes[name].methods or {}) do
        local fn = method.fn
        if fn.given and not method.name:find "^_" then
          local declared, has = names_of(fn.params), {}
          for index, given in ipairs(fn.given) do
            has[index] = given
          end
          for _, list in ipairs { declared, has } do
            if list[1] == "self" then
              table.remove(list, 1)
            end
          end
          if table.concat(declared, ", ") ~= table.concat(has, ", ") then
            wrong[#wrong + 1] = ("%s: %s(%s): %s"):format(fn.at, method.name, table.concat(has, ", "),
              table.concat(declared, ", "))
          end
        end
      end
    end
    table.sort(wrong)
    assert.equal("", table.concat(wrong, "\n"))
  end)
end)

describe("the generated annotations", function()
  it("have the parameters of each kind as it declares them", function()
    for kind, declaration in pairs(kinds) do
      local class = model.classes[names.class_of_kind(kind) .. "Params"]
      assert.equal((declaration.start or declaration.direct) ~= nil and declaration.params ~= nil, class ~= nil, kind)
      local wanted, found = {}, {}
      for name, declared in pairs(declaration.params or {}) do
        wanted[name] = declared.required and not declared.scope or false
      end
      for name in (declaration.start or declaration.direct or ""):gmatch "{([%w_]+)}" do
        wanted[name], wanted.id = false, false
      end
      wanted.extra = false
      for _, field in ipairs(class and class.fields or {}) do
        found[field.name] = not field.optional
      end
      if class then
        assert.same(wanted, found, kind)
      end
    end
  end)

  it("can have the methods of operations that are rows of data", function()
    local lines, row = {}, { resource = "test_sets", name = "update", "PATCH /test_framework/v1/test-sets/{id}/",
      required = { "name" }, query = { dry = "flag" }, body = { name = "text", agents = "ids" } }
    local method = require "tools.meta.resources".operation(model, row, "cekura.Record")
    writer.class(lines, method.class)
    assert.same({ "id", "params", "options" }, names_of(method.params))
    assert.equal("cekura.TestSets.UpdateParams", method.params[2].type)
    assert.same({ "--- What test_sets:update takes.", "---@class cekura.TestSets.UpdateParams", "---@field name string",
      "---@field agents? cekura.Id[]", "---@field dry? boolean",
      "---@field extra? table<string, any> further parameters, which are sent unchecked", "" }, lines)
  end)

  it("have a type for each check of parameters, and no other", function()
    local found = {}
    for name in pairs(model.aliases) do
      found[#found + 1] = name:match "^cekura%.param%.(.*)$"
    end
    table.sort(found)
    assert.same(sorted_keys(params.types), found)
  end)

  it("are as `make generate` writes them, and parts of Lua", function()
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    local stale = shell(lua .. " -e 'for path, text in pairs(require \"tools.meta.files\".files()) do "
      .. "local now = io.open(path) if not now or now:read \"*a\" ~= text then print(path) end end' 2>&1")
    assert.equal("", stale)
    local count = 0
    for path in shell "ls lua/cekura/meta":gmatch "%S+" do
      count = count + 1
      assert.truthy(loadfile("lua/cekura/meta/" .. path))
      assert.truthy(file.read("lua/cekura/meta/" .. path):find "^%-%-%-@meta ")
    end
    assert.equal(6, count)
  end)

  it("are required by nothing", function()
    assert.equal("", (shell "grep -rl 'require.*cekura.meta' lua || true"))
  end)
end)
