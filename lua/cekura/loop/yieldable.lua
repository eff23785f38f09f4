--- Whether a coroutine can yield across pcall, metamethods and iterators: everywhere but in PUC Lua 5.1.
return _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil
