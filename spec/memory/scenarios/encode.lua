--- A body that outgrows the memory in which the writer begins is sent; then one is refused.

local cekura = require "cekura"
local core = require "cekura.core"
local encode = require "cekura.http.encode"

local body = { object = {}, turns = {}, nested = {}, many = {} }
for index = 1, 100 do
  body.object["name " .. index] = { index / 4, true }
  body.turns[index] = { content = ("x\n"):rep(20) }
end
for index = 1, 1600 do -- more than Lua 5.1 has room for on its stack
  body.many["name " .. index] = index
end
local innermost = body.nested
for _ = 1, 150 do
  innermost.next = {}
  innermost = innermost.next
end
local refused = { a = { { b = body }, { b = print } } }

return function(url)
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false }
  if not client then
    return nil, err
  end
  local reply
  reply, err = client:request("POST", "/nothing/", { body = body })
  client:close()
  if reply or err.kind ~= "not_found" then
    return nil, err
  end
  local ok, message = pcall(encode, refused, "body")
  if not ok and message:find("not enough memory", 1, true) then
    error(message, 0)
  end
  local read = core.decode(encode(body, "body"))
  return not ok and message:find("body.a[2].b: JSON has no function", 1, true) ~= nil
    and read.turns[100].content == body.turns[100].content and read.object["name 3"][1] == 0.75
    and read.many["name 1600"] == 1600
end
