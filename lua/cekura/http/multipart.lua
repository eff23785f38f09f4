--- A body of type multipart/form-data (RFC 7578): texts and files.

local core = require "cekura.core"

-- A boundary that no part contains: it is random, and the parts in memory are searched for it.
local function find_boundary(parts)
  local boundary
  repeat
    boundary = "cekura-" .. core.random_hex()
    local found = false
    for _, part in ipairs(parts) do
      found = found or type(part) == "string" and part:find(boundary, 1, true) ~= nil
    end
  until not found
  return boundary
end

-- A name in a header line (RFC 7578, section 5.1, as browsers write it).
local function quote(name)
  return '"' .. name:gsub('[\r\n"%z]', function(char)
    return ("%%%02X"):format(char:byte())
  end) .. '"'
end

local function file_head(file)
  return ("Content-Disposition: form-data; name=%s; filename=%s\r\nContent-Type: %s\r\n\r\n"):format(
    quote(file.name), quote(file.file_name), (file.content_type:gsub("[%z\1-\31\127]", "")))
end

local function sorted_names(fields)
  local names = {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

---@param fields table<string, string|string[]> a list sends the field once for each of its texts
---@param files { name: string, file_name: string, content_type: string, data: string?, file: userdata? }[] the bytes,
---or an open file
---@return table body for cekura.Request: strings and files
---@return string content_type
local function multipart(fields, files)
  local parts = {}
  for _, name in ipairs(sorted_names(fields)) do
    for _, text in ipairs(type(fields[name]) == "table" and fields[name] or { fields[name] }) do
      -- Not by format(): in Lua 5.1 it cuts a text at its first NUL.
      parts[#parts + 1] = { "Content-Disposition: form-data; name=" .. quote(name) .. "\r\n\r\n", text }
    end
  end
  for _, file in ipairs(files) do
    parts[#parts + 1] = { file_head(file), file.data or file.file }
  end
  local contents = {}
  for index, part in ipairs(parts) do
    contents[index] = part[2]
  end
  local boundary = find_boundary(contents)
  local body = {}
  for _, part in ipairs(parts) do
    body[#body + 1] = "--" .. boundary .. "\r\n" .. part[1]
    body[#body + 1] = part[2]
    body[#body + 1] = "\r\n"
  end
  body[#body + 1] = "--" .. boundary .. "--\r\n"
  return body, "multipart/form-data; boundary=" .. boundary
end

return multipart
