--- Measures cases: main.lua CASE...; spec/bench/run calls it.

for _, name in ipairs(arg) do
  require("spec.bench.cases." .. name)()
end
