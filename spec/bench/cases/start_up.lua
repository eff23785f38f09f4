local core = require "cekura.core"
local own = require "spec.bench.support.own"
local report = require "spec.bench.support.report"
local turns = require "spec.bench.support.turns"

local case = {
  title = "Start-up",
  about = [[
Processor time of loading the module: of the core, with libcurl, and of the library's Lua. Then the wall time of a
process that loads a library and ends.]],
}

local PROCESSES = {
  { "lua5.4 alone", "lua5.4 -e ''" },
  { "cekura, lua5.4", "spec/env lua5.4 lua5.4 -e 'require \"cekura\"'" },
  { "luajit alone", "luajit -e ''" },
  { "cekura, luajit", "spec/env luajit luajit -e 'require \"cekura\"'" },
  { "lua-curl, lua5.1", "lua5.1 -e 'require \"curl\"'" },
  { "LuaSocket, lua5.4", "lua5.4 -e 'require \"socket.http\"'" },
  { "lua-http, luajit", "luajit -e 'require \"http.request\"'" },
  { "Tarantool", "tarantool -e 'require \"http.client\".new() os.exit()'" },
  { "python3 alone", "/usr/bin/python3 -c ''" },
  { "aiohttp", "/usr/bin/python3 -c 'import aiohttp'" },
  { "httpx", "/usr/bin/python3 -c 'import httpx'" },
}

local function loading(lua)
  local parts = { {}, {} }
  for index = 1, 4 * turns.rounds do
    parts[1][index], parts[2][index] = own.figures(lua, "start_up")
  end
  report.add { what = "loading the core", side = "cekura, " .. lua, figures = parts[1], unit = "ms" }
  report.add { what = "loading the library", side = "cekura, " .. lua, figures = parts[2], unit = "ms" }
  return turns.median(parts[2])
end

local function processes()
  local missing = {}
  local figures = turns.run(PROCESSES, function(process)
    local began = core.now()
    missing[process] = not os.execute(process[2] .. " >/dev/null 2>&1")
    return (core.now() - began) * 1e3
  end)
  for index, process in ipairs(PROCESSES) do
    if not missing[process] then
      report.add { what = "a process", side = process[1], figures = figures[index], unit = "ms" }
    end
  end
end

function case.run()
  report.goal("start-up", loading "lua5.4")
  loading "luajit"
  processes()
end

return case
