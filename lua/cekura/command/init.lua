--- The command `cekura-lua`: a placeholder.

local WORDS = {
  version = function() return "cekura-lua " .. require "cekura"._VERSION end,
  completion = function(shell) return "# completions of cekura-lua for " .. tostring(shell) end,
}

return function(arguments)
  local word = WORDS[arguments[1]]
  if not word then
    io.stderr:write("usage: cekura-lua version | completion bash|zsh|fish\n")
    return 2
  end
  print(word(arguments[2]))
  return 0
end
