--- The Lua blocks of docs/redis.md run with a real Redis server, and print what the page shows.

local file = require "spec.support.file"
local pages = require "spec.support.pages"
local redis_server = require "spec.support.redis_server"
local shell = require "spec.support.shell"
local shown = require "spec.support.shown"

local lua = os.getenv "CEKURA_LUA" or "lua5.4"
local HERE = shell "pwd":match "[^\n]+"

describe("a block", function()
  local server

  before_each(function()
    server = redis_server.start()
  end)

  after_each(function()
    server:stop "KILL"
  end)

  for _, block in ipairs(pages.of "spec/redis/redis_pages_spec.lua") do
    it(("at line %d of %s runs, and prints what is shown"):format(block.line, block.page), function()
      local paths = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/%s/?.so;;'"):format(HERE, HERE,
        HERE, lua)
      local command = ("%s REDIS_URL=%s %s block.lua"):format(paths, server.url, lua)
      local output, fault = shown.run(command, block.output, function(dir)
        file.write(dir .. "/block.lua", block.code)
      end)
      assert.is_nil(fault, fault and fault .. ":\n" .. output)
    end)
  end
end)
