--- cekura: background jobs of the Cekura API, without blocking the host. The core is loaded first: it has the other
-- modules, compiled, so that of the Lua files only this one and version.lua are read.

require "cekura.core"
return require "cekura.public"
