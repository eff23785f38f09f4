--- A client that parses certificates when it is created, and then cannot connect.

local cekura = require "cekura"

return function(url)
  local client, err = cekura.new {
    api_key = "k", base_url = url:gsub("^http:.*$", "https://127.0.0.1:1"), config_file = false, retries = 1,
  }
  if not client then
    return nil, err
  end
  local reply
  reply, err = client:request("GET", "/")
  client:close()
  if not reply and err.kind == "network" and err.message:find "refused" or err.message:find "connect" then
    return true
  end
  return nil, err
end
