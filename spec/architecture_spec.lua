--- Checks the pages for maintainers against the tree: docs/architecture.md maps all files, and every name exists.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local MAP, GUIDE = file.read "docs/architecture.md", file.read "CONTRIBUTING.md"

local function files_of(folder)
  local found = {}
  for path in shell(("find %s -type f"):format(folder)):gmatch "[^\n]+" do
    found[path] = true
  end
  return found
end

-- The files in the tables of the map, whose headings name the folders: each path with its number of rows.
local function mapped(map)
  local found, folder = {}, nil
  for line in map:gmatch "[^\n]+" do
    if line:find "^#" then
      folder = line:match "^### `(.-/)`$"
    end
    local names, meaning = line:match "^| (`.-`) | (.-) |$"
    for name in (folder and names or ""):gmatch "`([^`]+)`" do
      assert(meaning:find "%w%w", line)
      found[folder .. name] = (found[folder .. name] or 0) + 1
    end
  end
  return found
end

-- The files without a row, with several, and those that do not exist.
local function faults_of_map(map)
  local faults, present, times = {}, files_of "src lua", mapped(map)
  for path in pairs(present) do
    if times[path] ~= 1 then
      faults[#faults + 1] = path .. (times[path] and ": twice" or ": missing")
    end
  end
  for path in pairs(times) do
    if not present[path] then
      faults[#faults + 1] = path .. ": gone"
    end
  end
  table.sort(faults)
  return faults
end

-- Whether a file defines the function, in C or in Lua.
local function defines(path, name)
  local text = "\n" .. (file.read(path) or "")
  if path:find "%.lua$" then
    for _, form in ipairs { "function %s(", "\n%s = atomic(", "\nlocal %s = atomic(" } do
      if text:find(form:format(name), 1, true) then
        return true
      end
    end
    return false
  end
  for line in text:gmatch "\n(%a[^\n]*)" do
    if line:find("[ *]" .. name .. "%(") and not line:find ";$" then
      return true
    end
  end
  return false
end

local function path_of(module)
  local path = "lua/" .. module:gsub("%.", "/")
  return file.read(path .. ".lua") and path .. ".lua" or path .. "/init.lua"
end

-- The folder of a module in lua/cekura, or "" for a file beside the folders.
local function folder_of(path)
  return path:match "^lua/cekura/(%w+)/" or ""
end

-- The requires that go against the order of the folders and are not in the map, and those in the map that do not exist.
local function faults_of_order(map)
  local ranks, count, listed, faults = { [""] = math.huge }, 0, {}, {}
  local public = map:match "The public module `([%w_/.]+)` is above all"
  for name in map:match("The folders of the library are ordered, too: (.-), and"):gmatch "`(%w+)`" do
    count = count + 1
    ranks[name] = count
  end
  for from, to in map:gmatch "\n| `(lua/[%w_/.]+)` | `(lua/[%w_/.]+)` |" do
    listed[from .. " " .. to] = true
  end
  local graph = shell((os.getenv "CEKURA_LUA" or "lua5.4") .. " tools/graph.lua -v")
  for module, required in graph:gmatch "requires: (cekura%.%S+) %->([^\n]*)" do
    for each in required:gmatch "%S+" do
      local from, to = path_of(module), path_of(each)
      local edge = from .. " " .. to
      if from ~= public and ranks[folder_of(from)] > ranks[folder_of(to)] and not listed[edge] then
        faults[#faults + 1] = edge
      end
      listed[edge] = nil
    end
  end
  for edge in pairs(listed) do
    faults[#faults + 1] = edge .. ": gone"
  end
  return faults
end

-- Returns the functions in the notation `file: function` that do not exist, and how many functions the page names.
local function faults_of_functions(page)
  local faults, count = {}, 0
  for path, name in page:gmatch "`([%w_/.]+%.%a+): ([%w_.:]+)`" do
    count = count + 1
    if not defines(path, name) then
      faults[#faults + 1] = path .. ": " .. name
    end
  end
  return faults, count
end

-- Returns the paths in the page that do not exist, and how many paths the page names.
local function faults_of_paths(page)
  local faults, count = {}, 0
  for path in page:gmatch "`([%w_.]+/[%w_/.-]+)" do
    local top = path:match "^[^/]+"
    local is_built = path:find "^docs/reference/" -- by `make docs`
    if not is_built and (" src lua spec docs tools examples .ci "):find(" " .. top .. " ", 1, true) then
      local handle = io.open(path) -- opens folders as well
      count = count + 1
      faults[#faults + 1] = not handle and path or nil
      if handle then
        handle:close()
      end
    end
  end
  return faults, count
end

-- The private fields that a class documents in its source.
local function documented(path, class)
  local found = {}
  local text = file.read(path):match("%-%-%-@class " .. class .. "\n(.-)\n[^-]")
  for name in text:gmatch "%-%-%-@field (_[%w_]+)" do
    found[name] = true
  end
  return found
end

-- The private fields in the map's table with that heading, each with its files.
local function listed(map, heading)
  local found = {}
  local rows = (map .. "\n"):match("| file | " .. heading .. " |\n|%-+|%-+|\n(.-\n)\n") or ""
  for files, names in rows:gmatch "| (.-) | (.-) |\n" do
    for name in names:gmatch "`([^`]+)`" do
      found[name] = files
    end
  end
  return found
end

describe("the map of the source", function()
  it("has each file of src and lua once, and no others", function()
    assert.same({}, faults_of_map(MAP))
  end)

  it("fails this check without one of them", function()
    local doctored, count = MAP:gsub("`gate.c`, ", ""):gsub("| `scan.lua` |", "| `skim.lua` |")
    assert.equal(1, count)
    assert.same({ "lua/cekura/watch/scan.lua: missing", "lua/cekura/watch/skim.lua: gone",
      "src/engine/gate.c: missing" }, faults_of_map(doctored))
  end)

  it("lists the requires that go against the order of the folders", function()
    assert.same({}, faults_of_order(MAP))
    local doctored = MAP:gsub("| `lua/cekura/nearest.lua` | `lua/cekura/http/ascii.lua` |[^\n]*\n", "")
    assert.same({ "lua/cekura/nearest.lua lua/cekura/http/ascii.lua" }, faults_of_order(doctored))
  end)

  for _, case in ipairs {
    { "a job", "lua/cekura/job/start.lua", "cekura.JobFields" },
    { "a client", "lua/cekura/client/init.lua", "cekura.ClientFields" },
  } do
    it("lists the private fields of " .. case[1] .. ", with files that use them", function()
      local fields, classes = listed(MAP, "private fields of " .. case[1]), documented(case[2], case[3])
      for name in pairs(classes) do
        assert.is_string(fields[name], name .. " is not in the map")
      end
      for name, files in pairs(fields) do
        assert.is_true(classes[name], name .. " is not in " .. case[3])
        for path in files:gmatch "`([^`]+)`" do
          assert.truthy(file.read(path):find(name .. "%f[^%w_]"), path .. " does not use " .. name)
        end
      end
    end)
  end

  it("lists every private field that the library uses", function()
    local known = documented("lua/cekura/job/start.lua", "cekura.JobFields")
    for name in pairs(documented("lua/cekura/client/init.lua", "cekura.ClientFields")) do
      known[name] = true
    end
    for _, row in ipairs(require "cekura.client.options".rows) do
      known[row.field or ""] = true
    end
    local count = 0
    for path in pairs(files_of "lua") do
      for name in file.read(path):gmatch "fields%.(_[%w_]+)" do
        count = count + 1
        assert.is_true(known[name], path .. ": " .. name)
      end
    end
    assert.is_true(count > 100, count)
  end)
end)

for _, page in ipairs { MAP, GUIDE } do
  describe(page == MAP and "docs/architecture.md" or "CONTRIBUTING.md", function()
    it("names only functions that exist in the named file", function()
      local faults, count = faults_of_functions(page)
      assert.same({}, faults)
      assert.is_true(count > 5, count)
      local doctored = page:gsub("(`src/engine/engine%.c: )([%w_]+)`", "%1%2_renamed`", 1)
      assert.equal(1, #faults_of_functions(doctored))
    end)

    it("names only goals of the Makefile", function()
      local makefile = file.read "Makefile"
      for goal in page:gmatch "make (%l[%w-]+)[` ]" do
        assert.truthy(makefile:find("\n" .. goal:gsub("%-", "%%-") .. ":"), goal)
      end
    end)

    it("names only paths that exist", function()
      local faults, count = faults_of_paths(page)
      assert.same({}, faults)
      assert.is_true(count > 20, count)
    end)
  end)
end
