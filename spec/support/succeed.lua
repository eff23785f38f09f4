local shell = require "spec.support.shell"

--- Runs a shell command, which is a format, and returns its output. Raises if it fails.
---@return string
return function(format, ...)
  local output, status = shell(format:format(...))
  assert(status == 0, output)
  return output
end
