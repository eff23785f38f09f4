--- The service of the fleet's proof: an nginx that writes a line for each start that it processes, and for each poll.
--
-- It keeps nothing in memory, so it may end at any time: the id of a job says when and how it ends. A job is described
-- by its prompt, "NUMBER SECONDS OUTCOME". The files are in a folder that outlives the service.

local nginx = require "spec.support.nginx"

local service = {}
service.__index = service

-- A start is processed, and written down, after 0 to DELAY seconds, and answered after 0 to DELAY more.
local BLOCK = [[
  keepalive_requests 1000000000;
  keepalive_timeout 300;
  default_type application/json;
  init_worker_by_lua_block {
    local starts, polls = assert(io.open("@FILES@/starts", "a")), assert(io.open("@FILES@/polls", "a"))
    local function write(to, line)
      to:write(line, "\n")
      to:flush()
    end
    package.loaded.service = {
      start = function()
        ngx.req.read_body()
        local number, seconds, how = ngx.req.get_body_data():match '"prompt":"(%d+) ([%d.]+) (%a+)"'
        ngx.sleep(@DELAY@ * math.random())
        ngx.update_time()
        write(starts, ("%s %.3f"):format(number, ngx.now()))
        ngx.sleep(@DELAY@ * math.random())
        ngx.print(('{"progress_id":"%s_%.3f_%s"}'):format(number, ngx.now() + seconds, how))
      end,
      poll = function()
        local number, ends, how = ngx.var.arg_progress_id:match "(%d+)_([%d.]+)_(%a+)"
        write(polls, ("%s %.3f"):format(number, ngx.now()))
        if ngx.now() < tonumber(ends) then
          ngx.print '{"status":"processing","output":null,"error":null}'
        elseif how == "failed" then
          ngx.print '{"status":"failed","output":null,"error":"the model has failed"}'
        else
          ngx.print(('{"status":"completed","output":{"improved_prompt":"better %s","summary_of_changes":"all"},'
            .. '"error":null}'):format(number))
        end
      end,
    }
  }
  server {
    listen 127.0.0.1:@PORT@ backlog=4096;
    location ~ improve_prompt_bg/$ { content_by_lua_block { require("service").start() } }
    location ~ improve_prompt_progress/$ { content_by_lua_block { require("service").poll() } }
  }
]]

--- Starts one.
---@param files string a folder, for the files "starts" and "polls"
---@param delay number seconds
---@return table service url, nginx
function service.start(files, delay)
  local config = nginx.config((BLOCK:gsub("@(%u+)@", { FILES = files, DELAY = delay })))
  local self = setmetatable({ config = config }, service)
  self:go_on()
  return self
end

--- Ends it, as a crash would: connections are cut.
function service:go_away()
  self.nginx:stop()
end

--- Starts it again, on the same port.
function service:go_on()
  self.nginx = nginx.start(self.config, nil, self.port)
  self.port, self.url = self.nginx.port, self.nginx.url
end

service.stop = service.go_away

return service
