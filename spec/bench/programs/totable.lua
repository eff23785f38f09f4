--- Compares record:totable() with lua-cjson, on the same texts: totable.lua ROUNDS. The output is that of
-- spec/bench/support/in_turn.lua.

local call_logs = require "spec.bench.support.call_logs"
local cjson = require "cjson"
local core = require "cekura.core"
local in_turn = require "spec.bench.support.in_turn"
local values = require "spec.bench.support.values"

local class = core.record_class "record"

local function totable(text)
  return assert(core.new_record(text, nil, class)):totable()
end

local function compare(name, texts)
  in_turn.compare(name, texts, totable, cjson.decode, tonumber(arg[1]))
end

compare("call logs", call_logs(200, 1))
for _, each in ipairs(values) do
  compare(each[1], { cjson.encode(each[2]) })
end
