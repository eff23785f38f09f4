--- One call after the other, in plain code.

local cekura = require "cekura"
local core = require "cekura.core"
local tokens = require "cekura.job.token"

local KIND = "calls.improve_prompt"

-- Twenty jobs of a minute.
local DURATIONS = tokens.write({ [KIND] = ("AA"):rep(63) .. "LM" .. ("AA"):rep(64) }, "durations1.")

local PARAMS = { call_logs = { 1, 2 }, agent_id = 2142, prompt = "Be kind." }

-- Raises if a result is wrong: a call returns the right one or an error.
local function expect(value, expected, what)
  if value ~= expected then
    error(("%s: %s, not %s"):format(what, tostring(value), tostring(expected)), 0)
  end
end

local function read_record(client)
  local call, err = client.calls:get(7)
  if not call then
    return nil, err
  end
  expect(call.call_id, "sess-7", "call_id")
  expect(call.note, "café 😀", "note")
  expect(call:seconds(), 65, "seconds")
  expect(call:time "timestamp" ~= nil, true, "time")
  expect(call:metric(501).passed, true, "metric")
  local turns = 0
  for turn in call:turns() do
    turns = turns + #turn.content
  end
  expect(turns, 9, "turns")
  local fields = call:fields()
  expect(#fields.metadata.tags, 4, "tags")
  expect(fields.metadata.none, nil, "a null")
  expect(call:totable().metadata.none, cekura.null, "a null")
  expect(#call:json() > 100, true, "json")
  return call
end

local function tell_story(client, seen)
  local job, result, call, page, reply, err
  job, err = client:start(KIND, PARAMS)
  if not job then
    return nil, err
  end
  reply, err = job:poll()
  if not reply then
    return nil, err
  end
  result, err = job:wait { interval = 0.002, timeout = 10, on_progress = function() seen.progress = true end }
  if not result then
    return nil, err
  end
  expect(result.improved_prompt, "Better.", "improved_prompt")
  expect(job.state, "succeeded", "state")
  local token = job:token()
  job, err = client:resume(token)
  if not job then
    return nil, err
  end
  for changed in job:updates { interval = 0.002, timeout = 10 } do
    expect(changed, job, "changed")
  end
  if job.error then
    return nil, job.error
  end
  expect(job.state, "succeeded", "state")
  call, err = read_record(client)
  if not call then
    return nil, err
  end
  page, err = client.calls:list { agent_id = 2142 }
  if not page then
    return nil, err
  end
  expect(#page.results, 2, "results")
  reply, err = client:request("GET", "/big/")
  if not reply then
    return nil, err
  end
  expect(#reply.body, 2500000, "length")
  job, err = client:start(KIND, { call_logs = { 1 }, agent_id = 2142, prompt = "endless" })
  if not job then
    return nil, err
  end
  result, err = job:wait { interval = "adaptive", timeout = 0.02 }
  expect(result, nil, "result of an endless job")
  if err.kind ~= "timeout" then
    return nil, err
  end
  expect(job:cancel(), true, "cancel")
  result, err = client:request("POST", "/nothing/", { body = { list = { 1, "x" }, text = "y" } })
  expect(result, nil, "nothing")
  if err.kind ~= "not_found" then
    return nil, err
  end
  return true
end

-- Holds an endpoint, as a 429 to another client would. Returns false if memory runs out.
local function hold(client, url)
  if not core.hold(client, "GET/" .. url:gsub("//", "/") .. "/held", 60) then
    return false
  end
  local seconds = core.held(client, "GET", "/held/17/")
  expect(seconds == 0 or seconds > 30, true, "held") -- 0: memory runs out
  local reply, err = client:request("GET", "/held/", { timeout = 1 })
  expect(reply, nil, "a reply of a held endpoint")
  expect(#core.holds(client), 0, "holds")
  return err.kind == "rate_limited", err
end

return function(url)
  local seen = { events = 0 }
  local client, err = cekura.new {
    api_key = "k", base_url = url, config_file = false, retries = 1, durations = DURATIONS,
    on_event = function(event)
      seen.events = seen.events + 1
      seen.warning = seen.warning or event.warning
    end,
  }
  if not client then
    return nil, err
  end
  expect(client:durations() == DURATIONS, seen.warning == nil, "durations")
  local done
  done, err = tell_story(client, seen)
  if not done then
    return nil, err
  end
  expect(seen.events > 0 and seen.progress, true, "events")
  expect(client:durations() ~= DURATIONS, true, "durations after a further job")
  done, err = hold(client, url)
  if not done and err then
    return nil, err
  end
  client:close()
  local reply
  reply, err = client:request("GET", "/")
  expect(reply, nil, "a request of a closed client")
  return done and err.kind == "closed" or nil, err
end
