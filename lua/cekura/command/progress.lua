local P = {} P.__index = P
for _, n in ipairs {"add","changed","tick","ended","close"} do P[n] = function() end end
function P:note(m) self.stream:write(m .. "\n") end
return { new = function(stream) return setmetatable({ stream = stream }, P) end }
