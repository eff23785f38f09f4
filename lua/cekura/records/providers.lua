--- The transcripts of providers, a row for each. Where no page is named, the format is that of a sample.
--
--   within     where the list lies in larger objects: names, with dots between them
--   marks      whether an item can only be of this provider
--   resembles  whether it is, unless the service's own transcript has it, whose documented form is the same
--   role       the member that has the role, if that is not `role`
--   content    the members that may have what was said
--   times      when an item began and ended, as seconds; nil: not known
--   roles      words for roles beyond those of cekura.records.roles
--   items      makes the items from the whole value, where turns cannot be read from its list

local deepgram = require "cekura.records.deepgram"
local times = require "cekura.records.times"
local turn = require "cekura.records.turn"

-- Seconds since the call began, or the epoch.
local function when(value)
  return turn.seconds(value) or (times.epoch(value))
end

local function first_of(list)
  return type(list) == "table" and list[1] or nil
end

-- The words have the times, in seconds. Some words may have none.
local function times_of_words(item)
  local start, stop
  for _, word in ipairs(type(item.words) == "table" and item.words or {}) do
    if type(word) == "table" then
      start, stop = start or when(word.start), when(word["end"]) or stop
    end
  end
  return start, stop
end

-- `time` and `endTime` are dates in milliseconds, as is `duration`, which may leave out pauses.
local function times_of_vapi(item)
  local from, to = times.number(item.time), times.number(item.endTime)
  local start = when(item.secondsFromStart) or when(from)
  if not start or from and from < turn.MILLISECONDS then
    return start, when(to)
  end
  local lasted = from and to and to - from or times.number(item.duration)
  return start, lasted and lasted >= 0 and lasted < turn.MILLISECONDS and start + lasted / 1000 or nil
end

-- Whether an item is as in LiveKit's sample, and has no other time.
local function is_stamped(item)
  return (item.role == "user" or item.role == "assistant") and type(item.content) == "string"
    and type(item.timestamp) == "number" and item.start_time == nil and item.time == nil
end

return {
  -- The report at the end of a call: https://docs.vapi.ai/server-url/events
  vapi = {
    within = { "message.artifact.messages", "artifact.messages", "messages" },
    marks = function(item)
      return item.secondsFromStart ~= nil or item.role ~= nil and item.message ~= nil and item.time ~= nil
    end,
    content = { "message", "content" },
    times = times_of_vapi,
  },

  -- A call, also in a webhook: https://docs.retellai.com/api-references/get-call
  retell = {
    within = { "call.transcript_with_tool_calls", "call.transcript_object", "transcript_with_tool_calls",
      "transcript_object" },
    marks = function(item)
      local word = first_of(item.words)
      return item.role ~= nil and type(word) == "table" and word.word ~= nil
        or item.tool_call_id ~= nil and (item.role == "tool_call_invocation" or item.role == "tool_call_result")
    end,
    content = { "content" },
    times = times_of_words,
  },

  -- A webhook: https://elevenlabs.io/docs/conversational-ai/workflows/post-call-webhooks
  elevenlabs = {
    within = { "data.transcript", "transcript" },
    marks = function(item)
      return item.time_in_call_secs ~= nil
    end,
    content = { "message" },
    times = function(item)
      return when(item.time_in_call_secs)
    end,
  },

  -- Words by the sample; utterances and channels: https://developers.deepgram.com/docs/utterances
  deepgram = {
    within = { "results.utterances", "results.channels" },
    marks = deepgram.marks,
    items = deepgram.segments,
    content = { "transcript" },
    times = function(item)
      return when(item.start), when(item["end"])
    end,
  },

  -- Turns with `timestamp` by the sample. The other items are from the SDK's chat_context.py, whose ChatContext is
  -- `session.history`, not from a sample.
  livekit = {
    within = { "chat_history.items", "history.items", "items" },
    marks = function(item)
      return item.type == "message" and item.role ~= nil and type(item.content) == "table"
        or item.call_id ~= nil and (item.type == "function_call" or item.type == "function_call_output")
    end,
    resembles = is_stamped,
    content = { "content" },
    times = function(item)
      local spoken = type(item.metrics) == "table" and item.metrics or {}
      local start = when(spoken.started_speaking_at)
      return start or when(item.timestamp) or when(item.created_at), start and when(spoken.stopped_speaking_at)
    end,
  },

  -- From the page, not from a sample: https://docs.bland.ai/api-v1/get/calls-id
  bland = {
    within = { "transcripts" },
    marks = function(item)
      return item.role == nil and type(item.user) == "string" and item.text ~= nil
    end,
    role = "user",
    roles = { agent_action = "Function Call" },
    content = { "text" },
    times = function(item)
      return when(item.created_at)
    end,
  },

  -- From the page, not from a sample: https://docs.pipecat.ai/server/utilities/transcriptions
  pipecat = {
    within = { "messages", "transcript" },
    marks = function(item)
      return item.role ~= nil and item.content ~= nil and times.epoch(item.timestamp) ~= nil
    end,
    content = { "content" },
    times = function(item)
      return when(item.timestamp)
    end,
  },
}
