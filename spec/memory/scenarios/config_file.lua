--- The configuration file is read, with all that TOML has; then one that is malformed.

local cekura = require "cekura"

return function(url)
  local client, err = cekura.new { base_url = url, config_file = "spec/memory/config.toml" }
  if not client then
    return nil, err
  end
  client:close()
  local malformed
  malformed, err = cekura.new { base_url = url, config_file = "spec/memory/README.md" }
  return malformed == nil and err.kind == "config"
end
