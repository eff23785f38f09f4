--- Commands to a Redis server, in plain code and in tasks; large replies, errors, broken and closed connections.

local cekura = require "cekura"

-- Raises if a result is wrong: a call returns the right one or an error.
local function expect(value, expected, what)
  if value ~= expected then
    error(("%s: %s, not %s"):format(what, tostring(value), tostring(expected)), 0)
  end
end

-- Kinds of error that a lack of memory leads to.
local LACKS = { closed = true, network = true, config = true }

local function check_list(list)
  expect(#list, 2500, "elements")
  for index = 1, #list do
    local is_inner = index % 100 == 1
    expect(is_inner and list[index][1] or list[index], 7, index)
    expect(is_inner and list[index][2] or "hello", "hello", index)
  end
end

local function in_plain_code(redis)
  local reply, err = redis:command("SET", "a", 1)
  if not reply then
    return nil, err
  end
  expect(reply, "OK", "SET")
  reply, err = redis:command("GET", "a")
  if reply == nil then
    return nil, err
  end
  expect(reply, false, "GET")
  reply, err = redis:command "LIST"
  if not reply then
    return nil, err
  end
  check_list(reply)
  reply, err = redis:command "WRONG"
  expect(reply, nil, "WRONG")
  if LACKS[err.kind] then
    return nil, err
  end
  expect(err.kind, "invalid", "WRONG")
  reply, err = redis:command "BREAK"
  expect(reply, nil, "BREAK")
  expect(LACKS[err.kind], true, "BREAK")
  return redis:command "PING"
end

local function in_tasks(redis)
  local failed
  cekura.run(function()
    for index = 1, 5 do
      cekura.spawn(function()
        local ok, reply, err = pcall(redis.command, redis, index == 3 and "LIST" or "SET", index)
        if not ok then
          failed = reply
        elseif not reply then
          failed = err
        elseif index == 3 then
          check_list(reply)
        end
      end)
    end
    local task = cekura.spawn(function() return redis:command "NEVER" end)
    cekura.sleep(0.002)
    task:cancel()
    task:join()
  end)
  return not failed, failed
end

local function closed(redis)
  local task_err
  cekura.run(function()
    local task = cekura.spawn(function() return redis:command "NEVER" end)
    cekura.sleep(0.002)
    redis:close()
    task_err = select(2, task:join())
  end)
  if type(task_err) == "string" then
    error(task_err, 0)
  end
  expect(task_err.kind, "closed", "NEVER")
  return true
end

return function(url)
  local address = url:gsub("^http", "redis"):gsub("//", "//user:secret@") .. "/3"
  local redis, err = cekura.redis.new(address, { timeout = 10 })
  if not redis then
    return nil, err
  end
  local done
  for _, part in ipairs { in_plain_code, in_tasks, closed } do
    done, err = part(redis)
    if not done then
      redis:close()
      return nil, err
    end
  end
  return true
end
