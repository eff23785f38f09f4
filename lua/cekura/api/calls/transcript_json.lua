--- The parameter transcript_json of calls:send and calls:update.

local list = require "cekura.list"
local params = require "cekura.api.params"

-- The members of turns that are lists in the providers' formats. A program that has decoded an empty one with lua-cjson
-- has a table that does not say so.
local LISTS = { "tool_calls", "tool_results", "toolCalls", "words" }

-- The turn, or a copy in which its empty lists are marked.
local function with_lists(turn)
  local copy
  for _, name in ipairs(LISTS) do
    local value = type(turn) == "table" and turn[name]
    if type(value) == "table" and next(value) == nil then
      if not copy then
        copy = {}
        for member, each in pairs(turn) do
          copy[member] = each
        end
      end
      copy[name] = list.copy {}
    end
  end
  return copy or turn
end

--- Checks the transcript that is sent, where its format is known. Lists stay lists.
---@param what string "send" or "update"
---@param sent table the parameters
---@param default_type? string the format if they name none
local function transcript_json(what, sent, default_type)
  local turns = list.of(sent.transcript_json)
  if type(turns) ~= "table" then
    return
  end
  local own = (sent.transcript_type or default_type) == "cekura" and next(turns) ~= nil
  if own or next(turns) == nil or #turns > 0 then
    turns = params.value(own and "transcript" or "list", what .. ": transcript_json", turns)
    for index, turn in ipairs(turns) do
      turns[index] = with_lists(turn)
    end
    sent.transcript_json = turns
  end
end

return transcript_json
