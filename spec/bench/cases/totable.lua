local contents = require "spec.bench.support.contents"

return {
  title = "Decoding all of a record",
  about = [[
`record:totable()` beside lua-cjson's decoding of the same text; lua-cjson reads numbers less exactly, accepts what is
no JSON, and does not mark lists. The record is there before: making it is a part of "three fields". The time is the
processor's, with garbage collection.]],
  ratio = "speed over lua-cjson",
  run = function()
    contents("totable", "call logs", function(times) return 1 / times end, math.min)
  end,
}
