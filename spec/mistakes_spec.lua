-- Mistakes that programs make, each as it would be typed, and the whole message that each gets; they are listed in
-- spec/support/mistakes.lua. With the name of a file in the variable MISTAKES, the messages are written to that file.

local cekura = require "cekura"
local file = require "spec.support.file"
local mistakes = require "spec.support.mistakes"
local simulator = require "spec.support.simulator"

local server = simulator.start()

-- ---- what the mistakes are made with ----

local CALL = [[{"id": 101, "call_id": "sess-1", "status": "success", "duration": "1:xx", "timestamp": "yesterday",
  "transcript_object": [{"role": "Main Agent", "content": "Hello.", "start_time": 7}],
  "evaluation": {"metrics": [{"id": 501, "name": "Politeness", "type": "binary", "score": 5}]}}]]

local getenv = os.getenv -- luacheck: ignore 122
local variables = {}

local made = {} -- what a mistake has made, to be closed after it

local env = setmetatable({ cekura = cekura, server = server, cjson = require "cjson.safe" }, { __index = _G })

-- A client of the simulator.
function env.new(options)
  made[#made + 1] = server:client(options)
  return made[#made]
end

-- Sets variables of the environment.
function env.export(values)
  variables = values
end

-- Writes a configuration file, and returns its path.
function env.write(text)
  local path = os.tmpname()
  file.write(path, text)
  made.path = path
  return path
end

-- The next request to /x/ gets this answer.
function env.answer(status, body, headers)
  server:script("/x/", { { status = status, body = body, headers = headers } })
end

-- ---- their messages ----

local function replace(text, part, by)
  local from, to = text:find(part, 1, true)
  while from do
    text = text:sub(1, from - 1) .. by .. text:sub(to + 1)
    from, to = text:find(part, 1, true)
  end
  return text
end

-- The texts of which a message shows 200 bytes, counted: "x" 200 times is <x 200>.
local function count_repeated(text)
  for _, unit in ipairs { "x", "X", "é", "- ", ".t" } do
    local longest = math.floor(#text / #unit)
    while longest >= 40 do
      text = replace(text, unit:rep(longest), ("<%s %d>"):format(unit, longest))
      longest = longest - 1
    end
  end
  return text
end

-- What differs from run to run is replaced.
local function plain(text)
  text = replace(replace(text, server.url, "URL"), "mistake:1:", "HERE")
  text = made.path and replace(text, made.path, "FILE") or text
  return count_repeated((text:gsub("%-?nan", "NaN")))
end

local function run(code)
  -- Lua does not know the line of a tail call.
  local calling = code:gsub("return (.*)$", "local value, err = %1 return value, err")
  local chunk = assert((loadstring or load)(calling, "=mistake")) -- luacheck: ignore 113
  if setfenv then -- luacheck: ignore 113
    setfenv(chunk, env) -- luacheck: ignore 113
  else
    debug.setupvalue(chunk, 1, env)
  end
  local ok, value, err = pcall(chunk)
  if ok and value == nil then
    value = err
  end
  return plain(tostring(value))
end

local function message_of(code)
  made, variables = {}, {}
  server:reset()
  env.client, env.call = env.new(), cekura.call_log(CALL)
  env.job = env.client:job("calls.improve_prompt", "5")
  os.getenv = function(name) -- luacheck: ignore 122
    return name == "HOME" and "/nonexistent" or variables[name]
  end
  local message = run(code)
  os.getenv = getenv -- luacheck: ignore 122
  for _, client in ipairs(made) do
    client:close()
  end
  os.remove(made.path or "")
  return message
end

local record = getenv "MISTAKES" -- the name of a file, to write all messages to

describe("a mistake gets its message:", function()
  teardown(function()
    server:stop()
  end)

  for _, row in ipairs(mistakes) do
    it(row[1], function()
      local message = message_of(row[1])
      if not record then
        return assert.equal(row[2], message)
      end
      local out = assert(io.open(record, "a"))
      out:write(row[1], "\n    ", message, "\n")
      out:close()
    end)
  end
end)
