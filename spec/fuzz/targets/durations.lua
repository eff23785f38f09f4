--- Durations: a client that goes on with them, or ignores them with a warning; and a plan, whatever they say.
-- A text as it is hardly ever has the right checksum and length; so it is also taken as what the string says.

local cekura = require "cekura"
local core = require "cekura.core"
local kinds = require "cekura.api.kinds"
local promise = require "spec.fuzz.promise"
local token = require "cekura.job.token"

local PREFIX = "durations1."
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local KIND = "results.run"

local function new_client(durations)
  local warnings = 0
  local client = cekura.assert(cekura.new { api_key = "sim-key", base_url = "http://127.0.0.1:1", config_file = false,
    loop = "own", durations = durations, on_event = function(event)
      promise.same(event.warning, "durations_ignored", "warning")
      warnings = warnings + 1
    end })
  promise.holds(warnings <= 1, "at most one warning")
  return client, warnings == 0
end

-- The pauses of jobs of any age are between a second and sixty times the interval of the kind, give or take a tenth.
local function check_pauses(client)
  for _, age in ipairs { 0, 7, 100, 20000 } do
    local job = cekura.assert(client:resume(token.write { kind = KIND, id = 1, base = "http://127.0.0.1:1",
      started = core.date() - age }))
    core.count_poll(job)
    core.watch(client, job, "adaptive")
    local pause = core.next_poll(job)
    promise.holds(pause > 0.5 and pause <= 66 * kinds[KIND].interval, "a pause of %g s", pause)
    core.unwatch(client, job)
  end
end

local function check(text)
  local client, is_read = new_client(text)
  local written = client:durations()
  promise.holds(written:find "^durations1%.[%w%-._~]*%x%x%x%x%x%x%x%x$", "a plain string: %s", written)
  promise.holds(is_read or written == token.write({}, PREFIX), "what is ignored is not learned")
  check_pauses(client)
  client:close()
  local again, is_read_again = new_client(written)
  promise.holds(is_read_again, "what is written is read")
  promise.same(again:durations(), written, "durations")
  again:close()
end

-- A sketch of which the bytes of the text are the digits.
local function sketch_of(text)
  local digits = {}
  for index = 1, 256 do
    local byte = text:byte((index - 1) % math.max(1, #text) + 1) or 0
    digits[index] = DIGITS:sub(byte % 64 + 1, byte % 64 + 1)
  end
  return table.concat(digits)
end

return function(text)
  check(text)
  check(PREFIX .. text .. "." .. token.checksum(PREFIX .. text))
  check(token.write({ [KIND] = text }, PREFIX))
  check(token.write({ [KIND] = sketch_of(text), [text] = sketch_of(text .. "A") }, PREFIX))
end
