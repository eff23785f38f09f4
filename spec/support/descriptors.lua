--- Counts the descriptors of a process that match a pattern.
local shell = require "spec.support.shell"

---@param pid integer|string
---@param pattern string what `grep` takes: "anon_inode", "-e socket -e anon_inode"
---@return integer
return function(pid, pattern)
  -- `ls` complains about a descriptor that is closed while it lists them, such as the pipe of this command.
  return tonumber((shell(("ls -l /proc/%s/fd 2>/dev/null | grep -c %s || true"):format(pid, pattern))))
end
