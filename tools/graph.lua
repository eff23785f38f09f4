--- lua tools/graph.lua [-v] [BUILD LUA]: finds circular dependencies within src and lua, in three graphs:
--
--   includes   between C units; a unit is x.c, x.h and x_private.h
--   requires   between Lua modules, at load time or later
--   symbols    between object files, if a build directory and a Lua are given: which unit uses symbols of which
--
-- With `-v` it prints each node with its dependencies. The exit status is 1 if there is a circle.

local function lines_of(command)
  local lines, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

-- A graph is a table of tables: graph[from][to] = true.
local function add(graph, from, to)
  graph[from] = graph[from] or {}
  if to and to ~= from then
    graph[from][to] = true
  end
end

local function unit(path)
  return (path:gsub("%.[ch]$", ""):gsub("_private$", ""))
end

local function includes()
  local graph = {}
  for _, path in ipairs(lines_of "find src -name '*.[ch]' | sort") do
    local name, folder = path:match "^src/(.*)$", path:match "^src/(.*/)"
    add(graph, unit(name))
    for included in read(path):gmatch '#include "([^"]+)"' do
      add(graph, unit(name), unit(included:find("/", 1, true) and included or folder .. included))
    end
  end
  return graph
end

-- A module's name in quotes counts as a require, even where it is data.
local function requires()
  local graph, text_of = {}, {}
  for _, path in ipairs(lines_of "find lua -name '*.lua' | sort") do
    local name = path:match "^lua/(.*)%.lua$":gsub("/init$", ""):gsub("/", ".")
    add(graph, name)
    text_of[name] = read(path):gsub("%-%-[^\n]*", "")
  end
  for name, code in pairs(text_of) do
    for required in code:gmatch '"(cekura%.[%w_.]+)"' do
      if text_of[required] then
        add(graph, name, required)
      end
    end
  end
  return graph
end

-- Lists objects by their sources, since an object without a source is left from an earlier version. The modules of
-- Redis, which is not always built, and of the simulator are other libraries.
local function symbols(build, lua)
  local graph, owner, needed = {}, {}, {}
  local names, command = {}, "nm -A"
  for _, path in ipairs(lines_of "find src -name '*.c' ! -path 'src/redis/*' ! -path 'src/simulator/*'") do
    local name = path:match "^src/(.*)%.c$"
    local object = build .. "/" .. name:gsub("^lua/", lua .. "/binding/") .. ".o"
    names[object], command = name, command .. " " .. object
  end
  for _, line in ipairs(lines_of(command)) do
    local object, kind, symbol = line:match "^(.-):%s*%x*%s+(%a) (%S+)$"
    local name = names[object]
    if kind == "U" then
      needed[#needed + 1] = { name, symbol }
    elseif kind and kind:find "^[TDBRC]$" then
      owner[symbol] = name
    end
  end
  for _, need in ipairs(needed) do
    add(graph, need[1], owner[need[2]])
  end
  return graph
end

local function sorted(set)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

-- The strongly connected components of more than one node, by Tarjan's algorithm.
local function circles(graph)
  local found, stack, on_stack, index, low, count = {}, {}, {}, {}, {}, 0
  local function visit(node)
    count = count + 1
    index[node], low[node] = count, count
    stack[#stack + 1], on_stack[node] = node, true
    for _, to in ipairs(sorted(graph[node] or {})) do
      if not index[to] then
        visit(to)
        low[node] = math.min(low[node], low[to])
      elseif on_stack[to] then
        low[node] = math.min(low[node], index[to])
      end
    end
    if low[node] == index[node] then
      local part = {}
      repeat
        local last = table.remove(stack)
        on_stack[last] = nil
        part[#part + 1] = last
      until last == node
      if #part > 1 then
        table.sort(part)
        found[#found + 1] = table.concat(part, " ")
      end
    end
  end
  for _, node in ipairs(sorted(graph)) do
    if not index[node] then
      visit(node)
    end
  end
  return found
end

local verbose = arg[1] == "-v" and table.remove(arg, 1) ~= nil
local graphs = { { "includes", includes() }, { "requires", requires() } }
if arg[2] then
  graphs[#graphs + 1] = { "symbols", symbols(arg[1], arg[2]) }
end
local failed = false
for _, each in ipairs(graphs) do
  local name, graph = each[1], each[2]
  local nodes, edges = sorted(graph), 0
  for _, node in ipairs(nodes) do
    local to = sorted(graph[node])
    edges = edges + #to
    if verbose then
      print(("%s: %s -> %s"):format(name, node, table.concat(to, " ")))
    end
  end
  local found = circles(graph)
  print(("%s: %d nodes, %d edges, %d circles"):format(name, #nodes, edges, #found))
  for _, circle in ipairs(found) do
    print("  circle: " .. circle)
    failed = true
  end
end
os.exit(failed and 1 or 0)
