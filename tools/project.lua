--- What the rockspecs and the Debian packages say about the project. It is written only here: `make generate` copies it
-- to the rockspecs, `make deb` to the packages. A field that is nil is left out there.

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
  downloads = nil, -- "https://…/", where the tarballs of releases are
  maintainer = "The maintainers of cekura <maintainers@cekura.invalid>",
}
