--- Whole files.

local file = {}

--- What is in it, byte for byte; nil where there is none, or it cannot be read.
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

--- Has a function called with the path of a file with that text, which is removed afterwards.
---@param text string
---@param use fun(path: string): ...
---@return any ... what the function returned
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
