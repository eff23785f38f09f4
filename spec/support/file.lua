--- Reads and writes whole files.

local file = {}

--- The content of a file, byte for byte; nil if the file cannot be read.
---@param path string
---@return string?
function file.read(path)
  local handle = io.open(path, "rb")
  local text = handle and handle:read "*a"
  if handle then
    handle:close()
  end
  return text
end

---@param path string
---@param text string
function file.write(path, text)
  local handle = assert(io.open(path, "wb"))
  assert(handle:write(text))
  handle:close()
end

--- Writes a temporary file, calls a function with its path, and removes the file.
---@param text string
---@param use fun(path: string): ...
---@return any ... what `use` returned
function file.temporary(text, use)
  local path = os.tmpname()
  file.write(path, text)
  local function done(...)
    os.remove(path)
    return ...
  end
  return done(use(path))
end

return file
