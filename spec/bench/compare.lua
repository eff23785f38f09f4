--- Runs bare.c and request.lua alternately against one simulator, and prints the medians and their ratio.

local simulator = require "spec.support.simulator"

local lua, rounds, requests, in_flight = arg[1], tonumber(arg[2]), arg[3], arg[4]

local function measure(command)
  local pipe = assert(io.popen(command))
  local figure = pipe:read "*n"
  assert(pipe:close())
  return assert(figure, "no figure from " .. command)
end

local function median(figures)
  table.sort(figures)
  return figures[math.floor((#figures + 1) / 2)]
end

local server = simulator.start()
local ok, err = pcall(function()
  local arguments = (" %s/bench/ %s %s"):format(server.url, requests, in_flight)
  local bare, module, ratios = {}, {}, {}
  for round = 1, rounds do
    bare[round] = measure("build/bench/bare" .. arguments)
    module[round] = measure(lua .. " spec/bench/request.lua" .. arguments)
    ratios[round] = bare[round] / module[round]
  end
  print(("client:request on %s, %s at once, %s requests, %d rounds; microseconds per request, wall time"):format(lua,
    in_flight, requests, rounds))
  print(("bare libcurl   median %.1f (%.1f to %.1f)"):format(median(bare), bare[1], bare[#bare]))
  print(("client:request median %.1f (%.1f to %.1f)"):format(median(module), module[1], module[#module]))
  print(("rate of client:request over that of bare libcurl, median of the rounds: %.2f"):format(median(ratios)))
end)
server:stop()
if not ok then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
