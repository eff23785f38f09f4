--- What the body of a request holds.

local json = require "cekura.simulator.json"
local multipart = require "cekura.simulator.multipart"

--- The fields of a body, JSON or a form, and the files of a form.
---@param request table
---@return table? fields empty without a body; nil if the body cannot be read
---@return table? files of a form
return function(request)
  local content_type = request.headers["content-type"] or ""
  if content_type:find("multipart/form-data", 1, true) then
    return multipart.read(content_type, request.body or "")
  end
  local body = json.decode(request.body or "{}")
  return type(body) == "table" and body or nil
end
