--- Calls are put into an outbox, sent, refused and put back.

local cekura = require "cekura"

-- The directories of the attempts: a sender that memory has failed may still have the first one.
local name = os.tmpname() -- makes a file
local PATHS, CLEAN = { name .. "-1", name .. "-2" }, "rm -rf " .. name .. "*"

local function expect(value, expected, what)
  if value ~= expected then
    error(("%s: %s, not %s"):format(what, tostring(value), tostring(expected)), 0)
  end
end

local function put(box, id, refused)
  return box:put { call_id = id, agent = 2142, redact_fields = refused and { "No Field" } or nil }
end

-- Two calls are put, of which the service refuses the second.
local function fill(box)
  local done, size, err
  done, err = put(box, "one")
  if done then
    done, err = put(box, "two", true)
  end
  if done then
    size, err = box:size()
  end
  if not size then
    return nil, err
  end
  expect(size, 2, "size")
  return true
end

-- The attempts that fail for want of memory are repeated, after half a second and more.
local function run(box, expected)
  local sent, err = box:run { until_empty = true }
  if not sent then
    return nil, err
  end
  expect(sent, expected, "sent")
  return true
end

local function check_status(box, waiting, refused)
  local status, err = box:status()
  if not status then
    return nil, err
  end
  expect(status.waiting, waiting, "waiting")
  expect(status.refused, refused, "refused")
  expect(status.torn, 0, "torn")
  return true
end

local function put_back(box)
  local count, err = box:retry()
  if not count then
    return nil, err
  end
  expect(count, 1, "put back")
  return true
end

local STEPS = {
  fill,
  function(box) return run(box, 1) end,
  function(box) return check_status(box, 0, 1) end,
  put_back,
  function(box) return check_status(box, 1, 0) end,
  function(box) return run(box, 0) end,
  function(box) return check_status(box, 0, 1) end,
}

local box, attempts

return function(url)
  attempts = attempts and 2 or 1
  if box then
    box:close() -- where memory ran out in run(), its sender goes on until then
  end
  local done
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false, retries = 0 }
  if client then
    box, err = cekura.outbox { path = PATHS[attempts], client = client, on_refused = function() end }
  end
  if not box then
    return nil, err
  end
  for _, step in ipairs(STEPS) do
    done, err = step(box)
    if not done then
      return nil, err
    end
  end
  box:close()
  client:close()
  os.execute(CLEAN)
  return true
end
