--- Packages of Node, as a package-lock.json names them.

local shell = require "spec.support.shell"

local npm = {}

--- Installs packages, unless they are there. Several specs may ask for the same ones at a time.
---@param source string the folder of package.json and package-lock.json
---@param folder string where node_modules is made
function npm.install(source, folder)
  local output, status = shell((([[(
    mkdir -p FOLDER && exec 9>FOLDER/.lock && flock 9 || exit 1
    cmp -s SOURCE/package-lock.json FOLDER/node_modules/.installed && exit 0
    cp SOURCE/package.json SOURCE/package-lock.json FOLDER && cd FOLDER || exit 1
    npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed
  )]]):gsub("%u%u%u+", { SOURCE = source, FOLDER = folder })))
  assert(status == 0, output)
end

return npm
