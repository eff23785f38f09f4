--- lua/cekura/meta/declarations.lua: the tables that cekura.kind() and cekura.watch() take. The checks of the module
-- say which members there are, the comment at the top of a file what they mean. Their types are here.

local file = require "spec.support.file"
local upvalue = require "tools.meta.upvalue"
local sorted_keys = require "spec.support.sorted_keys"
local writer = require "tools.luacats.writer"

local declarations = {}

local REQUEST = "{ [1]: string, body?: string[], optional?: string[], text?: string }"

local CALL = "fun(call: cekura.CallLog, entry: table)"

-- The classes. `members` are the checks of the members, by name; `type` is that of the others.
local CLASSES = {
  { name = "cekura.KindDeclaration", text = "The declaration of a kind of job.", source = "lua/cekura/api/kinds.lua",
    members = function() return require "cekura.api.kind_schema".members end,
    required = { poll = true },
    type = "string",
    types = {
      params = "table<string, cekura.ParamDeclaration>", one_of = "table", list = "boolean", poll_scope = "string[]",
      record = '"call_log"', call_log = "boolean", output = "string|string[]", statuses = "table<string, cekura.State>",
      counters = "cekura.CounterDeclaration", benign_errors = "string[]", carry = "string[]", cancel = REQUEST,
      answer = REQUEST, interval = "number", timeout = "number", evidence = "table<string, string>",
    } },
  { name = "cekura.CounterDeclaration", text = "The `counters` of a kind's declaration.",
    members = function() return upvalue(require "cekura.api.kind_schema".members.counters, "COUNTERS") end,
    required = { done = true, total = true }, type = "string", types = { decide = "boolean" } },
  { name = "cekura.Watch.Declaration", text = "What a watch does.", source = "lua/cekura/watch/init.lua",
    members = function() return upvalue(require "cekura.watch.declaration".read, "TOP") end,
    type = "number",
    types = {
      client = "cekura.Client|cekura.Options", limits = "cekura.Watch.Limits", store = "string|table",
      name = "string", on_error = "fun(err: cekura.Error, where: string)", agents = "cekura.Watch.AgentEntry[]",
      calls = "cekura.Watch.CallEntry[]",
    } },
  { name = "cekura.Watch.Limits", text = "The `limits` of a watch.",
    members = function() return upvalue(require "cekura.watch.declaration".read, "LIMITS") end, type = "integer" },
}

local ENTRY = {
  agent_id = "cekura.Id", id = "cekura.Id", name = "string", filter = "cekura.Condition|string",
  since = "number|string", lookback = "number", every = "number", timeout = "number",
  improve = "true|fun(call: cekura.CallLog, entry: table): any",
  prompt = "string|fun(agent_id: cekura.Id, call: cekura.CallLog, entry: table): string?",
  on_evaluated = CALL, on_failed = "fun(err: cekura.Error, call: cekura.CallLog, entry: table)",
}
ENTRY.on_improved = "fun(result: cekura.Improvement, call: cekura.CallLog, entry: table)"
ENTRY.on_nothing_to_do = ENTRY.on_improved

for index, class in ipairs { "AgentEntry", "CallEntry" } do
  local function list()
    return upvalue(require "cekura.watch.declaration".read, "LISTS")[index]
  end
  CLASSES[#CLASSES + 1] = { name = "cekura.Watch." .. class, source = "lua/cekura/watch/init.lua", types = ENTRY,
    text = "An entry of the list `" .. (index == 1 and "agents" or "calls") .. "`.",
    members = function() return list().known end, required = setmetatable({}, {
      __index = function(_, name) return name == list().id end,
    }) }
end

-- What the members mean: the lines `--   name   text` at the top of a file, and those that continue them.
local function meanings(path)
  local texts, name = {}, nil
  for line in (path and file.read(path):match "^(.-)\n\n" or ""):gmatch "[^\n]+" do
    local found, text = line:match "^%-%-   ([%w_]+)%b() +(.*)$"
    if not found then
      found, text = line:match "^%-%-   ([%w_]+)  +(.*)$"
    end
    local more = line:match "^%-%-      +(.*)$"
    if found then
      name = found
      texts[name] = texts[name] or text
    elseif name and more then
      texts[name] = texts[name] .. " " .. more
    else
      name = nil
    end
  end
  return texts
end

--- The text of the file.
---@return string[] lines
function declarations.lines()
  local lines = {}
  for _, class in ipairs(CLASSES) do
    local fields, texts = {}, meanings(class.source)
    for index, name in ipairs(sorted_keys(class.members())) do
      fields[index] = { name = name, text = texts[name], optional = not (class.required and class.required[name]),
        type = assert(class.types and class.types[name] or class.type, name) }
    end
    writer.class(lines, { name = class.name, text = class.text, fields = fields })
  end
  return lines
end

return declarations
