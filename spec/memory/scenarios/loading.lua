--- Loads the module again each time.

return function(url)
  for name in pairs(package.loaded) do
    if name:find "^cekura" or name == "cjson" then -- Lua 5.1 marks a module that failed to load
      package.loaded[name] = nil
    end
  end
  local cekura = require "cekura"
  local client, err = cekura.new { api_key = "k", base_url = url, config_file = false }
  if not client then
    return nil, err
  end
  local reply
  reply, err = client:request("GET", "/observability/v2/call-logs/7/")
  if not reply then
    return nil, err
  end
  client:close()
  return reply.status == 200
end
