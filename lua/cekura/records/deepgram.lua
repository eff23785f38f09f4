--- Transcripts of Deepgram: words, utterances, and the answers of a live stream, as segments of one speaker each. They
-- do not say which speaker is the agent, so the role of a segment is "speaker 0", or "channel 0" where each side has a
-- channel.

local cjson = require "cekura.cjson"
local show = require "cekura.show"
local times = require "cekura.records.times"
local turn = require "cekura.records.turn"

local deepgram = {}

-- A silence of so many seconds ends a segment, as it ends an utterance (Deepgram's `utt_split`).
local PAUSE = 0.8

local function list_of(value)
  return type(value) == "table" and value or {}
end

local function alternative(channel)
  local best = list_of(list_of(channel).alternatives)[1]
  return type(best) == "table" and best or nil
end

local function is_word(item)
  return item.role == nil and item.word ~= nil and item.start ~= nil
end

local function is_utterance(item)
  return item.role == nil and item.transcript ~= nil and item.start ~= nil
end

--- Whether an item can only be Deepgram's: a word, an utterance, a channel, or an answer of a live stream.
function deepgram.marks(item)
  return is_word(item) or is_utterance(item) and item["end"] ~= nil or alternative(item) ~= nil
    or alternative(item.channel) ~= nil
end

local function text_of(words)
  local texts = {}
  for place, word in ipairs(words) do
    local text = type(word.punctuated_word) == "string" and word.punctuated_word or word.word
    texts[place] = type(text) == "string" and text or show.value(text)
  end
  return table.concat(texts, " ")
end

local function role_of(channel, speaker)
  local number = channel or speaker
  if number ~= nil and number ~= cjson.null then
    local is_whole = type(number) == "number" and number % 1 == 0 -- also 0.0, by decoders that have only floats
    return (channel and "channel " or "speaker ") .. (is_whole and ("%.0f"):format(number) or show.value(number))
  end
end

-- Whether a word goes on with what the one before it says.
local function continues(word, before)
  local from, to = times.number(before["end"]), times.number(word.start)
  return word.speaker == before.speaker and not (from and to and to - from >= PAUSE)
end

-- Adds the words as segments. What is no word is added as it is.
local function add_words(segments, words, channel)
  local segment, made = nil, {}
  for _, word in ipairs(words) do
    if type(word) ~= "table" or not is_word(word) then
      segment = nil
      segments[#segments + 1] = word
    else
      if not segment or not continues(word, segment.words[#segment.words]) then
        segment = { role = role_of(channel, word.speaker), speaker = word.speaker, channel = channel,
          start = word.start, words = {} }
        segments[#segments + 1], made[#made + 1] = segment, segment
      end
      segment.words[#segment.words + 1] = word
      segment["end"] = word["end"]
    end
  end
  for _, each in ipairs(made) do
    each.transcript = text_of(each.words)
  end
end

-- Adds what an alternative says: its words, or its text if it lists none.
local function add_alternative(segments, found, channel, item)
  local words = list_of(found.words)
  if words[1] ~= nil then
    add_words(segments, words, channel)
  elseif found.transcript ~= nil and found.transcript ~= "" then
    local start, duration = times.number(item.start), times.number(item.duration)
    segments[#segments + 1] = { role = role_of(channel), channel = channel, start = item.start,
      ["end"] = start and duration and start + duration, transcript = found.transcript }
  end
end

local function add_utterance(segments, item, has_channels)
  local copy = {}
  for name, value in pairs(item) do
    copy[name] = value
  end
  copy.role = item.role or role_of(has_channels and item.channel or nil, item.speaker)
  segments[#segments + 1] = copy
end

-- Whether the utterances are of several channels.
local function has_channels(utterances)
  local first
  for _, item in ipairs(utterances) do
    local channel = type(item) == "table" and item.channel
    first = first or channel
    if channel and channel ~= first then
      return true
    end
  end
  return false
end

-- Adds the items of a list, of any form.
local function add_list(segments, list)
  local several, words = has_channels(list), {}
  local function flush()
    add_words(segments, words)
    words = {}
  end
  for _, item in ipairs(list) do
    local found = type(item) == "table" and alternative(item.channel)
    if type(item) == "table" and is_word(item) then
      words[#words + 1] = item
    else
      flush()
      if found and item.is_final ~= false then -- others are replaced by a later one
        local place = list_of(item.channel_index)
        local total = times.number(place[2])
        add_alternative(segments, found, total and total > 1 and place[1] or nil, item)
      elseif type(item) == "table" and not found and is_utterance(item) then
        add_utterance(segments, item, several)
      elseif not found then
        segments[#segments + 1] = item
      end
    end
  end
  flush()
end

local function start_of(segment)
  return type(segment) == "table" and times.number(segment.start) or nil
end

--- The segments in an answer, in a list of words or utterances, or in the answers of a live stream.
---@param value table
---@return table[]
function deepgram.segments(value)
  local segments, results = {}, list_of(value.results)
  local utterances, channels = list_of(results.utterances), list_of(results.channels)
  if utterances[1] ~= nil then
    add_list(segments, utterances)
  elseif channels[1] ~= nil then
    for place, channel in ipairs(channels) do
      local found = alternative(channel)
      if found then
        add_alternative(segments, found, channels[2] and place - 1 or nil, {})
      end
    end
  else
    add_list(segments, alternative(value.channel) and { value } or value)
  end
  return turn.sort(segments, start_of)
end

return deepgram
