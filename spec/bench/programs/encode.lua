--- Compares the encoding of request bodies with lua-cjson's, which neither checks what it writes nor keeps numbers
-- exact: encode.lua ROUNDS. The output is that of spec/bench/support/in_turn.lua.

local cjson = require "cjson"
local encode = require "cekura.http.encode"
local in_turn = require "spec.bench.support.in_turn"
local values = require "spec.bench.support.values"

local function encode_body(value)
  return encode(value, "body")
end

for _, each in ipairs(values) do
  in_turn.compare(each[1], { each[2] }, encode_body, cjson.encode, tonumber(arg[1]))
end
