--- Searches the memory of a process for bytes while the process waits.

local file = require "spec.support.file"
local memory = {}

local CHUNK = 1024 * 1024

-- Calls back with each piece of a mapping, which may be shorter than the map says.
local function each_piece(image, from, to, overlap, callback)
  while from < to do
    local bytes = image:seek("set", from) and image:read(math.min(CHUNK, to - from))
    if not bytes then
      return
    end
    callback(bytes)
    from = from + math.max(#bytes - (#bytes == CHUNK and overlap or 0), 1)
  end
end

--- Finds the bytes.
---@param pid integer
---@param wanted string
---@return { place: string, before: string, after: string }[] found with up to 40 bytes around each place
function memory.find(pid, wanted)
  local found = {}
  local image = assert(io.open(("/proc/%d/mem"):format(pid), "rb"))
  image:setvbuf "no"
  for line in file.read(("/proc/%d/maps"):format(pid)):gmatch "[^\n]+" do
    local from, to, place = line:match "^(%x+)%-(%x+) r%S+ %S+ %S+ %S+%s*(.*)$"
    if from and not place:find "^%[v" then
      each_piece(image, tonumber(from, 16), tonumber(to, 16), #wanted + 80, function(bytes)
        local at = bytes:find(wanted, 1, true)
        while at do
          found[#found + 1] = { place = place, before = bytes:sub(math.max(1, at - 40), at - 1),
            after = bytes:sub(at + #wanted, at + #wanted + 39) }
          at = bytes:find(wanted, at + 1, true)
        end
      end)
    end
  end
  image:close()
  return found
end

return memory
