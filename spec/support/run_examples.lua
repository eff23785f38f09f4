--- LUA spec/support/run_examples.lua REPORT: runs the examples of all commands with --dry-run, in one process, and
-- writes a line "STATUS EXAMPLE" for each into a file. It runs in a folder that has the files that examples name.

local cekura = require "cekura"
local encode = require "cekura.http.encode"
local parser = require "cekura.command.parser"
local session = require "cekura.command.session"
local tree = require "cekura.command.tree"

local client = assert(cekura.new())
local token = client:job("metric_reviews.process_feedbacks", 9001):token() -- a kind that can be cancelled and answered
client:close()

-- The words of a line as a shell splits them, as far as examples need it; without redirections and what follows a pipe.
local function words_of(line)
  local words, rest = {}, line:gsub("%$TOKEN", token)
  while rest:find "%S" do
    rest = rest:gsub("^%s+", "")
    local quoted, after = rest:match "^'([^']*)'(.*)$"
    local word = quoted or rest:match '^"([^"]*)"' or rest:match "^%S+"
    after = after or rest:sub(#word + 1 + (rest:find '^"' and 2 or 0))
    if word == "|" then
      break
    elseif quoted or not word:find "^[<>]" then
      words[#words + 1] = word
    end
    rest = after
  end
  return words
end

local function refuse(message)
  error({ message = message }, 0)
end

-- Reads and runs a line, as cekura-lua does. Returns its exit status and what was read.
local function run(line)
  local words = words_of(line)
  assert(table.remove(words, 1) == "cekura-lua", line)
  local place = #words + 1
  for index, word in ipairs(words) do
    place = word == "--" and math.min(place, index) or place -- what follows is not an option
  end
  table.insert(words, place, "--dry-run")
  local command, given = parser.read(tree, words, refuse)
  if command.stands_for then
    return 0, given
  end
  given.options.json = given.options.json or given.options.format == "json"
  return session.run(command, given), given
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local report = assert(io.open(arg[1], "w"))

local function run_examples(command)
  for _, example in ipairs(command.examples) do
    local line = example[1]
    if line:find "^cekura%-lua" then
      local ok, status, given = pcall(run, line)
      if not ok then
        status = type(status) == "table" and status.message or status
      end
      report:write(("%s %s\n"):format(tostring(status), line))
      report:flush()
      if ok then -- for the next example, which has its parameters from a file
        write("job.json", next(given.params) and encode(given.params, "params") or "{}")
      end
    end
  end
  for _, sub in ipairs(command.commands or {}) do
    run_examples(sub)
  end
end

run_examples(tree)
report:close()
