--- The progress of jobs, in shared dictionaries. Worker 0 waits for each job, once, and writes what changes; pages and
-- streams of all workers read it. So the service sees one poll, however many people look.

local cekura = require "cekura"
local cjson = require "cjson.safe"

local progress = {}

local TICK = 0.5 -- seconds
local KEPT = 86400

-- By a job's id: its state, which is small, since every stream reads it twice a second. By ID/prompt and ID/outcome:
-- the texts, which are read for a page.
local jobs = ngx.shared.jobs
-- The ids of the jobs that worker 0 waits for. They outlive it: after a reload, or a crash, the new worker 0 goes on.
local running = ngx.shared.running

local function get(key)
  return cjson.decode(jobs:get(key) or "")
end

local function set(key, value)
  assert(jobs:set(key, cjson.encode(value), KEPT))
end

--- What is known of a job: state, status, progress, and when it is over perhaps an error.
---@param id string
---@return table? state nil for an id that is unknown, or was forgotten
function progress.state(id)
  return get(id)
end

--- Its outcome: the pieces of the difference, the summary of changes, the reason why there is none.
---@param id string
---@return table? outcome
function progress.outcome(id)
  return get(id .. "/outcome")
end

-- Every state has another version, by which a stream notices it.
local function publish(id, changes)
  local state = get(id)
  if state then -- it was not forgotten
    for name, value in pairs(changes) do
      state[name] = value
    end
    state.version = state.version + 1
    set(id, state)
  end
end

local function text(value)
  return type(value) == "string" and value or nil
end

-- Publishes the end of a wait. Only the worker that waits takes the time for the difference.
local function finish(id, job, result, err)
  if result then
    local prompt, improved = get(id .. "/prompt"), result.improved_prompt
    set(id .. "/outcome", {
      pieces = improved and cekura.diff(prompt or "", improved), summary = text(result.summary_of_changes),
      reason = text(result.reason),
    })
  end
  publish(id, {
    state = job and job.state, over = true, error = err and { kind = err.kind, message = err.message } or false,
  })
end

local function follow(client, id)
  local state = get(id)
  if not state then -- it was forgotten
    return running:delete(id)
  end
  local job, result, err
  job, err = client:resume(state.token)
  if job then
    result, err = job:wait { on_progress = function()
      publish(id, { state = job.state, status = job.status, progress = job.progress })
    end }
  end
  if err and err.kind == "closed" then -- this worker ends, and the next one goes on
    return
  end
  finish(id, job, result, err)
  running:delete(id)
end

--- Has this worker wait for all jobs, if it is the one.
function progress.start()
  local client
  local followed = {}

  local function look(is_ending)
    for _, id in ipairs(is_ending and {} or running:get_keys(0)) do
      if not followed[id] then
        followed[id] = true
        client = client or cekura.assert(cekura.new())
        cekura.spawn(function()
          local ok, raised = pcall(follow, client, id)
          if not ok then -- such as that the dictionary has no room for the outcome
            ngx.log(ngx.WARN, tostring(raised))
            finish(id, nil, nil, { kind = "raised", message = tostring(raised) })
            running:delete(id)
          end
          followed[id] = nil
        end)
      end
    end
  end

  if ngx.worker.id() == 0 then
    assert(ngx.timer.every(TICK, look))
  end
end

--- Claims a form, which starts one job even if it is sent twice: by a second click, for instance. If it was claimed
--- before, waits for what came of that.
---@param form string
---@return string|false|nil id of the job that it has started; false: it has started none; nil: it is claimed now
function progress.claim(form)
  local first, problem = jobs:add(form .. "/form", "", KEPT)
  if first or problem ~= "exists" then
    return nil
  end
  local id
  repeat
    id = jobs:get(form .. "/form")
    if id == "" then
      ngx.sleep(TICK)
    end
  until id ~= ""
  return id or false
end

--- Notes what came of a claimed form.
---@param form string
---@param id? string of the job that it has started
function progress.settle(form, id)
  jobs:set(form .. "/form", id or false, KEPT)
end

--- Makes a started job known to all workers.
---@param job cekura.Job
---@param prompt string
---@param calls string the calls that it is improved by, in words
---@return string id
function progress.add(job, prompt, calls)
  local id, token = ngx.var.request_id, job:token() -- the id has 32 random hexadecimal digits
  set(id .. "/prompt", prompt)
  set(id, { id = id, token = token, calls = calls, started = ngx.now(), version = 1, state = job.state })
  if token then
    assert(running:safe_set(id, true))
  else -- the service has answered the start with the outcome
    finish(id, job, job:wait())
  end
  return id
end

--- Waits again for a job whose wait has timed out.
---@param state table
function progress.wait_again(state)
  if state.error and state.error.kind == "timeout" then
    publish(state.id, { over = false, error = false })
    assert(running:safe_set(state.id, true))
  end
end

--- The jobs that are known, the newest first.
---@return table[] states
function progress.list()
  local list = {}
  for _, key in ipairs(jobs:get_keys(0)) do
    list[#list + 1] = #key == 32 and get(key) or nil
  end
  table.sort(list, function(a, b)
    return a.started > b.started
  end)
  return list
end

--- Calls a function with each new state of a job until the job is over, and without a state every 15 seconds. Ends,
--- too, when the function returns a false value, or when nginx reloads or quits.
---@param id string
---@param seen? string the last version that was seen
---@param send fun(state?: table): any
function progress.stream(id, seen, send)
  local quiet = 0
  repeat
    local state, goes_on = progress.state(id), true
    if state and tostring(state.version) ~= seen then
      seen, quiet = tostring(state.version), 0
      goes_on = send(state)
    elseif quiet >= 15 then
      quiet = 0
      goes_on = send()
    end
    if not state or state.over or not goes_on then
      return
    end
    ngx.sleep(TICK)
    quiet = quiet + TICK
  until ngx.worker.exiting()
end

return progress
