--- Who waits: the choice of a loop.

local errors = require "cekura.errors"

local SHAPE = { "waiter", "park", "wake", "attach", "spawn", "sleep", "run", "step", "timeout" }

local NAMES = { own = "cekura.loop.own", luv = "cekura.loop.luv" }

-- A host is known by what only it gives a program, never by a module that merely is loaded: a script may have
-- loaded luv and never run its loop.
local function is_neovim()
  local vim = rawget(_G, "vim")
  return type(vim) == "table" and type(vim.schedule) == "function" and (vim.uv or vim.loop) ~= nil
end

local found

local function find_host()
  found = found or (is_neovim() and "luv" or "own")
  return found
end

--- The adapter of that name ("auto", "own", "luv"), or the table itself if it has an adapter's functions; see
-- cekura.loop.own for what they do. Raises for anything else.
---@param choice? string|table
---@return table
local function choose(choice)
  if choice == nil or choice == "auto" then
    choice = find_host()
  end
  if NAMES[choice] then
    return require(NAMES[choice])
  elseif type(choice) == "table" then
    for _, name in ipairs(SHAPE) do
      if type(choice[name]) ~= "function" then
        errors.misuse(("loop: the adapter has no function %s"):format(name))
      end
    end
    return choice
  end
  return errors.misuse(("loop: \"auto\", \"own\", \"luv\" or an adapter expected, got %s"):format(tostring(choice)))
end

return choose
