--- A body of type multipart/form-data (RFC 7578): texts and one file.

local core = require "cekura.core"

-- A boundary that none of the parts contains.
local function find_boundary(parts)
  local boundary
  local number = math.floor(core.now() * 1e6)
  repeat
    boundary = ("cekura-%012x"):format(number % 2 ^ 48)
    number = number * 31 + 7
    local found = false
    for _, part in ipairs(parts) do
      found = found or part:find(boundary, 1, true) ~= nil
    end
    number = number % 2 ^ 48
  until not found
  return boundary
end

-- A name in a header line (RFC 7578, section 5.1, as browsers write it).
local function quote(name)
  return '"' .. name:gsub('[\r\n"%z]', function(char)
    return ("%%%02X"):format(char:byte())
  end) .. '"'
end

---@param fields table<string, string|string[]> a list sends the field once for each of its texts
---@param file { name: string, file_name: string, content_type: string, data: string }
---@return string body, string content_type
local function multipart(fields, file)
  local names, parts = {}, {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, text in ipairs(type(fields[name]) == "table" and fields[name] or { fields[name] }) do
      -- Not by format(): in Lua 5.1 it cuts a text at its first NUL.
      parts[#parts + 1] = "Content-Disposition: form-data; name=" .. quote(name) .. "\r\n\r\n" .. text .. "\r\n"
    end
  end
  parts[#parts + 1] = ("Content-Disposition: form-data; name=%s; filename=%s\r\nContent-Type: %s\r\n\r\n"):format(
    quote(file.name), quote(file.file_name), (file.content_type:gsub("[%z\1-\31\127]", ""))) .. file.data .. "\r\n"
  local boundary = find_boundary(parts)
  local line = "--" .. boundary
  return line .. "\r\n" .. table.concat(parts, line .. "\r\n") .. line .. "--\r\n",
    "multipart/form-data; boundary=" .. boundary
end

return multipart
