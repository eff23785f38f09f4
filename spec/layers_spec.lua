--- The layers know nothing of the layers above them: the includes of a file show what it knows.

local shell = require "spec.support.shell"

local function lines_with(pattern, files)
  return (shell(("grep -nE '%s' %s"):format(pattern, files)))
end

local ENGINE = "src/engine/*.[ch] src/text/*.[ch] src/file/*.[ch]"

describe("the layers", function()
  it("have an engine without Lua and without the API", function()
    assert.equal("", lines_with("lua\\.h|lauxlib|lua_State", ENGINE))
    assert.equal("", lines_with("observability|progress_id|CEKURA-API-KEY", ENGINE))
  end)

  it("have a binding without curl, sockets and the API", function()
    assert.equal("", lines_with("curl/|CURL|sys/socket", "src/lua/*.c src/lua/*.h"))
    assert.equal("", lines_with("observability|progress_id|CEKURA-API-KEY", "src/lua/*.c src/lua/*.h"))
  end)

  it("have no circle of dependencies", function()
    local build, lua = os.getenv "CEKURA_BUILD" or "build", os.getenv "CEKURA_LUA"
    local printed, status = shell(("%s tools/graph.lua %s %s"):format(lua, build, lua))
    assert.equal(0, status, printed)
    for _, graph in ipairs { "includes", "requires", "symbols" } do
      assert.truthy(printed:find(graph .. ": [1-9]%d* nodes, [1-9]%d* edges"), printed)
    end
  end)

  it("have kinds that are data: their table contains no functions", function()
    for kind, declaration in pairs(require "cekura.api.kinds") do
      for name, value in pairs(declaration) do
        assert.are_not.equal("function", type(value), kind .. "." .. name)
      end
    end
  end)
end)
