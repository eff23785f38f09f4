--- Compares record:totable() with lua-cjson, on the same texts: totable.lua ROUNDS. The output is that of
-- spec/bench/support/in_turn.lua.

local call_logs = require "spec.bench.support.call_logs"
local cjson = require "cjson"
local core = require "cekura.core"
local in_turn = require "spec.bench.support.in_turn"
local texts = require "spec.bench.support.texts"
local values = require "spec.bench.support.values"

local class = core.record_class "record"
local totable_of = class.totable

local function totable(pair)
  return totable_of(pair.record)
end

local function decode(pair)
  return cjson.decode(pair.text)
end

local function compare(name, list)
  local pairs_of = {}
  for index, text in ipairs(list) do
    pairs_of[index] = { text = text, record = assert(core.new_record(text, nil, class)) }
  end
  in_turn.compare(name, pairs_of, totable, decode, tonumber(arg[1]))
end

compare("call logs", call_logs(200, 1))
for _, each in ipairs(values) do
  compare(each[1], { cjson.encode(each[2]) })
end
for _, each in ipairs(texts) do
  compare(each[1], { each[2] })
end
