--- lua tools/sizes.lua: lists the functions of src and lua with too many lines or parameters. The exit status is 1 if
-- there are any.

local MAX_LINES, MAX_PARAMETERS = 60, 5

local failed = false

local function judge(where, lines, parameters)
  if lines > MAX_LINES or parameters > MAX_PARAMETERS then
    print(("%s: %d lines, %d parameters"):format(where, lines, parameters))
    failed = true
  end
end

local function files(pattern)
  local pipe = assert(io.popen(("find src lua -name '%s' | sort"):format(pattern)))
  local list = {}
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  return list
end

-- clang-format puts the braces of a function alone on their lines, in the first column.
local function functions_of_c(path)
  local head, began, name, parameters, number = "", nil, nil, 0, 0
  for line in io.lines(path) do
    number = number + 1
    if line == "{" then
      began = number
      local list = head:match "(%b())[^()]*$" or "()"
      name = head:match "([%w_]+)%(" or "?"
      local _, commas = list:sub(2, -2):gsub("%b()", ""):gsub(",", ",")
      parameters = (list == "()" or list == "(void)") and 0 or commas + 1
    elseif line == "}" and began then
      judge(path .. ":" .. began .. " " .. name, number - began + 1, parameters)
      began, head = nil, ""
    elseif line:find "[;}]$" or line:find "^#" or line:find "^/?%s*%*" or line == "" then
      head = ""
    else
      head = head .. " " .. line
    end
  end
end

-- luac lists each function with its first and last line, and counts `self` among the parameters.
local function functions_of_lua(path)
  local pipe = assert(io.popen(("luac5.4 -l -p %s"):format(path)))
  local first, last
  for line in pipe:lines() do
    local from, to = line:match "^function <.-:(%d+),(%d+)>"
    if from then
      first, last = tonumber(from), tonumber(to)
    elseif line:find "^main " then
      first = nil
    elseif first and line:find "^%d+%+? params?" then
      judge(path .. ":" .. first, last - first + 1, tonumber(line:match "^%d+"))
      first = nil
    end
  end
  assert(pipe:close()) -- fails if luac is missing
end

for _, path in ipairs(files "*.c") do
  functions_of_c(path)
end
for _, path in ipairs(files "*.lua") do
  functions_of_lua(path)
end
os.exit(failed and 1 or 0)
