--- What the receiver of webhooks in each host's example answers: by real requests, whose headers each host gives in its
-- own way.

local assert = require "luassert"
local cekura = require "cekura"

local SECRET, EVALUATED = "whs-1234", '{"id":95,"status":"success"}'

local function event_of(data)
  return ('{"event_type":"call_log.completed","data":%s}'):format(data)
end

--- Sends webhooks to the receiver, and checks the answers.
---@param client cekura.Client of the host
---@param path string of the receiver, whose secret is whs-1234
return function(client, path)
  local function post(headers, body)
    local response, err = client:request("POST", path, { headers = headers, body = body or event_of(EVALUATED) })
    response = response or err.response or cekura.assert(nil, err)
    return response.status, response:json()
  end

  -- The names in two cases are two lines of the request.
  for _, headers in ipairs {
    {}, { ["X-CEKURA-SECRET"] = "" }, { ["X-CEKURA-SECRET"] = "whs-1235" }, { ["X-CEKURA-SECRET"] = SECRET .. "5" },
    { ["X-CEKURA-SECRET"] = SECRET, ["x-cekura-secret"] = "whs-1235" },
    { ["X-CEKURA-SECRET"] = "whs-1235", ["x-cekura-secret"] = SECRET },
  } do
    local status, answer = post(headers)
    assert.equal(401, status)
    assert.truthy(answer.error:find("X-CEKURA-SECRET", 1, true), answer.error)
    assert.is_nil(answer.error:find("whs", 1, true))
  end

  for _, name in ipairs { "X-CEKURA-SECRET", "x-cekura-secret", "X-Cekura-Secret" } do
    local headers = { [name] = SECRET, ["X-CEKURA-IDEMPOTENCY-KEY"] = name }
    for count = 1, 3 do
      local status, answer = post(headers)
      assert.same({ 200, { type = "call_log.completed", duplicate = count > 1 } }, { status, answer })
    end
  end
  assert.equal(400, (post({ ["X-CEKURA-SECRET"] = SECRET }, "{")))
  assert.equal(200, (post({ ["X-CEKURA-SECRET"] = SECRET }, event_of('{"id":95,"transcript":"' .. ("x"):rep(300000)
    .. '"}'))))
end
