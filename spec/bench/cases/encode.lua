local contents = require "spec.bench.support.contents"

return {
  title = "Encoding",
  about = [[
Request bodies by this module and by lua-cjson. The module also checks the table and UTF-8, sorts the names, and
writes numbers exactly; lua-cjson rounds them to 14 digits. The time is the processor's, with garbage collection.]],
  ratio = "time over lua-cjson",
  run = function()
    contents("encode", "an hour's transcript", function(times) return times end, math.max)
  end,
}
