--- Secrets in texts: those that are known, in every spelling that a text may give them, and those that look like one.

local ascii = require "cekura.http.ascii"
local names = require "cekura.testing.redact.names"
local uri = require "cekura.http.uri"

local secrets = {}

--- What stands in for each secret.
secrets.STAND_IN = "REDACTED"

-- ---- spellings ----

secrets.ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- The text in base64, with "=" at its end.
---@param text string
---@return string
function secrets.base64(text)
  local coded = text:gsub("..?.?", function(bytes)
    local a, b, c = bytes:byte(1, 3)
    local number, four = a * 65536 + (b or 0) * 256 + (c or 0), ""
    for shift = 3, 0, -1 do
      local digit = math.floor(number / 64 ^ shift) % 64
      four = four .. secrets.ALPHABET:sub(digit + 1, digit + 1)
    end
    return four:sub(1, #bytes + 1) .. ("="):rep(3 - #bytes)
  end)
  return coded
end

-- What base64 makes of a secret somewhere in a longer text, by its place modulo three: without the characters that its
-- neighbours have a part in.
local function within_base64(secret, add)
  for place = 0, 2 do
    local coded = secrets.base64(("\0"):rep(place) .. secret):gsub("=", "")
    local first = place == 0 and 1 or place + 2
    local last = #coded - ((place + #secret) % 3 == 0 and 0 or 1)
    add(coded:sub(first, last))
    add((coded:sub(first, last):gsub("[+/]", { ["+"] = "-", ["/"] = "_" })))
  end
end

local function in_json(char)
  return ("\\u%04x"):format(char:byte())
end

--- The texts by which a secret may appear, the longest first.
---@param secret string
---@return string[]
function secrets.spellings(secret)
  local list, known = {}, {}
  local function add(text)
    if text ~= "" and not known[text] then
      known[text], list[#list + 1] = true, text
    end
  end
  add(secret)
  add(uri.encode(secret))
  add((uri.encode(secret):gsub("%%%x%x", ascii.lower)))
  add((secret:gsub(".", { [" "] = "+" })))
  add((secret:gsub('[\\"]', "\\%0")))
  add((secret:gsub("[^A-Za-z0-9 !#-.:;=?@%[%]^-`{|}~]", in_json)))
  add((secret:gsub("[&<>\"']", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" })))
  if #secret >= 6 then
    within_base64(secret, add)
  end
  table.sort(list, function(a, b)
    return #a > #b or #a == #b and a < b
  end)
  return list
end

--- Replaces each of these texts.
---@param text string
---@param spellings string[]
---@return string
function secrets.remove(text, spellings)
  for _, spelling in ipairs(spellings) do
    if text:find(spelling, 1, true) then
      text = text:gsub(spelling:gsub("%p", "%%%0"), secrets.STAND_IN)
    end
  end
  return text
end

--- Whether a secret that was found under its name is worth finding elsewhere: a common word is not.
---@param value string
---@return boolean
function secrets.is_distinctive(value)
  return value ~= secrets.STAND_IN and #value >= 8 and not value:find "[ \t\r\n]"
    and (#value >= 20 or value:find "[0-9]" ~= nil)
end

-- ---- shapes ----

local TOKEN = "[A-Za-z0-9_-]"

-- Each begins a token; at least 16 more characters follow.
local PREFIXES = {
  "sk%-", "sk_live_", "sk_test_", "rk_live_", "pk_live_", "xox[a-z]%-", "gh[a-z]_", "github_pat_", "glpat%-", "AKIA",
  "ASIA", "AIza", "hf_", "SG%.", "whsec_",
}

local LONG = TOKEN:rep(16)

local function bearer(scheme, blanks, token)
  if #token >= 16 or #token >= 8 and token:find "[0-9]" then
    return scheme .. blanks .. secrets.STAND_IN
  end
end

-- Base64 has small and capital letters, which no English word has in this place.
local function basic(scheme, blanks, token)
  if #token >= 8 and token:find "[a-z][A-Z]" then
    return scheme .. blanks .. secrets.STAND_IN
  end
end

local BEGIN, END = "%-%-%-%-%-BEGIN [A-Z ]*PRIVATE KEY%-%-%-%-%-", "%-%-%-%-%-END [A-Z ]*PRIVATE KEY%-%-%-%-%-"

local function without_pem(text)
  local first, last = text:find(BEGIN)
  local _, stop = text:find(END, last)
  while first and stop do
    text = text:sub(1, first - 1) .. secrets.STAND_IN .. text:sub(stop + 1)
    first, last = text:find(BEGIN, first)
    _, stop = text:find(END, last)
  end
  return text
end

local function shaped(text)
  text = without_pem(text)
  text = text:gsub("%f[A-Za-z]([Bb]earer)( +)([A-Za-z0-9._~+/=-]+)", bearer)
  text = text:gsub("%f[A-Za-z]([Bb]asic)( +)([A-Za-z0-9+/]+=*)", basic)
  text = text:gsub("%f[A-Za-z0-9_-]eyJ" .. TOKEN .. "+%." .. TOKEN .. "+%.?" .. TOKEN .. "*", secrets.STAND_IN)
  for _, prefix in ipairs(text:find(LONG) and PREFIXES or {}) do
    text = text:gsub("%f[A-Za-z0-9_-]" .. prefix .. TOKEN:rep(16) .. TOKEN .. "*", secrets.STAND_IN)
  end
  return text
end

-- ---- assignments ----

-- The whole line is the value of these headers.
local LINES = {}
for index, name in ipairs { "authorization", "cookie", "set-cookie", "proxy-authorization" } do
  local any_case = name:gsub("[a-z]", function(letter)
    return "[" .. ascii.upper(letter) .. letter .. "]"
  end):gsub("%-", "%%-")
  LINES[index] = "%f[A-Za-z-](" .. any_case .. ": *)[^\r\n\"']+"
end

local PLAIN = names.set "true false null none None nil"

local function is_plain(name, value)
  value = value:gsub("[.!?)%]}]$", "")
  return PLAIN[value] or #value < 8 and value:find "^[0-9]+$" and not names.is_secret_number(name)
end

local NAME = "%f[A-Za-z0-9_-]([A-Za-z][A-Za-z0-9_-]*)[\"']? *[:=] *[\"']?()"

local function assignments(text, found)
  if not text:find "[:=]" then
    return text
  end
  for _, line in ipairs(LINES) do
    text = text:gsub(line, "%1" .. secrets.STAND_IN)
  end
  local parts, copied = {}, 1
  local _, _, name, at = text:find(NAME)
  while name do
    local value, after
    if names.meaning(name) == "secret" then
      value, after = text:match("^([^ \t\r\n\"'&,;<>]+)()", at)
    end
    if value and not is_plain(name, value) then
      found(value)
      parts[#parts + 1] = text:sub(copied, at - 1) .. secrets.STAND_IN
      copied, at = after, after
    end
    _, _, name, at = text:find(NAME, at)
  end
  return table.concat(parts) .. text:sub(copied)
end

-- Headers of a service's own whose name is its secret, too.
local function without_names(text)
  return (text:gsub("%f[A-Za-z0-9_-][Xx]%-[A-Za-z0-9-]+", function(name)
    local is_public = ascii.lower(name):find "^x%-amz%-" or ascii.lower(name):find "^x%-goog%-" -- of signed URLs
    return not is_public and names.meaning(name) == "secret" and "X-Redacted" or nil
  end))
end

--- Removes what looks like a secret: tokens of well-known services, keys of PEM, and `name: value` and `name=value`
--- where the name says that the value is secret.
---@param text string
---@param found fun(secret: string) gets the values of such names
---@return string
function secrets.remove_shapes(text, found)
  return without_names(assignments(shaped(text), found))
end

return secrets
