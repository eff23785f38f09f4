-- Prosody with mod_cekura and little else, beside one that may be there. In the root of the checkout, as root, with
-- CEKURA_API_KEY in the environment:
--
--   install -D -m 644 -t /usr/local/lib/prosody/modules examples/prosody/mod_cekura.lua
--   install -m 644 examples/prosody/prosody.cfg.lua /etc/prosody/cekura.cfg.lua
--   runuser -u prosody -- prosody -F --config /etc/prosody/cekura.cfg.lua &
--   curl --retry 5 --retry-connrefused http://127.0.0.1:5280/cekura/improve_prompt \
--     -H 'Content-Type: application/json' \
--     -d '{"agent_id": 2142, "call_logs": [5181749], "prompt": "Be nice."}'
--
-- docs/hosts/prosody.md says what to install. In a configuration of your own: the module's directory in plugin_paths,
-- and "cekura" in modules_enabled of a host.

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
