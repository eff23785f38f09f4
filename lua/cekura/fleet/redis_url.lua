--- URLs of Redis servers.

local uri = require "cekura.http.uri"

local redis_url = {}

---@class cekura.fleet.RedisAddress the options of native.connect(), and what else a URL says
---@field host? string without it, `path` is that of a Unix socket
---@field path? string
---@field port? integer
---@field secure? boolean with TLS
---@field user? string
---@field password? string
---@field database integer
---@field where string the URL without the login, for messages
---@field master? string the name that the sentinels know the server by; then it has no host
---@field sentinels? cekura.fleet.RedisAddress[]

local PORT, SENTINEL_PORT = 6379, 26379

-- host, host:port, [address] or [address]:port; nil and what is wrong with it.
local function read_host(text, default_port)
  local host, port = text:match "^%[([^%[%]]*)%](.*)$"
  if not host then
    host, port = text:match "^([^:]*)(.*)$"
  end
  local number = port == "" and default_port or tonumber(port:match "^:(%d+)$")
  if not number then
    return nil, "the port is not a number"
  elseif number < 1 or number > 65535 then
    return nil, "the port is not between 1 and 65535"
  end
  return { host = host ~= "" and host or "localhost", port = number }
end

local function shown_host(address)
  return (address.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(address.host, address.port)
end

-- Takes [user]:password@ from the start of the text. Returns the rest; nil and what is wrong with it.
local function read_login(made, text)
  local login, rest = text:match "^(.*)@([^@]*)$"
  if not login then
    return text
  end
  local user, password = login:match "^([^:]*):(.*)$"
  if not user then
    return nil, "what precedes the @ is not user:password"
  end
  made.user = user ~= "" and uri.decode(user) or nil
  made.password = uri.decode(password)
  return rest
end

local function read_database(made, text)
  if text ~= "" and not text:find "^%d+$" then
    return "the database is not a number"
  end
  made.database = tonumber(text) or 0
end

-- Each reader sets the fields of `made` by what follows "://", and returns what is wrong with that; nil: nothing.
local read = {}

function read.redis(made, text)
  local rest, fault = read_login(made, (text:gsub("[?#].*", "")))
  if not rest then
    return fault
  end
  local authority, database = rest:match "^([^/]*)/?(.*)$"
  local address
  address, fault = read_host(authority, PORT)
  if not address then
    return fault
  end
  made.host, made.port = address.host, address.port
  made.where = ("%s://%s"):format(made.secure and "rediss" or "redis", shown_host(address))
  return read_database(made, database)
end

function read.rediss(made, text)
  made.secure = true
  return read.redis(made, text)
end

function read.unix(made, text)
  made.password = text:match "^:([^@/]*)@"
  made.password = made.password and uri.decode(made.password)
  local query
  made.path, query = text:gsub("^:[^@/]*@", ""):match "^(/[^?]*)(.*)$"
  if not made.path then
    return "the path of the socket does not begin with a slash"
  end
  made.where = "unix://" .. made.path
  return read_database(made, query:match "[?&]db=([^&]*)" or "")
end

read["redis+unix"] = read.unix

read["redis+sentinel"] = function(made, text)
  local rest, fault = read_login(made, text)
  if not rest then
    return fault
  end
  local hosts, master, database = rest:match "^([^/]*)/([^/]+)/?(.*)$"
  if not hosts then
    return "the name of the master is missing: redis+sentinel://host:port,host:port/MASTER"
  end
  made.master, made.sentinels, made.where = master, {}, ("redis+sentinel://%s/%s"):format(hosts, master)
  for each in hosts:gmatch "[^,]+" do
    local address
    address, fault = read_host(each, SENTINEL_PORT)
    if not address then
      return fault
    end
    address.database, address.where = 0, "sentinel " .. shown_host(address)
    made.sentinels[#made.sentinels + 1] = address
  end
  return read_database(made, database)
end

--- Reads a URL. No message contains it, since it may have a password.
---@param url string
---@return cekura.fleet.RedisAddress? address, string? fault
function redis_url.read(url)
  local scheme, rest = url:match "^([%w+]+)://(.*)$"
  if not read[scheme] then
    return nil, "a URL redis://host:port/database or unix:///path is expected"
  end
  local made = {}
  local fault = read[scheme](made, rest)
  return not fault and made or nil, fault
end

return redis_url
