--- The API of a machine (see run), until that ends: the simulator at the API's own address. Its certificate authority
-- is added to the file of trusted ones that is given. Its key is the one that the pages show.

local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local SET_KEY = [[curl -sS -f -H 'Content-Type: application/json' -H 'X-CEKURA-API-KEY: %s' \
  -d '{"key":"your-api-key"}' %s/_sim/key/]]

local server = simulator.start { tls = true, port = 442 }
local trusted = file.read(arg[1])
if trusted then -- without the package ca-certificates there is no such file
  file.write(arg[1], trusted .. file.read(server.ca_file))
end
local output, status = shell(SET_KEY:format(server.key, server.url))
assert(status == 0, output)
print "ready"
io.stdout:flush()
os.execute "exec sleep infinity"
