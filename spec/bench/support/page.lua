--- For sides whose answers are pages of call logs, which the environment's PAGE says: reads three fields of each call
-- log.
---@param text string
---@param decode fun(text: string): table
return function(text, decode)
  if os.getenv "PAGE" then
    for _, call in ipairs(decode(text).results) do
      assert(call.id and call.status and call.duration)
    end
  end
end
