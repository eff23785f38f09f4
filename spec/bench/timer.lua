--- Measures how late a bare timer is on this machine: timer.lua SECONDS
-- Prints the longest delay of a sleep of a millisecond, in milliseconds.

local core = require "cekura.core"

local ends_at, longest = core.now() + tonumber(arg[1]), 0
while core.now() < ends_at do
  local due = core.now() + 0.001
  core.wait({}, 0.001)
  longest = math.max(longest, core.now() - due)
end
print(("%.2f"):format(longest * 1e3))
