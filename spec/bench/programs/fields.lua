--- Compares call logs as records with call logs that lua-cjson decodes, on the same texts: fields.lua ROUNDS CALL_LOGS.
-- Of each, id, status and duration are read. The output is that of spec/bench/support/in_turn.lua.

local call_logs = require "spec.bench.support.call_logs"
local cjson = require "cjson"
local core = require "cekura.core"
local in_turn = require "spec.bench.support.in_turn"

local class = core.record_class "record"

local function read(call)
  assert(call.id and call.status and call.duration)
end

in_turn.compare("three fields of a call log", call_logs(tonumber(arg[2]), 1), function(text)
  read(assert(core.new_record(text, nil, class)))
end, function(text)
  read(cjson.decode(text))
end, tonumber(arg[1]))
