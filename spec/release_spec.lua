--- The tarball of a release, the rockspecs, and what both say about the project.

local file = require "spec.support.file"
local rockspec = require "tools.rockspec"
local run = require "spec.support.succeed"
local shell = require "spec.support.shell"

local version = require "cekura.version"

-- The fields of a rockspec, which is a Lua program that sets globals.
local function fields(text)
  local env = {}
  local chunk
  if setfenv then -- Lua 5.1
    chunk = setfenv(assert(loadstring(text)), env)
  else
    chunk = assert(load(text, "rockspec", "t", env))
  end
  chunk()
  return env
end

describe("the rockspecs", function()
  local RELEASE = ("cekura-%s-1.rockspec"):format(version)

  it("are as make generate writes them, and there are no others", function()
    local project = dofile "tools/project.lua"
    assert.equal(rockspec.text(project, version, "scm"), file.read "cekura-scm-1.rockspec")
    assert.equal(rockspec.text(project, version, "release"), file.read(RELEASE))
    assert.equal(RELEASE .. "\ncekura-scm-1.rockspec\n", (shell "ls *.rockspec"))
  end)

  it("differ in version and source alone", function()
    local scm, release = fields(file.read "cekura-scm-1.rockspec"), fields(file.read(RELEASE))
    assert.equal(version .. "-1", release.version)
    assert.truthy(release.source.url:find("cekura-" .. version .. ".tar.gz", 1, true))
    scm.version, scm.source, release.version, release.source = nil, nil, nil, nil
    assert.same(scm, release)
  end)

  it("pass luarocks lint", function()
    for _, name in ipairs { "cekura-scm-1.rockspec", RELEASE } do
      local output, status = shell("luarocks lint " .. name)
      assert.equal(0, status, output)
    end
  end)

  it("say what tools/project.lua says", function()
    local project = dofile "tools/project.lua"
    project.homepage, project.issues_url = "https://example.org/cekura", "https://example.org/cekura/issues"
    project.downloads, project.maintainer = "https://example.org/files/", 'Ann "A" <ann@example.org>'
    local made = fields(rockspec.text(project, "1.2.3", "release"))
    assert.equal("https://example.org/files/cekura-1.2.3.tar.gz", made.source.url)
    for _, name in ipairs { "summary", "homepage", "issues_url", "license", "maintainer" } do
      assert.equal(project[name], made.description[name])
    end
    project.homepage, project.issues_url, project.downloads = nil, nil, nil
    made = fields(rockspec.text(project, "1.2.3", "release"))
    assert.is_nil(made.description.homepage or made.description.issues_url)
  end)
end)

describe("the version", function()
  it("is the first heading of the changes", function()
    assert.equal(version, file.read "CHANGELOG.md":match "\n## (%d+%.%d+%.%d+)")
  end)
end)

describe("make dist", function()
  local dir

  before_each(function()
    dir = shell "mktemp -d":match "%S+"
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local name = "cekura-" .. version

  local function sum(folder)
    return run("sha256sum <%s/%s.tar.gz", folder, name)
  end

  it("gives the same bytes from a checkout and from its own tarball, for any umask", function()
    run("make --no-print-directory -s dist BUILD=%s/a", dir)
    run("umask 077; sleep 1; make --no-print-directory -s dist BUILD=%s/b", dir)
    assert.equal(sum(dir .. "/a"), sum(dir .. "/b"))
    run("umask 077; cd %s && tar xzf a/%s.tar.gz && cd %s && make --no-print-directory -s dist BUILD=%s/c", dir, name,
      name, dir)
    assert.equal(sum(dir .. "/a"), sum(dir .. "/c"))
    assert.equal("", run("tar tvzf %s/a/%s.tar.gz | grep -v '^-rw[x-]r-[x-]r-[x-] root/root ' || true", dir, name))
  end)

  it("fails if git cannot list the files, rather than make an empty tarball", function()
    run("make --no-print-directory -s dist BUILD=%s/a", dir)
    run("cd %s && tar xzf a/%s.tar.gz && mkdir %s/.git", dir, name, name)
    local output, status = shell(("make --no-print-directory -s -C %s/%s dist BUILD=%s/b 2>&1"):format(dir, name, dir))
    assert.not_equal(0, status, output)
    assert.equal("", run("find %s/b -name '*.tar.gz'", dir))
  end)

  it("has what builds and installs the module, and nothing that is made", function()
    run("make --no-print-directory -s dist BUILD=%s/a", dir)
    local list = "\n" .. run("tar tzf %s/a/%s.tar.gz", dir, name)
    for _, path in ipairs { "Makefile", "LICENSE", name .. "-1.rockspec", "src/lua/core.c", "lua/cekura/init.lua",
      "bin/cekura-lua", "spec/smoke.lua", "tools/setup", ".ci/install", "docs/api/README.md" } do
      assert.truthy(list:find(("\n%s/%s\n"):format(name, path), 1, true), path)
    end
    assert.is_nil(list:find "/build/" or list:find "/docs/reference/" or list:find "%.o\n" or list:find "/%.git/")
  end)
end)
