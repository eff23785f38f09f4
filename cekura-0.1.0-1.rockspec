rockspec_format = "3.0"
package = "cekura"
version = "0.1.0-1"
source = {
  url = "file://cekura-0.1.0.tar.gz",
}
description = {
  summary = "Background jobs of the Cekura API, without blocking the host",
  detailed = [[
    Starts the long background jobs of the Cekura voice-agent API, waits for
    them by yielding, and reads what comes back: a C core on libcurl for plain
    scripts and for programs that embed Lua.
  ]],
  license = "MIT",
  maintainer = "The maintainers of cekura <maintainers@cekura.invalid>",
  labels = { "http", "async", "api" },
}
supported_platforms = { "linux" }
dependencies = {
  "lua >= 5.1, < 5.6",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.0",
}
external_dependencies = {
  -- Debian keeps curl/curl.h where LuaRocks does not look. The Makefile looks for it with the compiler.
  CURL = { library = "curl" },
  ZLIB = { header = "zlib.h", library = "z" },
}
build = {
  type = "make",
  build_target = "rock",
  build_variables = {
    BUILD = "build/rock",
    LUA = "rock",
    LUA_INCDIR = "$(LUA_INCDIR)",
    PRECOMPILERS = "$(LUA)",
    CPPFLAGS = "-I$(CURL_INCDIR) -I$(ZLIB_INCDIR)",
    LDFLAGS = "-L$(CURL_LIBDIR) -L$(ZLIB_LIBDIR)",
  },
  install_target = "install-rock",
  install_variables = {
    BUILD = "build/rock",
    LUA = "rock",
    LUA_INCDIR = "$(LUA_INCDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_LIBDIR = "$(LIBDIR)",
    INST_DOCDIR = "$(DOCDIR)",
  },
  install = {
    bin = { ["cekura-lua"] = "bin/cekura-lua" },
  },
}
test = {
  type = "command",
  script = "spec/smoke.lua",
}
