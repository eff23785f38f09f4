--- What campaigns and measurements have in common: the files that the service and the workers write, and the end.

local file = require "spec.support.file"
local shell = require "spec.support.shell"

local stage = {}

--- Makes the folder of the files, which every user may write.
---@return string
function stage.make_files()
  local folder = shell "mktemp -d":match "%S+"
  shell("chmod 777 " .. folder)
  for _, name in ipairs { "starts", "polls", "workers", "handled", "problems" } do
    file.write(folder .. "/" .. name, "")
  end
  return folder
end

--- Ends the processes of a campaign or a measurement, and removes its files.
---@param self { workers: table[], connection: cekura.Redis, redis: table, service: table, files: string }
function stage.stop(self)
  for _, worker in ipairs(self.workers) do
    worker:stop()
  end
  self.connection:close()
  self.redis:stop "KILL"
  self.service:stop()
  shell("rm -rf " .. self.files)
end

return stage
