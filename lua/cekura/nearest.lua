--- "Did you mean …": the nearest known name to an unknown one. All hints for misspelt names come from here.

local ascii = require "cekura.http.ascii"
local show = require "cekura.show"

-- Only this many bytes of a name are compared.
local LONGEST = 40

-- The least length of a name that counts as misspelt, by the number of changes. (In a shorter name so many changes make
-- another word: "wait" and "waiter".)
local NEAR = { [0] = 1, [1] = 3, [2] = 8 }

-- A name in the form in which names are compared: without differences of camelCase, dashes and capitals.
local function plain(name)
  name = name:sub(1, LONGEST):gsub("%-", "_"):gsub("[a-z][A-Z]", function(pair)
    return pair:sub(1, 1) .. "_" .. pair:sub(2)
  end)
  return ascii.lower(name)
end

-- The number of insertions, deletions, replacements and swaps of neighbours that turn one text into the other (optimal
-- string alignment).
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local two_before = before
    before, row = row, { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], two_before[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- The suggestion, in brackets: " (did you mean agent_id?)"; "" if no name is known.
---@param given any
---@param known table<string, any> its keys are the names
---@return string hint
---@return boolean is_near whether the given name is probably that one, misspelt: see NEAR
local function nearest(given, known)
  local best, least
  given = plain(show.value(given))
  for name in pairs(known) do
    if type(name) == "string" then
      local far = distance(given, plain(name))
      if not least or far < least or far == least and name < best then
        best, least = name, far
      end
    end
  end
  local is_near = best ~= nil and #given >= (NEAR[least] or math.huge)
  return best and show.format(" (did you mean %s?)", best) or "", is_near
end

return nearest
