--- Three layers, each blind to the next: what a file includes shows what it knows.

local shell = require "spec.support.shell"

local function lines_with(pattern, files)
  return (shell(("grep -nE '%s' %s"):format(pattern, files)))
end

local ENGINE = "src/engine/*.[ch] src/text/*.[ch] src/file/*.[ch]"

describe("the layers", function()
  it("have an engine that knows no Lua and no API", function()
    assert.equal("", lines_with("lua\\.h|lauxlib|lua_State", ENGINE))
    assert.equal("", lines_with("observability|progress_id|CEKURA-API-KEY", ENGINE))
  end)

  it("have a binding that knows no curl, no sockets and no API", function()
    assert.equal("", lines_with("curl/|CURL|sys/socket", "src/lua/*.c src/lua/*.h"))
    assert.equal("", lines_with("observability|progress_id|CEKURA-API-KEY", "src/lua/*.c src/lua/*.h"))
  end)

  it("depend on one another in no circle", function()
    local build, lua = os.getenv "CEKURA_BUILD" or "build", os.getenv "CEKURA_LUA"
    local printed, status = shell(("%s tools/graph.lua %s %s"):format(lua, build, lua))
    assert.equal(0, status, printed)
    assert.truthy(printed:find "symbols: %d+ nodes", printed)
  end)

  it("have kinds that are data: no code in their table", function()
    for kind, declaration in pairs(require "cekura.api.kinds") do
      for name, value in pairs(declaration) do
        assert.are_not.equal("function", type(value), kind .. "." .. name)
      end
    end
  end)
end)
