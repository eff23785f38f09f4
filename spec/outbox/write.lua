--- A writer of the outbox's proof: puts calls until it is killed, and writes down the id of each once put() has
-- returned.
--   LUA spec/outbox/write.lua DIRECTORY NAME FILE

local cekura = require "cekura"

local path, name, acknowledged = arg[1], arg[2], assert(io.open(arg[3], "a"))
local box = cekura.assert(cekura.outbox { path = path })

math.randomseed(os.time() + tonumber(name:match "%d+"))

-- A tenth of the calls is so large that a kill may well come in the middle of the write.
local function padding()
  return ("x"):rep(math.random() < 0.1 and math.random(100000, 400000) or math.random(100, 10000))
end

io.stdout:setvbuf "no"
print "ready"
for number = 1, math.huge do
  local id = ("%s-%d"):format(name, number)
  local call = { call_id = id, agent = 1, metadata = { padding = padding() } }
  local ok, err = box:put(call)
  while not ok do
    print(err)
    cekura.sleep(0.02)
    ok, err = box:put(call)
  end
  acknowledged:write(id, "\n")
  acknowledged:flush()
  cekura.sleep(0.02 * math.random())
end
