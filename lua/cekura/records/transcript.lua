--- Transcripts: the turns of a call, from the structured form and from the text.

local core = require "cekura.core"
local described = require "cekura.described"
local show = require "cekura.show"
local times = require "cekura.records.times"

local transcript = {}

---@class cekura.Turn a value that cannot be read as described is left unchanged; all other members are kept, too
---@field role? string "Main Agent", "Testing Agent", "Function Call", "Function Call Result", …
---@field content? string absent in some results of function calls
---@field start_time? number seconds since the call began; since the epoch where the sender gave a date
---@field end_time? number
---@field data? table of function calls
---@field [string] any

-- ---- structured ----

-- No call lasts so many seconds: a larger number is a date in seconds, or from the second limit on in milliseconds.
local LONGEST, MILLISECONDS, TOO_LATE = 1e7, 1e11, 1e14

-- A number, a number as text, or a text "0:07"; nil for anything else.
local function seconds(value)
  local number = times.number(value)
  if not number then
    return (times.duration(value))
  elseif number >= MILLISECONDS then
    return number < TOO_LATE and number / 1000 or nil
  end
  return number
end

-- A time for people, "0:07". A number is ambiguous here, unless it is a date.
local function shown_time(value)
  local read = seconds(value)
  return read and (not times.number(value) or read >= LONGEST) and read or nil
end

-- The text of a list of texts, or of parts that have one: { type = "text", text = … }. Nil: there is none.
local function text_of_parts(parts)
  local texts = {}
  for _, part in ipairs(type(parts) == "table" and parts or {}) do
    local text = type(part) == "table" and (part.text or part.transcript or part.content) or part
    text = type(text) == "table" and text.value or text
    texts[#texts + 1] = type(text) == "string" and text or nil
  end
  return texts[1] and table.concat(texts, "\n") or nil
end

local Turn = described("cekura.turn", function(turn)
  local starts_at = type(turn.start_time) == "number" and show.format(" at %g s", turn.start_time) or ""
  return (turn.role or "?") .. starts_at
end)

local function read_turn(item)
  local turn = setmetatable({}, Turn)
  for name, value in pairs(item) do
    turn[name] = value
  end
  -- The schema has `timestamp`; actual turns have `start_time`, or only `time`.
  turn.start_time = seconds(item.start_time) or seconds(item.timestamp) or shown_time(item.time) or item.start_time
  turn.end_time = seconds(item.end_time) or item.end_time
  turn.content = text_of_parts(item.content) or item.content
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

local LONGEST_ROLE = 60

-- The role and the content of "Agent (John): Hello."; nil: the text does not begin with a role. A role may be in any
-- language. "10:30 would suit me", "https://…" and a sentence with a colon do not begin with one.
local function read_role(text)
  local role, content = text:match "^([A-Za-z0-9 _%-()%[%]<>|'\"/&#@+.*\128-\255]+):(.*)$"
  if not role or content:find "^[0-9/]" or #role > LONGEST_ROLE or not role:find "[^ *.]" then
    return nil
  elseif role:find "[A-Za-z0-9\128-\255][A-Za-z0-9\128-\255][A-Za-z0-9\128-\255][A-Za-z0-9\128-\255]%. " then
    return nil -- the end of a sentence; "Dr. " is not one
  end
  return role:match "^ *(.*[^ ])", content:match "^[ \t\r\v\f]*(.*)$"
end

-- A line that begins a turn: its text without the time, the time, the role and the content. Nil: it continues the turn
-- before.
local function read_stamped(line)
  local stamp, rest = line:match "^%s*%[([0-9:.]+)%]%s*(.*)$"
  local start_time = stamp and times.duration(stamp)
  if not start_time then
    return nil
  end
  local role, content = read_role(rest)
  return rest, start_time, role, content
end

local MOST_WORDS = 4 -- of a role without a time before it

-- The same for "AI: Hello.", where no line has a time.
local function read_spoken(line)
  local role, content = read_role(line)
  if role and select(2, role:gsub("[^ ]+", "")) <= MOST_WORDS then
    return line, nil, role, content
  end
end

-- The turns of the text, and whether it begins with one: text before the first is a turn without a role.
local function split(text, read_line)
  local turns, lines, begins = {}, nil, false
  local function finish()
    if lines then
      turns[#turns].content = table.concat(lines, "\n"):match "^(.*%S)" or ""
    end
  end
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    local rest, start_time, role, content = read_line(line)
    if rest then
      finish()
      begins = begins or #turns == 0
      turns[#turns + 1] = { start_time = start_time, role = role }
      lines = { content or rest }
    elseif lines then
      lines[#lines + 1] = line
    elseif line:find "%S" then -- text before the first turn
      turns[#turns + 1] = {}
      lines = { line }
    end
  end
  finish()
  return turns, begins
end

local function from_text(text)
  local turns = split(text, read_stamped)
  if #turns == 1 and not turns[1].start_time then
    local spoken, begins = split(text, read_spoken)
    return begins and spoken or turns
  end
  return turns
end

--- The turns in a field's value, of any form.
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
