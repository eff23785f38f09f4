--- LUA own.lua PORT: serves the simulated service by the module's own server, until a signal ends it.

local cekura = require "cekura"

cekura.assert(require "cekura.testing".start { port = tonumber(arg[1]) })
while true do
  cekura.sleep(3600)
end
