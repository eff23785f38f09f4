--- Calls for the specs of reports: a rich one, and one with a text that tries to break out in every field.

local encode = require "cekura.http.encode"

local report_cases = {}

local function turn(role, start_time, end_time, content)
  return { role = role, start_time = start_time, end_time = end_time, content = content }
end

--- A call with all that a report shows. Each text goes through `wrap`.
---@param wrap? fun(text: string): string
---@param recording? string its URL
---@return string json
function report_cases.call(wrap, recording)
  local w = wrap or function(text) return text end
  local call_turn = { role = "Function Call", start_time = 7.4, end_time = 7.4,
    data = { name = w "find_slots", arguments = w '{"day":"Tuesday"}' } }
  local result_turn = { role = "Function Call Result", start_time = 8.1, data = { result = w "09:30, 14:15" } }
  return encode({
    id = 5181749, agent_name = w "Lakeside Dental receptionist", timestamp = w "2026-11-26T20:14:07Z",
    duration = "01:10", status = w "failure", success = false, call_ended_reason = w "agent-ended-call",
    dropoff_point = w "before the insurance was asked for", topic = w "appointment", customer_number = w "+15550100",
    call_id = w "sess-1", error_message = w "none", feedback = w "Listen to the end.",
    voice_recording_url = recording or "https://recordings.example/sess-1.wav",
    transcript_object = {
      turn("Main Agent", 0.4, 3.1, w "Lakeside Dental, good morning. How can I help?"),
      turn("Testing Agent", 2.7, 7.2, w "This is Nora Blum. I need a check-up, if possible on Tuesday."),
      call_turn, result_turn,
      turn("Main Agent", 14.5, 22.9, w "On Tuesday there is half past nine."),
      turn("Testing Agent", 23.3, 24.8, w "Half past nine, please."),
      turn(w "Supervisor", 38.1, 44, w "I take over.\nOne moment."),
      turn("Main Agent", 52, 56, w "Goodbye."),
    },
    evaluation = { metrics = {
      { id = 501, name = w "Appointment confirmed", eval_type = "binary", passed = true,
        explanation = { w "The agent read the day back." } },
      { id = 502, name = w "No medical advice", eval_type = "binary", passed = false,
        explanation = { w "A painkiller, at [00:14].", w "Nothing was noted down." },
        extra = { categories = { { category = w "Advice beyond the role", priority = w "critical" } } } },
      { id = 504, name = w "Outcome", eval_type = "enum", value = w "abandoned", explanation = {} },
      { id = 503, name = w "Seconds to the first word", eval_type = "numeric", score = 1.8, explanation = {} },
    } },
  }, "call")
end

--- Texts that try to become elements, attributes, scripts or styles of the page. Where one succeeds, it sets the
--- variable `broken` of the page.
report_cases.ATTACKS = {
  "<script>window.broken = 1</script>",
  '"><img src=x onerror="window.broken = 1">',
  "' onmouseover='window.broken = 1' x='",
  "javascript:window.broken = 1",
  "</style></script></title><svg onload='window.broken = 1'>",
  "<!-- <a href='javascript:window.broken = 1' id='turn-1'>&lt;script&gt;",
  "%s %% ]]> {{1}} \226\128\174evil\0\27[31m",
}

return report_cases
