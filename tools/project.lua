--- What the rockspecs and Debian's packages say about the project. This is its only place: `make generate` writes it to
-- the rockspecs, `make deb` to the packages. A field that is nil is left out there.

return {
  summary = "Background jobs of the Cekura API, without blocking the host",
  description = {
    "Starts the long background jobs of the Cekura voice-agent API, waits for",
    "them by yielding, and reads what comes back: a C core on libcurl for plain",
    "scripts and for programs that embed Lua.",
  },
  license = "MIT",
  -- To be filled in before a release:
  homepage = nil, -- "https://…"
  issues_url = nil, -- "https://…/issues"
  downloads = nil, -- "https://…/", the folder of the tarballs of releases
  maintainer = "The maintainers of cekura <maintainers@cekura.invalid>",
}
