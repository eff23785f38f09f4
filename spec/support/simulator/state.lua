--- What the simulator remembers: one worker, so plain tables.

local state = {}

function state.reset()
  state.jobs = {}     -- by progress id
  state.made = 0      -- how many jobs
  state.scripts = {}  -- path to a list of replies that its next requests get
  state.requests = {} -- what came, oldest first
  state.key = "sim-key"
end

state.reset()

return state
