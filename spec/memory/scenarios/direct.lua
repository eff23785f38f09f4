--- Direct jobs, one of which is cancelled, and forms with files.

local cekura = require "cekura"

local EVERY = { interval = 0.002, timeout = 10 }
local PARAMS = { original_prompt = "Be very kind." }

local function expect(value, expected, what)
  if value ~= expected then
    error(("%s: %s, not %s"):format(what, tostring(value), tostring(expected)), 0)
  end
end

local function run_direct(client)
  local job, result, err
  job, err = client:start("metrics.simplify_prompt", PARAMS, { direct = true })
  if not job then
    return nil, err
  end
  for changed in job:updates(EVERY) do
    expect(changed, job, "changed")
  end
  result, err = job:wait(EVERY)
  if not result then
    return nil, err
  end
  expect(result.simplified_prompt, "Be kind.", "simplified_prompt")
  return true
end

-- One is cancelled in the queue, or in flight.
local function cancel_direct(client)
  local first, second, err
  first, err = client:start("metrics.simplify_prompt", PARAMS, { direct = true })
  if not first then
    return nil, err
  end
  second, err = client:start("metrics.simplify_prompt", PARAMS, { direct = true })
  if not second then
    return nil, err
  end
  expect(second:cancel(), true, "cancel")
  for _, ended in ipairs(cekura.all({ first, second }, EVERY)) do
    if ended.job == first and not ended.result then
      return nil, ended.err
    elseif ended.job == second then
      expect(ended.result, nil, "the result of a cancelled job")
      expect(ended.err.kind, "cancelled", "the error of a cancelled job")
    end
  end
  return true
end

local FILE = "spec/memory/config.toml"

local function send_form(client)
  local reply, err = client:request("POST", "/echo/", { timeout = 10, multipart = { note = { 1, "x" },
    files = { { data = "Hello, file.", name = "hello.txt" }, { path = FILE } } } })
  if not reply then
    return nil, err
  end
  expect(reply:json().read, true, "read")
  return true
end

return function(url)
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false, retries = 1, max_direct = 1 }
  if not client then
    return nil, err
  end
  for _, fn in ipairs { run_direct, cancel_direct, send_form } do
    local done
    done, err = fn(client)
    if not done then
      return nil, err
    end
  end
  client:close()
  return true
end
