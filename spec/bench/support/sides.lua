--- The programs that send requests, one a side: `PROGRAM URL REQUESTS IN_FLIGHT` sends so many GETs of that URL, so many
-- at a time, reads head and body of each answer, and prints the microseconds of each: of wall time, and of the
-- processor's. It begins to count after its own start. CA_FILE in the environment names the certificates to trust.

local sides = {}

local function own(lua)
  return { name = "cekura, " .. lua, environment = "spec/env " .. lua, program = lua .. " spec/bench/sides/cekura.lua" }
end

sides.bare = { name = "bare libcurl", program = "build/bench/bare" }
sides.own = { own "lua5.4", own "luajit" }

--- Runs a side's program once.
---@param side table
---@param request { url: string, count: integer, in_flight: integer, ca_file?: string }
---@param wrapper? string a program that runs it, such as strace
---@return number wall microseconds of a request
---@return number processor the same, of the processor's time
function sides.send(side, request, wrapper)
  local command = ("%s %s %s %s %s %d %d"):format(side.environment or "",
    request.ca_file and "env CA_FILE=" .. request.ca_file or "", wrapper or "", side.program, request.url,
    request.count, request.in_flight)
  local pipe = assert(io.popen(command))
  local wall, processor = pipe:read("*n", "*n")
  assert(pipe:close() and processor, "no figures from " .. command)
  return wall, processor
end

return sides
