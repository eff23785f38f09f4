--- Calls a function in a locale that writes 1,5 for 1.5, and returns its results as a list; returns nil if no such
-- locale is installed. spec/run compiles one.

local NAMES = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "fr_FR" }

return function(fn)
  local before = os.setlocale(nil)
  for _, name in ipairs(NAMES) do
    if os.setlocale(name) then
      local found = { pcall(fn) }
      os.setlocale(before)
      assert(found[1], found[2])
      table.remove(found, 1)
      return found
    end
  end
end
