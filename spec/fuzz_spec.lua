-- The fuzz targets in Lua on their corpus: what fuzzing found once stays found on every Lua.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local function lines(command)
  local found = {}
  for line in shell(command):gmatch "[^\n]+" do
    found[#found + 1] = line
  end
  return found
end

for _, name in ipairs(lines "cd spec/fuzz/targets && ls *.lua") do
  name = name:gsub("%.lua$", "")
  describe("the promises of spec/fuzz/targets/" .. name .. ".lua hold for", function()
    local target = dofile("spec/fuzz/targets/" .. name .. ".lua")
    local folders = name == "record" and "record json" or name
    for _, path in ipairs(lines(("cd spec/fuzz/corpus && find %s -type f | sort"):format(folders))) do
      it(path, function()
        target(file.read("spec/fuzz/corpus/" .. path))
      end)
    end
  end)
end
