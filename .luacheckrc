std = "max"
max_line_length = 120
exclude_files = { "build" }

files["lua/cekura/meta"] = { unused = false }
files["spec"] = { std = "max+busted" }
files["spec/support/simulator"] = { std = "ngx_lua" }
files["examples/neovim.lua"] = { read_globals = { "vim" } }
files["spec/bench/nginx"] = { std = "ngx_lua" }
files["spec/bench/prosody"] = { globals = { "module" } }
files["examples/nginx"] = { std = "ngx_lua" }
files["examples/nginx-page"] = { std = "ngx_lua" }
files["examples/prosody/mod_cekura.lua"] = { globals = { "module" } }
files["examples/prosody/prosody.cfg.lua"] = {
  allow_defined_top = true, ignore = { "131" }, read_globals = { "VirtualHost" },
}
files["examples/kamailio-outbox"] = { read_globals = { "KSR" }, globals = { "on_call_end", "send_calls" } }
files["examples/kamailio"] = { read_globals = { "KSR" }, globals = { "on_request", "on_tick" } }
files["examples/haproxy"] = { read_globals = { "core" } }
files["tools/luarocks.lua"] = { read_globals = { "os_getenv" }, allow_defined_top = true, ignore = { "131" } }
