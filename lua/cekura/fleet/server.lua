--- What runs in the Redis server: the life of a task, one script for each step, each atomic. So whatever dies when, the
-- server has a step wholly or not at all.
--
-- A task waits in the stream of its lane, which is a kind (KIND/direct, for direct jobs) and a submitter, and is taken
-- from it by the consumer group "workers", whose consumers are the workers. The steps of a task are its `state`:
--
--   waiting   in the stream, and not taken
--   taken     by `worker`
--   intent    the worker may send the start at any time from now on
--   running   the service has started the job, whose token is kept
--   ended     the outcome is kept, and the handler of the worker may be running
--   over      (not written) the handler is done: of the task, only the outcome is left
--
-- Keys, after the prefix cekura:{NAME}: -
--
--   tasks:KIND:SUBMITTER  the stream of a lane, whose entries hold what was submitted; removed when it is empty
--   lanes                 a set of the lanes that have a stream, as "KIND:SUBMITTER"
--   kinds, lanes:KIND     the kinds with waiting tasks, and the submitters of one, each by its last turn: the one
--                         whose turn is longest ago is next
--   turn                  the number of turns so far
--   task:ID               a hash, until the task is over: lane, entry (in its stream), key, state, worker, token,
--                         attempts, deaths, raised
--   outcome:ID            the outcome, see cekura.fleet.outcome
--   waiters:ID            a set of the processes that wait for its outcome
--   key:KEY               the id of the task that was submitted with that key
--   workers               the workers, by the end of their lease in milliseconds; 0: others are taking over its tasks
--   left                  a set of workers that have ended in order; also "nobody", which holds tasks that a worker
--                         could not go on with
--   idle                  a set of workers that wait for a task
--   inbox:PROCESS         a stream of messages to a process, about tasks, outcomes and holds
--   counts                a hash: waiting, running, done, failed, unknown, poisoned
--   pace                  a hash: next, when a task may be taken, in milliseconds
--   audited, held         that an audit was made, and a hash of how many tasks each worker had then
--   holds                 a hash of endpoints that have answered 429, and until when they are held
--   poisoned              a stream of tasks that are not tried any more, with all that was submitted
--   base                  the base URL of the service
--
-- A worker is named PROCESS.NUMBER. Times are those of the server.

local script = require "cekura.fleet.script"

local server = {}

local PRELUDE = [[
local P = KEYS[1]

local function call(name, key, ...)
  return redis.call(name, P .. key, ...)
end

local function now()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function count(what, change)
  call("HINCRBY", "counts", what, change)
end

local function notify(worker_or_process, ...)
  local inbox = "inbox:" .. worker_or_process:match "^[^.]*"
  call("XADD", inbox, "MAXLEN", "~", 10000, "*", ...)
  call("EXPIRE", inbox, 3600)
end

-- Whether no other worker has begun to take over its tasks.
local function lives(worker)
  return (tonumber(call("ZSCORE", "workers", worker)) or 0) > 0
end

local function fields(id, ...)
  return call("HMGET", "task:" .. id, ...)
end

-- A task as a worker gets it: its id, lane, state, parameters and options, of its hash what is kept, the outcome, and
-- its entry.
local function describe(lane, entry)
  local id, params, options = entry[2][2], entry[2][4], entry[2][6]
  local task = { id, lane, "", params, options }
  for index, value in ipairs(fields(id, "state", "attempts", "key", "token", "raised")) do
    task[index == 1 and 3 or 4 + index] = value or ""
  end
  task[10] = task[3] == "ended" and call("GET", "outcome:" .. id) or ""
  task[11] = entry[1]
  return task
end

-- Notifies a worker that waits for a task.
local function wake()
  local idle
  repeat
    idle = call("SPOP", "idle")
  until not idle or lives(idle)
  if idle then
    notify(idle, "tasks", "")
  end
end

-- Gives a lane a turn, whose stream has a task that waits.
local function enter(lane)
  local kind, submitter = lane:match "^(.*):(.*)$"
  local turn = call("GET", "turn") or 0
  call("ZADD", "kinds", "NX", turn, kind)
  call("ZADD", "lanes:" .. kind, "NX", turn, submitter)
end

-- Takes the task out of its stream for good.
local function remove(id, keep)
  local lane, entry, key = unpack(fields(id, "lane", "entry", "key"))
  call("XACK", "tasks:" .. lane, "workers", entry)
  call("XDEL", "tasks:" .. lane, entry)
  if call("XLEN", "tasks:" .. lane) == 0 then
    local kind, submitter = lane:match "^(.*):(.*)$"
    call("DEL", "tasks:" .. lane)
    call("SREM", "lanes", lane)
    call("ZREM", "lanes:" .. kind, submitter)
  end
  call("DEL", "task:" .. id)
  call("EXPIRE", "outcome:" .. id, keep)
  if key then
    call("EXPIRE", "key:" .. key, keep)
  end
  count("running", -1)
  if (tonumber(call("HGET", "counts", "waiting")) or 0) > 0 then
    wake()
  end
end

local function keep_outcome(id, what, outcome)
  call("HSET", "task:" .. id, "state", "ended")
  call("SET", "outcome:" .. id, outcome)
  count(what, 1)
  for _, process in ipairs(call("SMEMBERS", "waiters:" .. id)) do
    notify(process, "outcome", id)
  end
  call("DEL", "waiters:" .. id)
end

local function poison(id, why, keep)
  local lane, entry, key = unpack(fields(id, "lane", "entry", "key"))
  local submitted = call("XRANGE", "tasks:" .. lane, entry, entry)[1]
  local words = submitted and submitted[2] or { "id", id } -- forgotten
  for _, word in ipairs { "lane", lane, "key", key or "", "why", why } do
    words[#words + 1] = word
  end
  call("XADD", "poisoned", "MINID", "~", math.floor(now() - keep * 1000), "*", unpack(words))
  if call("EXISTS", "outcome:" .. id) == 0 then
    keep_outcome(id, "poisoned", why)
  else
    count("poisoned", 1)
  end
  remove(id, keep)
end
]]

--- The kind of the jobs in a lane.
---@param lane string
---@return string kind
function server.kind_of(lane)
  return (lane:match "^(.*):":gsub("/direct$", ""))
end

local function define(text)
  return script.new(PRELUDE .. text)
end

--- Adds a task. Arguments: its id, the kind, the submitter, the parameters and the options as JSON, the key or "".
-- Returns the id of the task: that which was submitted first with the key. It may be run again.
server.submit = define [[
local id, kind, submitter, params, options, key = unpack(ARGV)
local first = key ~= "" and call("GET", "key:" .. key)
if first then
  return first
elseif call("EXISTS", "task:" .. id) == 1 or call("EXISTS", "outcome:" .. id) == 1 then
  return id
end
local lane = kind .. ":" .. submitter
if call("SADD", "lanes", lane) == 1 then
  redis.pcall("XGROUP", "CREATE", P .. "tasks:" .. lane, "workers", "0", "MKSTREAM")
end
local entry = call("XADD", "tasks:" .. lane, "*", "id", id, "params", params, "options", options)
call("HSET", "task:" .. id, "lane", lane, "entry", entry)
if key ~= "" then
  call("SET", "key:" .. key, id)
  call("HSET", "task:" .. id, "key", key)
end
enter(lane)
count("waiting", 1)
wake()
return id
]]

--- Makes a worker. Arguments: its name, its lease in milliseconds, the base URL of its client. Returns the base URL of
-- the fleet, which is that of its first worker.
server.join = define [[
local worker, lease, base = unpack(ARGV)
call("SET", "base", base, "NX")
local of_all = call("GET", "base")
if of_all == base then
  call("ZADD", "workers", now() + lease, worker)
end
return of_all
]]

--- Renews a lease. Arguments as of join. Returns 0 if it is lost, or a list of the endpoints that are held, each
-- followed by its seconds.
server.renew = define [[
local worker, lease = unpack(ARGV)
if not lives(worker) then
  return 0
end
local time, held = now(), {}
if tonumber(call("ZSCORE", "workers", worker)) <= time then -- no worker has taken it over, so this server was away
  for _, silent in ipairs(call("ZRANGEBYSCORE", "workers", "(0", time)) do
    call("ZADD", "workers", time + lease, silent)
  end
end
call("ZADD", "workers", time + lease, worker)
local holds = call("HGETALL", "holds")
for index = 1, #holds, 2 do
  local left = holds[index + 1] - time
  if left > 0 then
    held[#held + 1] = holds[index]
    held[#held + 1] = tostring(left / 1000)
  else
    call("HDEL", "holds", holds[index])
  end
end
return held
]]

--- Sets right what a server has forgotten that was killed, or replaced by its replica: the group of a lane, its turn,
-- and the counts. One worker does it in a lease. Arguments: the worker, its lease in milliseconds. Returns how many
-- tasks the worker has; as of the last time.
server.audit = define [[
local worker, lease = unpack(ARGV)
if call("SET", "audited", worker, "NX", "PX", lease) then
  local running, waiting = 0, 0
  call("DEL", "held")
  for _, lane in ipairs(call("SMEMBERS", "lanes")) do
    local stream = P .. "tasks:" .. lane
    redis.pcall("XGROUP", "CREATE", stream, "workers", "0", "MKSTREAM") -- an error if it is there
    local pending, length = redis.call("XPENDING", stream, "workers"), redis.call("XLEN", stream)
    running, waiting = running + pending[1], waiting + length - pending[1]
    for _, each in ipairs(pending[4] or {}) do
      call("HINCRBY", "held", each[1], each[2])
    end
    if length == 0 then
      redis.call("DEL", stream)
      call("SREM", "lanes", lane)
    elseif length > pending[1] then
      enter(lane)
    end
  end
  call("HSET", "counts", "running", running, "waiting", waiting)
end
return tonumber(call("HGET", "held", worker)) or 0
]]

--- Ends a worker in order, whose tasks others then take over. Argument: its name.
server.leave = define [[
local worker = ARGV[1]
call("SREM", "idle", worker)
if call("ZSCORE", "workers", worker) then
  call("SADD", "left", worker)
  call("ZADD", "workers", 0, worker)
  wake()
end
return 1
]]

--- Takes tasks: first those of workers whose lease is over, then, by turns of the kinds and of the submitters of one,
-- those that wait. Arguments: the worker; how many at most; the times in a minute that a task may be taken, 0: any; how
-- many may run in the fleet, 0: any; the seconds that poisoned tasks are kept; why a task is poisoned here; the kinds
-- that the worker does not know, with a space before and after each; and kinds of which none that waits is to be taken
-- ("KIND/direct": direct jobs of one, "/direct": of all). Returns a list of tasks, each as describe() has it, and the
-- milliseconds until another may be taken, -1 if none waits. Returns 0 if the worker has lost its lease. Without a task
-- the worker is notified when there is one.
server.take = define [[
local worker, most, rate, in_flight, keep, why, unknown = unpack(ARGV)
most, rate, in_flight = tonumber(most), tonumber(rate), tonumber(in_flight)
local taken, time = {}, now()
if not lives(worker) then
  return 0
end

local function is_known(kind)
  return not unknown:find(" " .. kind:gsub("/direct$", "") .. " ", 1, true)
end

local function take(lane, entry)
  local id = entry[2][2]
  call("HINCRBY", "task:" .. id, "attempts", 1)
  call("HSET", "task:" .. id, "worker", worker, "state", fields(id, "state")[1] or "taken", "lane", lane, "entry",
    entry[1])
  local task = describe(lane, entry)
  taken[#taken + 1] = task
  return task
end

-- A task that was about to be started, or whose handler ran, may be what its worker has died of.
local function take_over(lane, entry, has_left)
  local task = take(lane, entry)
  if has_left or task[3] ~= "taken" and task[3] ~= "ended" then
    return
  end
  if call("HINCRBY", "task:" .. task[1], "deaths", 1) >= 3 then
    taken[#taken] = nil
    poison(task[1], why, keep)
  end
end

local function take_over_lane(dead, lane, has_left)
  local stream = "tasks:" .. lane
  local pending = call("XPENDING", stream, "workers", "-", "+", most - #taken, dead)
  for _, each in ipairs(pending) do
    local entry = call("XCLAIM", stream, "workers", worker, 0, each[1])[1]
    if entry then
      take_over(lane, entry, has_left)
    end
  end
  if #pending == 0 and call("EXISTS", stream) == 1 then
    redis.call("XGROUP", "DELCONSUMER", P .. stream, "workers", dead)
  end
end

local function take_over_from(dead)
  local has_left, has_more = call("SISMEMBER", "left", dead) == 1, false
  call("ZADD", "workers", 0, dead)
  for _, lane in ipairs(call("SMEMBERS", "lanes")) do
    if #taken >= most then
      return
    elseif is_known(lane:match "^(.*):") then
      take_over_lane(dead, lane, has_left)
    else
      has_more = has_more or #call("XPENDING", "tasks:" .. lane, "workers", "-", "+", 1, dead) > 0
    end
  end
  if #taken < most and not has_more then -- it has none left
    call("ZREM", "workers", dead)
    call("SREM", "left", dead)
  end
end

local function take_waiting(kind)
  for _, submitter in ipairs(call("ZRANGE", "lanes:" .. kind, 0, -1)) do
    local lane = kind .. ":" .. submitter
    local read = redis.call("XREADGROUP", "GROUP", "workers", worker, "COUNT", 1, "STREAMS", P .. "tasks:" .. lane, ">")
    if read then
      local turn = call("INCR", "turn")
      call("ZADD", "kinds", turn, kind)
      call("ZADD", "lanes:" .. kind, turn, submitter)
      take(lane, read[1][2][1])
      count("waiting", -1)
      count("running", 1)
      return true
    end
    call("ZREM", "lanes:" .. kind, submitter)
  end
  call("ZREM", "kinds", kind)
  return false
end

-- If its own lease is over as well, this server was away, and the others may live: see renew.
if tonumber(call("ZSCORE", "workers", worker)) > time then
  for _, dead in ipairs(call("ZRANGEBYSCORE", "workers", "-inf", time)) do
    if #taken < most then
      take_over_from(dead)
    end
  end
end
local refused, wait = {}, -1
for index = 8, #ARGV do
  refused[ARGV[index] ] = true
end
local interval = rate > 0 and 60000 / rate or 0
local next_at = tonumber(call("HGET", "pace", "next")) or 0
local function may_take()
  if in_flight > 0 and (tonumber(call("HGET", "counts", "running")) or 0) >= in_flight then
    return false
  elseif interval > 0 and next_at > time then
    wait = math.ceil(next_at - time)
    return false
  end
  return #taken < most
end
local kinds = call("ZRANGE", "kinds", 0, -1)
local progress
repeat
  progress = false
  for _, kind in ipairs(kinds) do
    if is_known(kind) and not refused[kind:match "/direct$" or kind] and not refused[kind] and may_take() then
      if take_waiting(kind) then
        progress = true
        next_at = math.max(next_at, time) + interval
      else
        refused[kind] = true
      end
    end
  end
until not progress
if interval > 0 then
  call("HSET", "pace", "next", tostring(next_at))
end
call(#taken == 0 and "SADD" or "SREM", "idle", worker)
return { taken, wait }
]]

--- The tasks that a worker has, for one that does not know whether its last take was executed. Argument: its name.
-- Returns what take returns.
server.mine = define [[
local worker, taken = ARGV[1], {}
for _, lane in ipairs(call("SMEMBERS", "lanes")) do
  for _, each in ipairs(call("XPENDING", "tasks:" .. lane, "workers", "-", "+", 100000, worker)) do
    local entry = call("XRANGE", "tasks:" .. lane, each[1], each[1])[1]
    taken[#taken + 1] = entry and describe(lane, entry) or nil
  end
end
return { taken, 0 }
]]

-- The steps below return 0 if the task is no longer the worker's, else what they say, and may be run again. Arguments:
-- the task's id, the worker, and what they say.
local function step(text)
  return define([[
local id, worker = ARGV[1], ARGV[2]
local owner, state = unpack(fields(id, "worker", "state"))
if owner ~= worker then
  return 0
end
]] .. text)
end

--- The worker does not start it, and a start that it may have sent was certainly not processed: it waits again. Further
-- argument: its entry, which is another one afterwards, so that a repetition does not give back what the worker has
-- taken again meanwhile, and perhaps started.
server.give_back = step [[
local lane, old = unpack(fields(id, "lane", "entry"))
local stream = P .. "tasks:" .. lane
local entry = redis.call("XRANGE", stream, old, old)[1]
if old ~= ARGV[3] or state ~= "taken" and state ~= "intent" or not entry then
  return 0
end
local new = redis.call("XADD", stream, "*", unpack(entry[2]))
redis.call("XACK", stream, "workers", old)
redis.call("XDEL", stream, old)
call("HSET", "task:" .. id, "entry", new)
call("HDEL", "task:" .. id, "worker", "state")
call("HINCRBY", "task:" .. id, "attempts", -1)
enter(lane)
count("waiting", 1)
count("running", -1)
wake()
return 1
]]

--- The worker cannot go on with it: another takes it over, as from a worker that has ended in order.
server.release = step [[
local lane, entry = unpack(fields(id, "lane", "entry"))
call("XCLAIM", "tasks:" .. lane, "workers", "nobody", 0, entry, "JUSTID")
call("HSET", "task:" .. id, "worker", "nobody")
call("HINCRBY", "task:" .. id, "attempts", -1)
call("SADD", "left", "nobody")
call("ZADD", "workers", 0, "nobody")
wake()
return 1
]]

--- The start may be sent from now on.
server.intend = step [[
if not lives(worker) or state ~= "taken" and state ~= "intent" then
  return 0
end
call("HSET", "task:" .. id, "state", "intent")
return 1
]]

--- The job has started. Further argument: its token.
server.started = step [[
call("HSET", "task:" .. id, "state", "running", "token", ARGV[3])
return 1
]]

--- The outcome is known. Further arguments: "done", "failed" or "unknown"; the outcome; the seconds that it is kept; 1
-- if no handler is to be called.
server.finish = step [[
local what, outcome, keep, is_over = unpack(ARGV, 3)
if state ~= "ended" then
  keep_outcome(id, what, outcome)
end
if is_over == "1" then
  remove(id, keep)
end
return 1
]]

--- The handler has returned. Further argument: the seconds that the outcome is kept.
server.complete = step [[
remove(id, ARGV[3])
return 1
]]

--- The handler has raised. Further arguments: how often it has; the error, if the task is not to be tried again, or
-- ""; the seconds that the outcome is kept.
server.raised = step [[
local times, why, keep = unpack(ARGV, 3)
call("HSET", "task:" .. id, "raised", times)
if why ~= "" then
  poison(id, why, keep)
end
return 1
]]

--- The outcome of a task, for a process that is notified later if there is none yet. Arguments: the id, the process.
-- Returns 0 if there is no such task, 1 if it has no outcome yet, else the outcome.
server.await = define [[
local id, process = unpack(ARGV)
local outcome = call("GET", "outcome:" .. id)
if outcome then
  return outcome
elseif call("EXISTS", "task:" .. id) == 0 then
  return 0
end
call("SADD", "waiters:" .. id, process)
call("EXPIRE", "waiters:" .. id, 600) -- a process that still waits asks again before
return 1
]]

--- An endpoint has answered 429. Arguments: the process that knows it, the endpoint, the seconds that it is held.
-- Notifies the other workers.
server.hold = define [[
local process, endpoint, seconds = unpack(ARGV)
local time = now()
local held_until = time + seconds * 1000
if held_until > (tonumber(call("HGET", "holds", endpoint)) or 0) then
  call("HSET", "holds", endpoint, tostring(held_until))
  call("EXPIRE", "holds", 86400)
  for _, worker in ipairs(call("ZRANGEBYSCORE", "workers", time, "+inf")) do
    if worker:match "^[^.]*" ~= process then
      notify(worker, "hold", endpoint, "seconds", seconds)
    end
  end
end
return 1
]]

--- The numbers of fleet:stats(): those of `counts` with their names, "workers", "next" (the milliseconds until a task
-- may be taken), and the endpoints that are held, each followed by its seconds.
server.stats = define [[
local time, held = now(), {}
local holds = call("HGETALL", "holds")
for index = 1, #holds, 2 do
  if holds[index + 1] - time > 0 then
    held[#held + 1] = holds[index]
    held[#held + 1] = tostring((holds[index + 1] - time) / 1000)
  end
end
local next_at = tonumber(call("HGET", "pace", "next")) or 0
return { call("HGETALL", "counts"), call("ZCOUNT", "workers", "(" .. time, "+inf"),
  math.max(0, math.ceil(next_at - time)), held }
]]

return server
