--- Coroutines that wait in a host's loop, which calls back for descriptors and timers.

local cekura = require "cekura"
local core = require "cekura.core"
local hosted = require "cekura.loop.hosted"

local EVERY = { interval = 0.002, timeout = 10 }

-- A host that survives a lack of memory: it records the errors of callbacks, and goes on.
local function new_host()
  local host = { readers = {}, timers = {} }
  function host.watch(_, callback)
    local reader = { callback = callback }
    host.readers[reader] = true
    return function() host.readers[reader] = nil end
  end
  function host.after(seconds, callback)
    local timer = { at = core.now() + seconds, callback = callback }
    host.timers[timer] = true
    return function() host.timers[timer] = nil end
  end
  local function turn(clients)
    local first
    for timer in pairs(host.timers) do
      first = first and first.at <= timer.at and first or timer
    end
    if core.wait(clients, first and math.max(0, first.at - core.now())) then
      for reader in pairs(host.readers) do
        reader.callback()
      end
    end
    if first and host.timers[first] and first.at <= core.now() then
      host.timers[first] = nil
      first.callback()
    end
  end
  function host.run(client, is_over)
    local clients = { client }
    while not is_over() do
      local ok, raised = pcall(turn, clients)
      if not ok then
        host.raised = host.raised or raised
      end
    end
  end
  return host
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

local function ask(client)
  local reply, err = client:request("GET", "/nothing/", { timeout = 10 })
  if reply or err.kind ~= "not_found" then
    return nil, err or "nothing was found"
  end
  cekura.sleep(0.002)
  return true
end

local function join(client)
  local task = cekura.spawn(wait_for_job, client)
  return task:join()
end

-- A coroutine ends the wait of another.
local function cancel(client)
  local job, err = start(client, "endless")
  if not job then
    return nil, err
  end
  local co = coroutine.create(function()
    local _, wait_err = job:wait(EVERY)
    err = wait_err
  end)
  local ok, raised = coroutine.resume(co)
  if not ok then
    return nil, raised
  end
  job:cancel()
  while coroutine.status(co) ~= "dead" do
    cekura.sleep(0.002)
  end
  if type(err) == "table" and err.kind == "cancelled" then
    return true
  end
  return nil, err or "not enough memory" -- as the host was notified
end

return function(url)
  local host = new_host()
  local adapter = hosted.new("scenario", host)
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false, retries = 1, loop = adapter }
  if not client then
    return nil, err
  end
  local all, failed = {}, nil
  for place, fn in ipairs { wait_for_job, ask, join, cancel } do
    all[place] = coroutine.create(function()
      local ok, done, fault = pcall(fn, client)
      if not ok or not done then
        failed = failed or { ok and fault or done }
      end
    end)
  end
  for _, co in ipairs(all) do
    local ok, raised = coroutine.resume(co)
    if not ok then
      failed = failed or { raised }
    end
  end
  host.run(client, function()
    for _, co in ipairs(all) do
      if coroutine.status(co) ~= "dead" then
        return false
      end
    end
    return true
  end)
  client:close()
  if failed then
    return nil, failed[1]
  end
  return true
end
