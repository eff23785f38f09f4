--- make simulator: runs the simulator of the API until it is interrupted. Standard output has the two lines that lead a
-- program in another terminal to it.

local simulator = require "spec.support.simulator"

local server = simulator.start()
io.stderr:write "The simulator of the API runs until Ctrl-C. In another terminal, type:\n"
print("export CEKURA_API_URL=" .. server.url)
print("export CEKURA_API_KEY=" .. server.key)
io.stdout:flush()
os.execute "exec sleep infinity" -- ends at the interrupt, which this process ignores meanwhile
server.nginx:stop()
