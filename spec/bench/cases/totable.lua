local contents = require "spec.bench.support.contents"

return {
  title = "Decoding all of a record",
  about = [[
`record:totable()` of a text beside lua-cjson, which reads numbers less exactly and accepts what is no JSON. The
time is the processor's, with garbage collection.]],
  ratio = "speed over lua-cjson",
  run = function()
    contents("totable", "call logs", function(times) return 1 / times end, math.min)
  end,
}
