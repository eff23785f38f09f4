--- The state of the simulator. nginx has one worker, so plain tables are enough.

local records = require "cekura.simulator.records"

local state = {}

function state.reset()
  state.jobs = {}      -- by progress id
  state.made = 0       -- the number of jobs and rows
  state.scripts = {}   -- path to a list of replies for its next requests
  state.released = {}  -- the names of released replies
  state.requests = {}  -- the requests, oldest first
  state.key = "sim-key"
  state.call_logs = records.seed() -- by id
  state.next_call_log = 7000001    -- the id of the next record that is sent
  state.next_added = 6000001       -- the id of the next record that POST /_sim/call_logs/ adds
  state.rows = {}      -- results, insights and improvement sessions, by id
  state.next_row = 9001
  state.documented = {}        -- records of operations without a handler, by collection and id
  state.next_documented = 9501 -- the id of the next one
  state.summaries = {} -- the progress id of an alert's summary, by alert and hours
  state.memory = {     -- what requests left behind and no answer shows, beside their faults
    deleted = {}, votes = {}, recordings = {}, provider_calls = {}, answers = {}, cancelled = {},
  }
end

--- Stores a job, which contains its family.
---@return string progress_id
function state.add_job(job)
  state.made = state.made + 1
  job.id = ("5f0c1d2e-0000-4000-8000-%012d"):format(state.made)
  state.jobs[job.id] = job
  return job.id
end

--- Stores the record of a piece of work, which contains its family; it gets an id.
function state.add_row(row)
  state.made = state.made + 1
  row.id = state.next_row
  state.rows[row.id] = row
  state.next_row = row.id + 1
  return row
end

--- The job with that id, if it belongs to that family.
function state.job(id, family)
  local job = state.jobs[id or ""]
  return job and job.family == family and job or nil
end

--- Appends to a list of state.memory.
function state.remember(name, what)
  table.insert(state.memory[name], what)
end

state.reset()

return state
