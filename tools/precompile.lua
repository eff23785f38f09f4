--- Compiles modules for the Lua that runs this, and prints them as rows of the table in src/lua/library.c:
--   LUA tools/precompile.lua FILE...   with paths from the root of the source, which tracebacks show

-- The bytecode, with all debug information. LuaJIT writes the members of a table in random order, unless it knows the
-- mode "d"; an older one takes any second argument for a wish to strip.
local function dump(chunk, path)
  local bytecode = string.dump(chunk, "d")
  return bytecode:find("@" .. path, 1, true) and bytecode or string.dump(chunk)
end

local function octal(byte)
  return ("\\%03o"):format(byte:byte())
end

local vm = rawget(_G, "jit") and rawget(_G, "jit").version or _VERSION
for _, path in ipairs(arg) do
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  local bytecode = dump(assert(loadfile(path)), path)
  io.write(("{ %q, %q, %d, \""):format(vm, name, #bytecode), bytecode:gsub("[^%w ._/]", octal), "\" },\n")
end
