--- Transcripts: the turns of a call, from the structured form, those of providers, and the text.

local check = require "cekura.check"
local core = require "cekura.core"
local later = require "cekura.later"
local record = require "cekura.records.record"
local roles = require "cekura.records.roles"
local times = require "cekura.records.times"
local turn = require "cekura.records.turn"
local by_provider = later "cekura.records.provider"

local transcript = {}

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

-- ---- any form ----

local function from_list(list)
  local turns = {}
  for place, item in ipairs(turn.items(list)) do
    turns[place] = turn.read(item)
  end
  return turns
end

local function from_value(value, name, is_own)
  if type(value) == "string" and value:find "^%s*[%[{]" then
    local decoded = core.decode(value)
    value = type(decoded) == "table" and decoded or value
  end
  if type(value) ~= "table" then
    local turns = type(value) == "string" and from_text(value) or {}
    for _, each in ipairs(name and name ~= "cekura" and turns or {}) do
      each.role = roles.name(each.role) or each.role
    end
    return turns
  end
  name = name or by_provider.recognize(value, is_own)
  return name and by_provider.turns(value, name) or from_list(value)
end

--- The turns in a field's value, of any form.
---@param value any a list of objects, the JSON text of one, a provider's transcript, or a text
---@param is_own? boolean the service has made it
---@return cekura.Turn[]
function transcript.read(value, is_own)
  return from_value(value, nil, is_own)
end

--- cekura.turns(): the turns in any value.
---@param value any
---@param provider? string
---@return cekura.Turn[]
function transcript.turns(value, provider)
  if provider ~= nil then
    check.known("turns", "provider", provider, by_provider.names)
  end
  if record.classes()[core.type(value)] then -- such as the body of a webhook
    value = value:json()
  end
  return from_value(value, provider)
end

return transcript
