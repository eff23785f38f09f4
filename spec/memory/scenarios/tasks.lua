--- Concurrent tasks that wait for jobs and requests, and are cancelled.

local cekura = require "cekura"

local EVERY = { interval = 0.002, timeout = 10 }

local function expect(value, expected, what)
  if value ~= expected then
    error(("%s: %s, not %s"):format(what, tostring(value), tostring(expected)), 0)
  end
end

local function start(client, prompt)
  return client:start("calls.improve_prompt", { call_logs = { 1 }, agent_id = 2142, prompt = prompt })
end

local function wait_for_job(client)
  local job, err = start(client, "x")
  if not job then
    return nil, err
  end
  return job:wait(EVERY)
end

-- Several tasks that wait for one job, and then for several.
local function wait_for_jobs(client)
  local jobs = {}
  for place = 1, 2 do
    local job, err = start(client, "x")
    if not job then
      return nil, err
    end
    jobs[place] = job
  end
  local other = cekura.spawn(function() return jobs[1]:wait(EVERY) end)
  for _, row in ipairs(cekura.all(jobs, EVERY)) do
    if not row.result then
      return nil, row.err
    end
  end
  local result, err = other:join()
  if not result then
    return nil, err
  end
  for _, each_result, each_err in cekura.each(jobs, EVERY) do
    if not each_result then
      return nil, each_err
    end
  end
  return true
end

-- A request that is never answered, whose task is cancelled. If memory runs out first, cekura.run() waits for the task,
-- but not for long.
local function cancel_request(client)
  local task = cekura.spawn(client.request, client, "GET", "/never/", { timeout = 0.5 })
  cekura.sleep(0.002)
  task:cancel()
  local reply, err = task:join()
  expect(reply, nil, "a cancelled request")
  if type(err) == "table" and (err.kind == "cancelled" or err.kind == "timeout") then
    return true
  end
  return nil, err
end

-- An endless job, which is cancelled while a task waits for it.
local function cancel_job(client)
  local job, err = start(client, "endless")
  if not job then
    return nil, err
  end
  local task = cekura.spawn(function() return job:wait { interval = 0.002, timeout = 0.5 } end)
  cekura.sleep(0.01)
  expect(job:cancel(), true, "cancel")
  local result
  result, err = task:join()
  expect(result, nil, "a cancelled job")
  if type(err) == "table" and err.kind == "cancelled" then
    return true
  end
  return nil, err
end

local function run_all(client)
  local tasks = {}
  for place, fn in ipairs { wait_for_job, wait_for_jobs, cancel_request, cancel_job } do
    tasks[place] = cekura.spawn(fn, client)
  end
  local failed
  for _, task in ipairs(tasks) do
    local ok, err = task:join()
    failed = failed or not ok and { err }
  end
  if failed then
    return nil, failed[1]
  end
  return true
end

return function(url)
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false, retries = 1 }
  if not client then
    return nil, err
  end
  local done
  done, err = cekura.run(run_all, client)
  if not done then
    return nil, err
  end
  client:close()
  return true
end
