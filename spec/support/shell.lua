--- Runs a shell command; returns its output, both streams, and its exit status.
return function(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; echo \"exit $?\""))
  local output = pipe:read "*a"
  pipe:close()
  local text, status = output:match "^(.*)exit (%d+)\n$"
  return text, tonumber(status)
end
