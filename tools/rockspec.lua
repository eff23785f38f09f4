--- Prints the two rockspecs, which differ only in version and source.
--   LUA tools/rockspec.lua scm|release [URL]   prints one; the URL is that of the source
-- `make generate` writes both. `make dist` writes the one of the release beside the tarball, with the tarball as its
-- source.

local TEMPLATE = [==[
rockspec_format = "3.0"
package = "cekura"
version = "@VERSION@"
source = {
  url = "@URL@",
}
description = {
  summary = "@SUMMARY@",
  detailed = [[
@DETAILED@
  ]],
@LINKS@
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
]==]

local rockspec = {}

--- The text of a rockspec.
---@param project table the contents of tools/project.lua
---@param version string of the release
---@param kind "scm"|"release"
---@param url? string of the source
function rockspec.text(project, version, kind, url)
  local tarball = "cekura-" .. version .. ".tar.gz"
  local links = {}
  for _, name in ipairs { "homepage", "issues_url", "license", "maintainer" } do
    links[#links + 1] = project[name] and ("  %s = %q,"):format(name, project[name])
  end
  local values = {
    VERSION = kind == "scm" and "scm-1" or version .. "-1",
    URL = url or kind == "scm" and "git+file://." or (project.downloads or "file://") .. tarball,
    SUMMARY = project.summary,
    DETAILED = "    " .. table.concat(project.description, "\n    "),
    LINKS = table.concat(links, "\n"),
  }
  return (TEMPLATE:gsub("@(%u+)@", values))
end

if arg and (arg[0] or ""):find "tools/rockspec%.lua$" then
  local kind = arg[1]
  if kind ~= "scm" and kind ~= "release" then
    io.stderr:write "usage: LUA tools/rockspec.lua scm|release [URL]\n"
    os.exit(2)
  end
  io.write(rockspec.text(dofile "tools/project.lua", dofile "lua/cekura/version.lua", kind, arg[2]))
end

return rockspec
