--- cekura: background jobs of the Cekura API, without blocking the host.

local check = require "cekura.check"
local cjson = require "cjson"
local client = require "cekura.client"
local job = require "cekura.job"
local own = require "cekura.loop.own"

local cekura = {
  _VERSION = require "cekura.version",
  null = cjson.null,
  new = client.new,
  all = job.all,
  each = job.each,
}

--- assert() for this module: raises tostring(err), which plain assert loses on Lua 5.1, 5.2 and in
-- nginx.
---@generic T
---@param value T?
---@param err? any
---@return T value, any ...
function cekura.assert(value, err, ...)
  if value then
    return value, err, ...
  end
  return error(err == nil and "assertion failed!" or tostring(err), 2)
end

--- Runs `fn(...)` as a task until it and all that it spawned are done. Raises what it raised, or what
-- a task raised that nobody joined.
---@param fn function
---@return any ... what fn returned
function cekura.run(fn, ...)
  if fn == nil then
    check.text("fn", fn)
  end
  check.callback("fn", fn)
  return own.run(fn, ...)
end

--- Starts a task beside the caller.
---@param fn function
---@return cekura.Task
function cekura.spawn(fn, ...)
  check.callback("fn", fn)
  return own.spawn(fn, ...)
end

--- Waits, while other tasks go on.
---@param seconds number
---@return boolean? ok, cekura.Error? err of kind "cancelled"
function cekura.sleep(seconds)
  return own.sleep(seconds)
end

return cekura
