--- Takes out of an exchange with a service what must not be kept: secrets, hosts, phone numbers, e-mail addresses.
--
-- A redactor is applied to the decoded values, so that JSON stays JSON and numbers keep their text. What it has
-- changed, it does not change again. Equal values get equal stand-ins.

local ascii = require "cekura.http.ascii"
local core = require "cekura.core"
local json_text = require "cekura.testing.json_text"
local names = require "cekura.testing.redact.names"
local phones = require "cekura.testing.redact.phones"
local secrets = require "cekura.testing.redact.secrets"
local stand_ins = require "cekura.testing.redact.stand_ins"
local uri = require "cekura.http.uri"
local urls = require "cekura.testing.redact.urls"

local STAND_IN = secrets.STAND_IN

---@class cekura.testing.Redactor
---@field private replace cekura.testing.Replace
---@field private spellings string[] of all known secrets
---@field private known table<string, true> all known secrets
---@field private hosts table<string, true> those seen so far, in lower case
---@field private own? fun(text: string): string
---@field private services string[] URLs of the service
---@field private service_host? string
local Redactor = {}
Redactor.__index = Redactor

local redact = { STAND_IN = STAND_IN }

---@class cekura.testing.RedactorOptions
---@field replace cekura.testing.Replace
---@field own? fun(text: string): string the program's own function for each text, before the others

--- A redactor.
---@param options cekura.testing.RedactorOptions
---@return cekura.testing.Redactor
function redact.new(options)
  return setmetatable({ replace = options.replace, own = options.own, spellings = {}, known = {}, hosts = {},
    services = {} }, Redactor)
end

-- ---- what is known ----

--- Adds a secret, which is taken out wherever it appears from now on.
---@param secret string
function Redactor:add_secret(secret)
  if secret == "" or self.known[secret] then
    return
  end
  self.known[secret] = true
  for _, spelling in ipairs(secrets.spellings(secret)) do
    self.spellings[#self.spellings + 1] = spelling
  end
  table.sort(self.spellings, function(a, b)
    return #a > #b or #a == #b and a < b
  end)
end

-- A value whose name says that it is secret.
function Redactor:secret(value)
  if secrets.is_distinctive(value) then
    self:add_secret(value)
  end
  return value == "" and "" or STAND_IN
end

--- Adds a host, so that it is found without a URL around it.
---@param host string
---@return string stand_in
function Redactor:host(host)
  local lower = ascii.lower(host)
  if lower:find "[.:0-9-]" then -- another word may be one of the text
    self.hosts[lower] = true
  end
  return lower == self.service_host and stand_ins.SERVICE or self.replace("host", lower)
end

--- Adds a URL of the service.
---@param url string without "/" at its end
function Redactor:add_service(url)
  self.services[#self.services + 1] = url
end

--- Adds the host of the service's URL, which has a stand-in of its own.
---@param url string
function Redactor:add_host_of_service(url)
  local host = ascii.lower(urls.split(url:match "^[^:]*://(.*)$"))
  self.hosts[host], self.service_host = true, host
end

-- ---- texts ----

local TOP_LEVEL = names.set "com net org io ai dev app cloud tech edu gov info biz local internal lan corp invalid"

local function is_address(text)
  local count = 0
  for number in text:gmatch "[^.]+" do
    count = count + (number:find "^[0-9][0-9]?[0-9]?$" and tonumber(number) < 256 and 1 or 5)
  end
  return count == 4 and select(2, text:gsub("%.", "")) == 3
end

local function is_host(text)
  if text:find("..", 1, true) then
    return false
  end
  return TOP_LEVEL[text:match "%.([a-z]+)$" or ""] or is_address(text)
end

-- Hosts without a URL around them.
function Redactor:bare_hosts(text)
  if not text:find "[.-]" and not next(self.hosts) then
    return text
  end
  return (text:gsub("()([A-Za-z0-9][A-Za-z0-9.-]*)", function(at, word)
    local before = text:sub(at - 1, at - 1)
    if at > 1 and before:find "[@/_%%]" then
      return nil
    end
    local host = word:match "^.*[^.-]"
    if self.hosts[ascii.lower(host)] or is_host(host) then
      return self:host(host) .. word:sub(#host + 1)
    end
  end))
end

local LONGEST_USER = 64

function Redactor:emails(text)
  local parts, copied = {}, 1
  local at = text:find("@", 1, true)
  while at do
    local user = text:sub(math.max(copied, at - LONGEST_USER), at - 1):match "[A-Za-z0-9\128-\255._%%+-]+$"
    local domain = user and (text:match("^[A-Za-z0-9][A-Za-z0-9.-]*", at + 1) or ""):match "^.*[^.-]"
    if domain and (domain:find "%.[A-Za-z]" or is_address(domain)) then
      parts[#parts + 1] = text:sub(copied, at - #user - 1) .. self.replace("email", user .. "@" .. domain)
      copied = at + #domain + 1
    end
    at = text:find("@", at + 1, true)
  end
  return table.concat(parts) .. text:sub(copied)
end

function Redactor:phones(text)
  return phones.replace(text, function(number)
    return self.replace("phone", number)
  end)
end

function Redactor:known_secrets(text)
  return secrets.remove(self.own and self.own(text) or text, self.spellings)
end

--- Any text.
---@param text string
---@return string
function Redactor:text(text)
  text = self:known_secrets(text)
  text = urls.replace(text, function(scheme, rest)
    return self:url(scheme, rest)
  end)
  text = secrets.remove_shapes(text, function(secret)
    self:secret(secret)
  end)
  return self:bare_hosts(self:phones(self:emails(text)))
end

-- ---- URLs ----

function Redactor:url(scheme, rest)
  local host, port, path = urls.split(rest)
  for _, service in ipairs(self.services) do
    local behind = urls.behind(scheme .. rest, service)
    if behind then
      return stand_ins.SERVICE_URL .. self:path(behind)
    end
  end
  if host then
    return scheme .. self:host(host) .. port .. self:path(path)
  end
end

local SIGNED = names.set "sig signature x-amz-signature x-goog-signature"

local function is_signed(list)
  for _, pair in ipairs(list) do
    if SIGNED[ascii.lower(pair.name)] then
      return true
    end
  end
  return false
end

-- Encoded again only if it has changed: what came stays as it came.
local function encoded(old, new, text)
  return old == new and text or uri.encode(new)
end

--- A query, or a form: `a=1&b=2`. Of a signed URL all values go.
---@param query string
---@return string
function Redactor:query(query)
  local list, parts = urls.pairs(query), {}
  local signed = is_signed(list)
  for index, pair in ipairs(list) do
    local name, value = pair.text:match "^([^=]*)=(.*)$"
    if not name then
      parts[index] = encoded(pair.name, self:text(pair.name), pair.text)
    elseif signed or pair.name == "key" then
      parts[index] = name .. "=" .. self:secret(pair.value)
    else
      parts[index] = name .. "=" .. encoded(pair.value, self:value(pair.name, pair.value), value)
    end
  end
  return table.concat(parts, "&")
end

--- A path with its query and fragment.
---@param path string
---@return string
function Redactor:path(path)
  local bare, query, fragment = urls.parts(path)
  local before = ""
  bare = bare:gsub("[^/]+", function(segment)
    local decoded = uri.decode(segment)
    local is_number = #decoded >= 10 and names.meaning(before) == "phone" -- a shorter one is an id
    before = decoded
    return encoded(decoded, is_number and self:value("phone", decoded) or self:text(decoded), segment)
  end)
  return bare .. (query and "?" .. self:query(query) or "") .. (fragment and "#" .. self:query(fragment) or "")
end

-- ---- values with names ----

--- A text, by its name.
---@param name string of the member, parameter or field
---@param value string
---@return string
function Redactor:value(name, value)
  local meaning = names.meaning(name)
  if meaning == "secret" then
    return self:secret(value)
  end
  local number = meaning == "phone" and phones.whole(value)
  if number then
    local stand_in = self.replace("phone", number)
    return stand_in:find "^[0-9]+$" and phones.spelt(stand_in, value) or stand_in
  elseif meaning == "host" and value:find "^[A-Za-z0-9][A-Za-z0-9.-]*[.-][A-Za-z0-9-]+$" then
    return self:host(value)
  end
  return self:text(value)
end

-- The text of a number.
function Redactor:number(name, meaning, text)
  if meaning == "secret" and names.is_secret_number(name) then
    return "0"
  elseif meaning == "phone" and text:find "^[1-9][0-9]+$" and #text >= 10 and phones.whole(text) then
    local stand_in = self.replace("phone", phones.canonical(text))
    return not stand_in:find "^[0-9]+$" and json_text.quote(stand_in)
      or #text == 10 and stand_in:sub(2) or stand_in
  end
  return text
end

-- ---- JSON ----

-- A text that is itself JSON, as some services nest it.
function Redactor:nested(text)
  local tree = text:find "^%s*[%[{]" and json_text.read(text)
  return tree and json_text.write(self:tree(tree))
end

function Redactor:scalar(name, meaning, node)
  local text = json_text.string(node)
  if not text then
    return json_text.is_number(node) and self:number(name, meaning, node) or node
  end
  local changed
  if meaning == "secret" then
    changed = self:secret(text)
  else
    changed = self:nested(text) or self:value(name, text)
  end
  return changed == text and node or json_text.quote(changed)
end

local PAIR_NAMES = { name = true, key = true, header = true }

-- The name of an object that is a pair, such as {"name": "X-Secret", "value": "…"}; nil: it is none.
local function pair_name(object)
  local found, has_value
  for index, text in ipairs(object.names) do
    local name = json_text.string(text)
    found = PAIR_NAMES[name] and json_text.string(object[index]) or found
    has_value = has_value or name == "value"
  end
  return has_value and found or nil
end

-- An object of headers: its names may be secrets, too, by which a service knows its callers.
function Redactor:headers(object)
  local copy, count = { names = {} }, 0
  for index, text in ipairs(object.names) do
    local name = json_text.string(text)
    if names.is_harmless_header(name) then
      copy.names[index], copy[index] = text, self:tree(object[index], name)
    else
      count = count + 1
      copy.names[index] = json_text.quote(("X-Redacted-%d"):format(count))
      copy[index] = self:tree(object[index], "secret")
    end
  end
  return copy
end

-- A pair of which the value is secret; in a list of headers, its name as well.
function Redactor:pair(object, of_headers)
  local copy = { names = object.names }
  for index, text in ipairs(object.names) do
    local name = json_text.string(text)
    if of_headers and PAIR_NAMES[name] then
      copy[index] = json_text.quote "X-Redacted"
    else
      copy[index] = self:tree(object[index], name == "value" and "secret" or name)
    end
  end
  return copy
end

-- The name of a member, in an object whose members are named by what they are about.
function Redactor:name(text)
  local name = json_text.string(text)
  local shown = name:find "[^A-Za-z0-9_]" and self:text(name) or self:known_secrets(name)
  return shown == name and text or json_text.quote(shown)
end

function Redactor:object(object, meaning)
  local pair, of_headers = pair_name(object), meaning == "headers"
  if pair and (names.meaning(pair) == "secret" or of_headers and not names.is_harmless_header(pair)) then
    return self:pair(object, of_headers)
  elseif of_headers and not pair then
    return self:headers(object)
  end
  local copy = { names = {} }
  for index, text in ipairs(object.names) do
    copy.names[index] = self:name(text)
    copy[index] = self:tree(object[index], meaning == "secret" and "secret" or json_text.string(text))
  end
  return copy
end

--- A tree of JSON, see cekura.testing.json_text.
---@param node string|table
---@param name? string of the member that it is the value of
---@return string|table
function Redactor:tree(node, name)
  name = name or ""
  local meaning = names.meaning(name)
  if type(node) == "string" then
    return self:scalar(name, meaning, node)
  elseif node.names then
    return self:object(node, meaning)
  end
  local copy = {}
  for index, item in ipairs(node) do
    copy[index] = self:tree(item, name)
  end
  return copy
end

--- The program's own function, which string.dump() has made a text.
---@param dumped? string
---@return (fun(text: string): string)?
function redact.load(dumped)
  return dumped and assert((loadstring or load)(dumped)) -- luacheck: ignore 113
end

--- Whether a body can be redacted as text.
---@param body string
---@return boolean
function redact.is_text(body)
  return core.is_utf8(body) and not body:find "%z"
end

return redact
