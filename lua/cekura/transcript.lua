--- Transcripts: the turns of a call, from the structured form and from the text.

local core = require "cekura.core"
local times = require "cekura.times"

local transcript = {}

---@class cekura.Turn
---@field role? string "Main Agent", "Testing Agent", "Function Call", "Function Call Result", …
---@field content? string absent in some results of function calls
---@field start_time? number seconds since the begin of the call
---@field end_time? number
---@field data? table of function calls; every other member that came is there, too

-- ---- structured ----

-- No call lasts so many seconds: a larger number is a date.
local LONGEST = 1e7

-- Seconds since the begin of the call: a number, or a text "0:07".
local function seconds(value)
  if type(value) == "number" then
    return value < LONGEST and value or nil
  end
  return (times.duration(value))
end

local function as_text(value)
  return type(value) == "string" and value or nil
end

local function read_turn(item)
  local turn = {}
  for name, value in pairs(item) do
    turn[name] = value
  end
  -- The schema has a `timestamp`; what comes has a `start_time`, or only a `time` for people: a text. As a number it
  -- may be anything, such as the milliseconds since 1970 of some providers.
  turn.start_time = seconds(item.start_time) or seconds(item.timestamp) or (times.duration(item.time))
  turn.end_time = seconds(item.end_time)
  turn.role, turn.content = as_text(item.role), as_text(item.content)
  return turn
end

local function from_list(list)
  local turns = {}
  for _, item in ipairs(list) do
    if type(item) == "table" and getmetatable(item) ~= core.array_mt and next(item) ~= nil then
      turns[#turns + 1] = read_turn(item)
    end
  end
  return turns
end

-- ---- text: "[00:01] Testing Agent: Hello." ----

-- The time, the role and the words that a line begins a turn with; nil: it goes on with the last one.
local function read_line(line)
  local stamp, rest = line:match "^%s*%[([%d:.]+)%]%s*(.*)$"
  local start_time = stamp and times.duration(stamp)
  if not start_time then
    return nil
  end
  -- A role may be in any language. "10:30 would suit me" and "https://…" begin with none.
  local role, content = rest:match "^([%w _%-\128-\255]+):(.*)$"
  if not role or content:find "^[%d/]" then
    return start_time, nil, rest
  end
  return start_time, role:match "^(.*[^ ])" or role, content:match "^%s*(.*)$"
end

local function from_text(text)
  local turns, lines = {}, nil
  local function finish()
    if lines then
      turns[#turns].content = table.concat(lines, "\n"):match "^(.*%S)" or ""
    end
  end
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    local start_time, role, content = read_line(line)
    if start_time then
      finish()
      turns[#turns + 1] = { start_time = start_time, role = role }
      lines = { content }
    elseif lines then
      lines[#lines + 1] = line
    elseif line:find "%S" then -- words before the first stamp are not lost
      turns[#turns + 1] = {}
      lines = { line }
    end
  end
  finish()
  return turns
end

--- The turns of a field's value, whichever form it has.
---@param value any a list of objects, the JSON text of one, or a text transcript
---@return cekura.Turn[]
function transcript.read(value)
  if type(value) == "string" and value:find "^%s*[%[{]" then
    local decoded = core.decode(value)
    value = type(decoded) == "table" and decoded or value
  end
  if type(value) == "table" then
    return from_list(value)
  end
  return type(value) == "string" and from_text(value) or {}
end

return transcript
