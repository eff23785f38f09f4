--- Jobs that are polled by a progress id: their start, their polls, and the requests that stop or answer them.
-- families.lua has their differences.

local check = require "cekura.simulator.check"
local families = require "cekura.simulator.families"
local life = require "cekura.simulator.life"
local state = require "cekura.simulator.state"

local jobs = { routes = {} }

local function refusal_of(family, body)
  return check.body(body, family.required or {}, family.optional)
    or family.one_of and check.one_of(body, family.one_of)
    or family.refuse and family.refuse(body)
end

local function new_job(family, request)
  local course, refusal = life.begin(request, family.words)
  if refusal then
    return nil, refusal
  end
  local job = { family = family, life = course, body = request.body, record_id = request.id }
  state.add_job(job)
  return job
end

local function start(family)
  return function(request)
    local refusal = refusal_of(family, request.body)
    local key = family.cached and family.cached(request)
    if refusal then
      return refusal
    elseif key and state.summaries[key] then
      return { body = { progress_id = state.summaries[key] } }
    end
    local job
    job, refusal = new_job(family, request)
    if refusal then
      return refusal
    elseif job.life.ending == "inline" then
      return { body = family.inline(job) }
    end
    if key then
      state.summaries[key] = job.id
    end
    local answer = family.begun and family.begun(job) or {}
    answer[family.id or "progress_id"] = job.id
    return { status = family.status, body = answer }
  end
end

local function progress(family)
  return function(request)
    local name = family.id or "progress_id"
    local id = request.query[name]
    if not id then
      return check.invalid { [name] = "This field is required." }
    end
    local job = state.jobs[id]
    local is_known = job and job.family.poll == family.poll -- families may share the request for progress
    if not is_known or request.id and request.id ~= job.record_id then
      return check.not_found()
    end
    local phase = job.life:poll()
    return { body = job.family.progress(job, phase, job.family.words[phase]) }
  end
end

-- The job of that family that the body names.
local function named(family, body)
  local refusal = check.body(body, { progress_id = "text" })
  local job = not refusal and state.job(body.progress_id, family)
  return job or nil, refusal or not job and check.not_found() or nil
end

local function cancel(job)
  if not job.life:over() or job.life.ending == "needs_input" then
    job.life:finish "cancelled"
  end
  state.remember("cancelled", { progress_id = job.id })
end

local function cancel_feedbacks(request)
  local job, refusal = named(families.feedbacks, request.body)
  if refusal then
    return refusal
  end
  cancel(job)
  return { body = { detail = "Cancelled." } }
end

local function answer_clarification(request)
  local refusal = check.body(request.body, { progress_id = "text", answer = "text" })
  local job
  if not refusal then
    job, refusal = named(families.generation, request.body)
  end
  if refusal then
    return refusal
  elseif #request.body.answer > 10000 then
    return check.invalid { answer = "More than 10000 characters." }
  elseif job.life:phase() ~= "needs_input" then
    return check.bad_request "Nothing was asked."
  end
  job.life:resume()
  state.remember("answers", { progress_id = job.id, answer = request.body.answer })
  return { body = { progress_id = job.id } }
end

-- The newest job of a session.
local function of_session(session_id)
  local newest
  for _, job in pairs(state.jobs) do
    if job.family == families.clarification and job.session_id == session_id and (not newest or job.id > newest.id) then
      newest = job
    end
  end
  return newest
end

-- The documents do not say how a session is answered. Here a message to a waiting session is its answer, and gets a new
-- progress id, as every start does. Both jobs go on to the end.
local start_clarification = start(families.clarification)

local function answer_session(request)
  local waiting = of_session(tonumber(request.body.session_id))
  local answer = start_clarification(request)
  if waiting and waiting.life:phase() == "needs_input" and not answer.status then
    waiting.life:resume()
    state.job(answer.body.progress_id, families.clarification).life:resume()
    state.remember("answers", { session_id = waiting.session_id, answer = request.body.user_message })
  end
  return answer
end

local function cancel_session(request)
  local refusal = check.body(request.body, { session_id = "integer" })
  if refusal then
    return refusal
  end
  local job = of_session(tonumber(request.body.session_id))
  if not job then
    return check.not_found()
  end
  cancel(job)
  return { body = { success = true, session_id = job.session_id } }
end

local routes = jobs.routes
for _, family in ipairs(families) do
  for _, mount in ipairs(family.mounts) do
    routes["POST " .. mount .. family.start] = start(family)
    routes["GET " .. mount .. family.poll] = progress(family)
  end
end
for _, mount in ipairs(families.clarification.mounts) do
  routes["POST " .. mount .. "scenario-agent/"] = answer_session
  routes["POST " .. mount .. "cancel-agent/"] = cancel_session
  routes["POST " .. mount .. "generate-clarify-answer/"] = answer_clarification
end
routes["POST /test_framework/metric-reviews/process_feedbacks_cancel/"] = cancel_feedbacks

return jobs
