--- What the names of members, parameters and headers say about their values.

local ascii = require "cekura.http.ascii"

local names = {}

--- The words of a text as a set.
---@param text string
---@return table<string, true>
function names.set(text)
  local words = {}
  for word in text:gmatch "[^ ]+" do
    words[word] = true
  end
  return words
end

local SECRET = names.set("secret password passwd pwd passphrase passcode token apikey auth authorization credential "
  .. "cookie signature sig jwt bearer otp csrf xsrf cvv pin pincode dsn")

-- A key is secret by the word before it: an idempotency key and the key of a pair are not.
local KEYS = names.set("api access private public secret auth signing encryption encrypted subscription account "
  .. "shared license service master webhook ssh")

-- These say something about a secret, and do not hold it: api_key_configured, token_type.
local ABOUT = names.set("type name count length limit configured enabled required verified expires expiry expired "
  .. "expiration created updated changed usage used max min total cost at status format method algorithm mode "
  .. "present changes")

-- Their numbers are secret, too.
local NUMERIC = names.set "pin pincode passcode otp cvv password"

local PHONE = names.set("phone telephone mobile cellphone msisdn ani dnis whatsapp fax caller callee destination "
  .. "recipient")
local NUMBERED = names.set("agent customer inbound outbound contact from to called calling exclusive dialed dialled "
  .. "client")
local HOST = names.set "host hostname domain fqdn ip"

-- The headers of an object of headers that are kept.
local HARMLESS = names.set("accept accept-encoding accept-language cache-control connection content-disposition "
  .. "content-encoding content-language content-length content-type date etag expires host if-match "
  .. "if-modified-since if-none-match last-modified location pragma range retry-after transfer-encoding user-agent "
  .. "vary")

-- The words of a name, in lower case and without the "s" of a plural: "X-API-Keys", "apiKey", "api_key".
local function words_of(name)
  local words = {}
  name = name:gsub("([a-z0-9])([A-Z])", "%1 %2"):gsub("([A-Z])([A-Z][a-z])", "%1 %2")
  for word in ascii.lower(name):gmatch "[a-z0-9]+" do
    words[#words + 1] = #word > 3 and not word:find "ss$" and word:gsub("s$", "") or word
  end
  return words
end

local function is_secret(words)
  if ABOUT[words[#words]] then
    return false
  end
  for index, word in ipairs(words) do
    if SECRET[word] or word == "key" and KEYS[words[index - 1]] then
      return true
    end
  end
  return false
end

local function is_phone(words)
  local last = words[#words]
  if last == "id" or ABOUT[last] then
    return words[#words - 1] == "caller" and last == "id"
  elseif last == "number" and (#words == 1 or NUMBERED[words[#words - 1]]) then
    return true
  elseif #words == 1 and (last == "from" or last == "to") then
    return true
  end
  for _, word in ipairs(words) do
    if PHONE[word] then
      return true
    end
  end
  return false
end

-- The results by name: the same names come again and again.
local known, count = {}, 0

--- What a value of this name is: "secret", "phone", "host", "headers"; nil if the name says nothing.
---@param name string
---@return string?
function names.meaning(name)
  local meaning = known[name]
  if meaning == nil then
    local words = words_of(name)
    local last = words[#words]
    meaning = is_secret(words) and "secret" or is_phone(words) and "phone" or HOST[last] and "host"
      or last == "header" and "headers" or false
    if count < 10000 then -- names may be made up by the service
      known[name], count = meaning, count + 1
    end
  end
  return meaning or nil
end

--- Whether numbers of this name are secrets, too.
---@param name string
---@return boolean
function names.is_secret_number(name)
  local words = words_of(name)
  return NUMERIC[words[#words]] == true
end

--- Whether a header may be named and kept in an object of headers.
---@param name string
---@return boolean
function names.is_harmless_header(name)
  return HARMLESS[ascii.lower(name)] == true
end

return names
