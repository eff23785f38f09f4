--- A service of cekura.testing starts, and replies by itself, by a script and by a function.

local testing = require "cekura.testing"

local function expect(value, expected, what)
  if value ~= expected then
    error(("%s: %s, not %s"):format(what, tostring(value), tostring(expected)), 0)
  end
end

-- The server replies so if it has no memory for another reply.
local function is_short(err)
  return err.status == 500 and err.message:find("not enough memory", 1, true)
end

local function fail(err)
  return nil, is_short(err) and "not enough memory" or err
end

local function improve(client)
  local job, err = client:start("calls.improve_prompt", { call_logs = { 101 }, agent_id = 2142, prompt = "Be kind." })
  local result
  if job then
    result, err = job:wait { interval = 0.01, timeout = 5 }
  end
  if not result then
    return fail(err)
  end
  expect(type(result.improved_prompt), "string", "improved_prompt")
  return true
end

local function use(service, client)
  service:script("/scripted/", { { status = 201, body = { is = "scripted" } } })
  service:script("GET /made/", function(request)
    return { status = 202, body = { path = request.path } }
  end)
  for path, status in pairs { ["/scripted/"] = 201, ["/made/"] = 202 } do
    local reply, err = client:request("GET", path, { timeout = 5 })
    if not reply then
      return fail(err)
    end
    expect(reply.status, status, path)
  end
  expect(#service:requests { path = "/made/" } > 0, true, "requests") -- two, if its connection was cut
  service:reset()
  expect(#service:requests(), 0, "requests after a reset")
  return improve(client)
end

return function()
  local service, client, done, err
  service, err = testing.start()
  if service then
    service.speed = 1000
    client, err = service:client { retries = 0 }
  end
  if client then
    done, err = use(service, client)
  end
  if not done then
    return nil, err
  end
  client:close()
  service:stop()
  return true
end
