--- The programs that send requests, one a side: `PROGRAM URL REQUESTS IN_FLIGHT` sends so many GETs of that URL, so
-- many at a time, reads head and body of each answer, and prints the microseconds of each: of wall time, and of the
-- processor's. It begins to count after its own start. The environment's CA_FILE names the certificates to trust.

local shell = require "spec.support.shell"
local turns = require "spec.bench.support.turns"

local sides = {}

local HERE = "spec/bench/sides/"

-- `part` of the requests is enough for a slower side. `probe` succeeds if the side is installed; without one it is.
-- With PAGE in the environment, a side that `reads_pages` reads three fields of each call log on the page.
local function own(lua)
  return { name = "cekura, " .. lua, environment = "spec/env " .. lua, program = lua .. " " .. HERE .. "cekura.lua" }
end

sides.bare = { name = "bare libcurl in C", program = "build/bench/bare" }
sides.own = { own "lua5.4", own "luajit" }

--- The server's limit.
sides.wrk = { name = "wrk", program = HERE .. "wrk" }

--- Those that send one request at a time.
sides.alone = {
  { name = "lua-curl, lua5.1", program = "lua5.1 " .. HERE .. "lua_curl.lua", reads_pages = true,
    probe = "lua5.1 -e 'require \"curl\"'" },
  { name = "LuaSocket, lua5.4", program = "lua5.4 " .. HERE .. "luasocket.lua", part = 0.1 },
}

--- Those that send several at once.
sides.concurrent = {
  { name = "lua-http, luajit", program = "luajit " .. HERE .. "lua_http.lua", part = 0.25,
    probe = "luajit -e 'require \"http.client\"'", reads_pages = true },
  { name = "Tarantool", program = "tarantool " .. HERE .. "tarantool.lua", part = 0.1, probe = "command -v tarantool",
    reads_pages = true },
  { name = "aiohttp", program = "/usr/bin/python3 " .. HERE .. "aiohttp_side.py", part = 0.1, reads_pages = true },
  { name = "httpx", program = "/usr/bin/python3 " .. HERE .. "httpx_side.py", part = 0.05, reads_pages = true },
  { name = "nginx's cosockets", program = "lua5.4 " .. HERE .. "nginx.lua cosocket", part = 0.5 },
  { name = "cekura in nginx", program = "lua5.4 " .. HERE .. "nginx.lua cekura", part = 0.25 },
}

--- Those of the lists that are installed.
---@param ... table[]
---@return table[]
function sides.installed(...)
  local list = {}
  for _, some in ipairs { ... } do
    for _, side in ipairs(some) do
      if not side.probe or select(2, shell(side.probe)) == 0 then
        list[#list + 1] = side
      end
    end
  end
  return list
end

--- The bare loop, this module, and others that are installed.
---@param ... table[]
---@return table[]
function sides.with(...)
  return sides.installed({ sides.bare }, sides.own, ...)
end

--- Runs a side's program once.
---@param side table
---@param load { url: string, count: integer, in_flight: integer, ca_file?: string, page?: boolean, seconds?: number }
---seconds: the bare loop spreads the requests over them
---@param wrapper? string a program that runs it, such as strace
---@return number wall microseconds of a request
---@return number? processor the same, of the processor's time
function sides.send(side, load, wrapper)
  local environment = load.ca_file and "env CA_FILE=" .. load.ca_file or load.page and "env PAGE=1" or ""
  local command = ("%s %s %s %s %s %d %d %s"):format(side.environment or "", environment, wrapper or "", side.program,
    load.url, load.count, load.in_flight, load.seconds or "")
  local pipe = assert(io.popen(command))
  local wall, processor = pipe:read("*n", "*n")
  assert(pipe:close() and wall, "no figures from " .. command)
  return wall, processor
end

--- Measures sides in turn; the first one is the reference.
---@param list table[]
---@param load table as in send(); some sides send a part of `count`, unless `whole` is set
---@return { side: table, wall: number[], processor: number[] }[] figures of the rounds, a list a side
function sides.measure(list, load)
  local measured = {}
  for index, side in ipairs(list) do
    measured[index] = { side = side, wall = {}, processor = {} }
  end
  turns.run(list, function(side, round, index)
    local part = not load.whole and side.part or 1
    local count = math.max(turns.amount(load.count * part), load.in_flight)
    local wall, processor = sides.send(side, setmetatable({ count = count }, { __index = load }))
    measured[index].wall[round], measured[index].processor[round] = wall, processor
  end)
  return measured
end

return sides
