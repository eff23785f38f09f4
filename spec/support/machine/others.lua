--- Prints the installed packages that a machine is to be without: all but those that are named, those that Debian calls
-- required, apt, and what these depend on.

local provided, depends, wanted = {}, {}, {} -- by name

-- The names in a field of relations: "a (>= 1) | b, c:any" has a, b and c.
local function names(relations)
  return relations:gsub("%b()", ""):gmatch "[%w.+-]+[%w.+:-]*"
end

local function want(name)
  for real in pairs(provided[name] or {}) do
    if not wanted[real] then
      wanted[real] = true
      for needed in names(depends[real]) do
        want((needed:gsub(":.*", "")))
      end
    end
  end
end

local required = {}
local pipe = assert(io.popen("dpkg-query -W -f '"
  .. "${db:Status-Status}|${Package}|${Essential} ${Priority} |${Provides}|${Pre-Depends}, ${Depends}\n'"))
for line in pipe:lines() do
  local status, name, importance, provides, relations = line:match "^(.-)|(.-)|(.-)|(.-)|(.*)$"
  if status == "installed" then
    depends[name] = (depends[name] or "") .. relations
    for alias in names(name .. ", " .. provides) do
      provided[alias] = provided[alias] or {}
      provided[alias][name] = true
    end
    if importance:find "^yes" or importance:find " required " then
      required[#required + 1] = name
    end
  end
end
pipe:close()

for _, list in ipairs { required, { "apt" }, arg } do
  for _, name in ipairs(list) do
    want(name)
  end
end
for name in pairs(depends) do
  if not wanted[name] then
    print(name)
  end
end
