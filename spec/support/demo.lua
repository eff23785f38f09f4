--- make demo: starts the simulator, and runs examples/improve_prompt.lua against it.

local testing = require "cekura.testing"

local PROMPT = [[
You are the receptionist of Lakeside Dental. Greet the caller, find out what the call is about, and book,
move or cancel an appointment. Be brief and friendly.
]]

local lua = arg[-1]
local file = os.tmpname()
local prompt = assert(io.open(file, "w"))
prompt:write(PROMPT)
prompt:close()

local service = assert(testing.start())
print("A simulator of the Cekura API answers on " .. service.url)
io.stdout:flush()
local settings = ("HOME=/nonexistent CEKURA_API_URL=%s CEKURA_API_KEY=%s"):format(service.url, service.key)
local ok = os.execute(("%s %s examples/improve_prompt.lua 2142 101,102 %s"):format(settings, lua, file))
service:stop()
os.remove(file)
os.exit((ok == true or ok == 0) and 0 or 1)
