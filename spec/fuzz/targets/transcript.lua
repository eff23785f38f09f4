--- Transcripts from any text and any JSON: turns have fields of the documented types, and together contain exactly what
-- was said.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"
local provider = require "cekura.records.provider"
local promise = require "spec.fuzz.promise"
local times = require "cekura.records.times"
local transcript = require "cekura.records.transcript"

-- Asserts the types of a turn from a text. In JSON, a value of another type is kept; see check_list().
local function check_fields(turn)
  for _, name in ipairs { "role", "content" } do
    promise.holds(turn[name] == nil or type(turn[name]) == "string", "%s is a text, not %s", name, type(turn[name]))
  end
  if turn.start_time ~= nil then
    promise.finite(turn.start_time, "start_time")
  end
end

-- ---- text ----

local function squeezed(text)
  return (text:gsub("%s+", ""))
end

-- Asserts that the turns, joined, are the text without its space.
local function check_text(text, turns)
  local rest = squeezed(text)
  local function take(part)
    promise.holds(rest:sub(1, #part) == part, "%q stands where %q begins", part, rest:sub(1, 60))
    rest = rest:sub(#part + 1)
  end
  for _, turn in ipairs(turns) do
    if turn.start_time then
      local stamp = rest:match "^%[([%d:.]+)%]"
      promise.holds(stamp and times.duration(stamp) == turn.start_time, "the stamp of a turn stands there")
      take("[" .. stamp .. "]")
    end
    if turn.role then
      promise.holds(turn.role ~= "" and not turn.role:find "^%s" and not turn.role:find "%s$", "the role %q", turn.role)
      take(squeezed(turn.role) .. ":")
    end
    promise.holds(turn.content, "words, if only empty ones")
    take(squeezed(turn.content))
  end
  promise.holds(rest == "", "nothing is left: %q", rest:sub(1, 60))
end

-- ---- JSON ----

local function check_list(list, turns)
  local place = 0
  for _, item in ipairs(list) do
    if type(item) == "table" and getmetatable(item) ~= core.array_mt and next(item) ~= nil then
      place = place + 1
      local turn = turns[place]
      promise.holds(turn, "turn %d is there", place)
      for name, value in pairs(item) do
        if name == "content" and type(value) == "table" and type(turn.content) == "string" then
          promise.holds(#value > 0, "parts of %q", turn.content)
        elseif name == "start_time" or name == "end_time" then
          if type(turn[name]) ~= "number" then
            promise.same(turn[name], value, name)
          end
        else
          promise.same(turn[name], value, name)
        end
      end
      if type(turn.start_time) == "number" and turn.start_time ~= item.start_time then
        promise.finite(turn.start_time, "start_time")
        promise.holds(turn.start_time < 1e11, "start_time in seconds: %g", turn.start_time)
      end
    end
  end
  promise.holds(#turns == place, "%d turns, not %d", place, #turns)
end

-- ---- the target ----

local function check(value, what)
  local turns = transcript.read(value)
  local decoded = type(value) == "string" and value:find "^%s*[%[{]" and core.decode(value) or value
  if type(decoded) == "table" and provider.recognize(decoded) then
    return turns -- spec/fuzz/targets/turns.lua checks those
  elseif type(decoded) == "table" then
    check_list(decoded, turns)
  elseif type(decoded) == "string" then
    for _, turn in ipairs(turns) do
      check_fields(turn)
    end
    check_text(value, turns)
  else
    promise.holds(#turns == 0, "%s: no turns", what)
  end
  return turns
end

return function(text)
  check(text, "text")
  local value = core.decode(text)
  if value ~= nil then
    check(value, "value")
  end
  if not core.is_utf8(text) then
    return
  end
  local json = encode({ text }, "text"):sub(2, -2)
  local wanted = transcript.read(text)
  for _, shape in ipairs { '{"transcript":%s}', '{"transcript_object":%s,"transcript":"[00:01] a: b"}' } do
    local call, found = cekura.assert(cekura.call_log((shape:gsub("%%s", (json:gsub("%%", "%%%%")))))), {}
    for turn in call:turns() do
      found[#found + 1] = turn
    end
    if #wanted > 0 or shape:find "^{\"transcript\"" then
      promise.same(found, wanted, "turns of a record")
    else
      promise.same(found, { { start_time = 1, role = "a", content = "b" } }, "turns of the text instead")
    end
  end
end
