std = "max"
max_line_length = 120
exclude_files = { "build" }

files["spec"] = { std = "max+busted" }
files["spec/support/simulator"] = { std = "ngx_lua" }
files["examples/neovim.lua"] = { read_globals = { "vim" } }
files["spec/bench/nginx/worker.lua"] = { std = "ngx_lua" }
files["examples/nginx"] = { std = "ngx_lua" }
