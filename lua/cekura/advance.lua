--- One step of a client's engine, and what follows from it: events told, waiters woken.
-- Every loop calls this, in its own way: the own loop between its tasks, another when the client's
-- descriptor is readable.

local atomic = require "cekura.atomic"
local core = require "cekura.core"
local subscription = require "cekura.subscription"

-- A raised error must not hurt the others whom the same step serves: it is kept for the one who waits
-- for that operation or job.
local function tell(fields, event, subject)
  local ok, raised = pcall(fields._on_event, event)
  if not ok and subject then
    subject._raised = { raised }
    if event.job then
      subscription.tell(event.job)
    end
  end
end

local function next_event(client, fields)
  local name, object, tries, status, outcome, pause, elapsed = core.event(client)
  if not name then
    return false
  end
  -- An operation is described by its entry, a job by its own table.
  local is_job = core.type(object) == "job"
  if is_job then
    core.settle(client, object)
  end
  local subject = is_job and core.fields(object) or fields._pending[object]
  local event = { name = name, attempt = tries, method = subject and subject._method, path = subject and subject._path }
  if is_job then
    event.job = object
  end
  if name ~= "request_started" then
    event.status = status > 0 and status or nil
    event.outcome = outcome
    event.elapsed = elapsed
  end
  if name == "request_retried" then
    event.pause = pause
  end
  tell(fields, event, subject)
  return true
end

local function next_finished(client, fields)
  if fields._on_event then
    while next_event(client, fields) do end
  end
  return core.finished(client)
end

local function take_news(fields, job)
  local ok, raised = pcall(fields._on_news, job)
  if not ok then
    if raised == "not enough memory" then
      core.list_again(job) -- the next step takes it in
    end
    error(raised, 0)
  end
end

local function finish(fields, operation, entry)
  entry.done = true
  if entry.waiter then
    fields._loop.wake(entry.waiter)
  end
  fields._pending[operation] = nil
end

-- An earlier call ended in an error, for want of memory: a waiter may not have been woken.
local function finish_again(fields)
  for operation, entry in pairs(fields._pending) do
    if entry.done then
      finish(fields, operation, entry)
    end
  end
end

--- Steps the client once.
---@param client cekura.Client
---@param seconds? number block so long, or until there is something to do; only the own loop does
local advance = atomic(function(client, seconds)
  local fields = core.fields(client)
  core.step(client, seconds)
  if core.set_untaken(client, true) then
    finish_again(fields)
  end
  local item = next_finished(client, fields)
  while item do
    local entry = fields._pending[item]
    if entry then
      finish(fields, item, entry)
    elseif core.type(item) == "job" then
      take_news(fields, item)
    end -- else an operation that nobody waits for any more
    item = next_finished(client, fields)
  end
  core.set_untaken(client, false)
end)

return advance
