--- The life of a prompt improvement: queued, processing, and one of several ends.

local cjson = require "cjson"

local life = {}

-- The ends, by the word that chooses one.
local ends = {}

function ends.completed(job)
  local improved = job.prompt .. "\n\n- Confirm the caller's name and the date of the appointment before hanging up."
    .. "\n- If the caller asks for a person, offer to transfer the call at once."
  return {
    status = "completed",
    output = {
      improved_prompt = improved,
      summary_of_changes = ("Two rules added, from %s: confirm details before the end of a call, and offer a transfer.")
        :format(job.source),
    },
    error = cjson.null,
  }
end

function ends.no_issues()
  return { status = "failed", output = cjson.null, error = "No issues found in the given call logs." }
end

function ends.failed()
  return { status = "failed", output = cjson.null, error = "The model gave no answer." }
end

function ends.cancelled()
  return { status = "cancelled", output = cjson.null, error = cjson.null }
end

function ends.empty()
  return { status = "completed", output = cjson.null, error = cjson.null }
end

function ends.needs_input()
  return { status = "pending_clarification", output = cjson.null, error = cjson.null }
end

function ends.call_log()
  return {
    id = 5181749, call_id = "sess-1", status = "success", success = true, transcript = "[00:01] Testing Agent: Hello.",
  }
end

local function going_on(job)
  if job.life == "call_log" then
    return { id = 5181749, call_id = "sess-1", status = "evaluating" }
  end
  local word = job.polls <= 1 and "queued" or "processing"
  return { status = word, output = cjson.null, error = cjson.null }
end

--- What a job's progress request gets. `polls` are counted, or time is: so many seconds after its start
-- a job ends.
function life.progress(job)
  job.polls = job.polls + 1
  local over = job.seconds and ngx.now() - job.started >= job.seconds
    or not job.seconds and job.polls > job.polls_to_end
  if job.life == "endless" or not over then
    return going_on(job)
  end
  return ends[job.life](job)
end

--- Whether a life of that name exists.
function life.exists(name)
  return name == "endless" or name == "inline" or ends[name] ~= nil
end

--- The answer to a start that holds the result itself.
function life.inline(job)
  return ends.completed(job).output
end

return life
