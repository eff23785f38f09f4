--- Measures cases: main.lua CASE...; spec/bench/run calls it.

local core = require "cekura.core"
local report = require "spec.bench.support.report"
local turns = require "spec.bench.support.turns"

-- In the order of the report.
local ALL = {
  "request", "instructions", "system_calls", "slow", "tls", "polls", "step", "poll_calls", "prosody", "make_jobs",
  "memory", "start_up", "pages", "records", "totable", "encode", "nginx", "upload", "reports", "selection",
}

local names = #arg > 0 and arg or ALL
local failed = false
for _, name in ipairs(names) do
  local case = require("spec.bench.cases." .. name)
  report.begin(name, case)
  local began = core.now()
  local ok, err = xpcall(case.run, debug.traceback)
  if not ok then
    report.note("**This case failed.**")
    io.stderr:write(tostring(err), "\n")
    failed = true
  end
  print(("  (%.0f s)"):format(core.now() - began))
end

-- Only a whole measurement replaces the committed one.
local is_whole = names == ALL and not turns.quick and turns.rounds >= 5 and not failed
local folder = is_whole and "spec/bench" or "build/bench/results"
report.write(folder)
print("\n" .. folder .. "/RESULTS.md")
os.exit(not failed)
