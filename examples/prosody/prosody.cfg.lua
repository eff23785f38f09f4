-- A minimal Prosody with mod_cekura, to try it on this machine:
--
--   CEKURA_API_KEY=… prosody -F --config /…/examples/prosody/prosody.cfg.lua
--   curl http://127.0.0.1:5280/cekura/improve_prompt -H 'Content-Type: application/json' \
--     -d '{"agent_id": 2142, "call_logs": [5181749], "prompt": "Be nice."}'
--
-- In your own configuration, add the module's folder to plugin_paths, and "cekura" to a host's modules_enabled.

plugin_paths = { "/usr/local/lib/prosody/modules" } -- contains mod_cekura.lua
modules_enabled = { "http", "cekura" }
modules_disabled = { "c2s", "s2s" }

http_interfaces = { "127.0.0.1" } -- every client that reaches this port uses your key
http_ports = { 5280 }
https_ports = {}
http_default_host = "localhost"

-- cekura_api_key = "…" -- or CEKURA_API_KEY in the environment

log = { info = "*console" }

VirtualHost "localhost"
