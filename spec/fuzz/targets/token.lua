--- Tokens: a job or `nil, err`, and whatever is in one, no other host.
-- A text as it is hardly ever has the right checksum; so it is also taken as what a token says, and signed.

local cekura = require "cekura"
local core = require "cekura.core"
local path = require "cekura.job.path"
local promise = require "spec.fuzz.promise"
local token = require "cekura.job.token"

local BASE = "http://127.0.0.1:1/v1"
local KEY = "sk-5eCr3t-8f14e45f"
local client = cekura.assert(cekura.new { api_key = KEY, base_url = BASE, config_file = false, loop = "own" })

local function check_job(job)
  local fields = core.fields(job)
  promise.holds(job.state == "pending" and type(job.kind) == "string" and job.id ~= nil, "a job that waits")
  promise.finite(job.elapsed, "elapsed")
  promise.holds(job.elapsed >= 0 and job.elapsed <= core.date(), "elapsed since no time before 1970")
  local polled = path.of(fields)
  promise.holds(polled:find "^/[%w%-._~/%%]+%??[%w%-._~%%=&]*$", "a path: %s", polled)
  promise.holds(not (polled .. "/"):find("/../", 1, true), "no step up: %s", polled)
  promise.holds(core.fields(client)._base_url == BASE, "the same base URL")
  local origin = core.parse_url(BASE .. polled:match "^[^?]*":sub(1, 900)) -- which reads no longer ones
  promise.holds(origin == core.parse_url(BASE), "the same host, not %s", tostring(origin))
end

local function check_resume(text)
  local job, err = client:resume(text)
  if not job then
    promise.failed(job, err, "config")
    promise.holds(not tostring(err):find(KEY, 1, true), "an error without the key")
    return
  end
  check_job(job)
  promise.holds(token.read(text).base == BASE, "a token of this base URL")
  local written, fault = job:token()
  if not written then
    promise.failed(written, fault, "config")
    return
  end
  promise.holds(not written:find "[^%w._~-]", "a plain token: %s", written)
  local again = cekura.assert(client:resume(written))
  check_job(again)
  for _, name in ipairs { "kind", "id" } do
    promise.same(again[name], job[name], name)
  end
  promise.holds(path.of(core.fields(again)) == path.of(core.fields(job)), "the same path")
  -- The time is rounded to whole seconds once, and the clock goes on.
  promise.same(again:token():gsub("%.started%.[^.]*", ""):sub(1, -10),
    written:gsub("%.started%.[^.]*", ""):sub(1, -10), "token")
end

local function signed(said)
  return said .. (said:find "^cekura2" and "." or "&") .. token.checksum(said)
end

return function(text)
  check_resume(text)
  check_resume(signed(text))
  check_resume(signed("cekura1:base=http%3A%2F%2F127.0.0.1%3A1%2Fv1&" .. text))
  check_resume(signed("cekura2.base.http~3A~2F~2F127~2E0~2E0~2E1~3A1~2Fv1." .. text))
  local members = { kind = "calls.improve_prompt", id = text, base = BASE, project_id = text, number_x = text }
  local read = token.read(token.write(members))
  if #text < 5000 then
    promise.same(read, members, "members")
  end
  check_resume(token.write(members))
  local job = client:job("results.run", 1)
  core.fields(job)._carried.x = text
  local written = job:token()
  promise.holds(written or #text > 5000 or core.redact(client, text) ~= text, "a token, if no secret would be in it")
  promise.holds(not written or core.fields(client:resume(written))._carried.x == text, "what is kept")
end
