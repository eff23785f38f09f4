--- What loading the library costs: startup.lua [ROUNDS], run by spec/env. Prints medians, in milliseconds of processor
-- time, of processes that load the modules of the core and the files in turn: the core, which begins with libcurl;
-- `require "cekura"` beside it; and the first client after that.

local lua, rounds = os.getenv "CEKURA_LUA" or "lua5.4", tonumber(arg[1]) or 20

local PROGRAM = [[
  local before = os.clock()
  require "cekura.core"
  print((os.clock() - before) * 1e3)
  if %s then
    for name in pairs(package.preload) do
      if name:find "^cekura" then package.preload[name] = nil end
    end
  end
  before = os.clock()
  local cekura = require "cekura"
  print((os.clock() - before) * 1e3)
  before = os.clock()
  cekura.assert(cekura.new { api_key = "k", config_file = false })
  print((os.clock() - before) * 1e3)
]]

local PARTS = { "the core", 'require "cekura"', "cekura.new" }
local SIDES = { { name = "the core's modules", from_files = false }, { name = "files", from_files = true } }

local function measure(side)
  local pipe = assert(io.popen(("%s -e '%s'"):format(lua, PROGRAM:format(tostring(side.from_files)))))
  for part in ipairs(PARTS) do
    side[part] = side[part] or {}
    table.insert(side[part], assert(pipe:read "*n"))
  end
  pipe:close()
end

local function median(figures)
  table.sort(figures)
  return figures[math.floor((#figures + 1) / 2)]
end

for _ = 1, rounds do
  for _, side in ipairs(SIDES) do
    measure(side)
  end
end
for _, side in ipairs(SIDES) do
  for part, what in ipairs(PARTS) do
    local middle = median(side[part])
    print(("%s, %s: %s: %.2f (%.2f to %.2f)"):format(lua, side.name, what, middle, side[part][1], side[part][rounds]))
  end
end
