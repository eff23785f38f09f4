--- Pages in headless Chromium: spec/browser/judge.js, run by Node with the packages of spec/browser/package-lock.json.

local core = require "cekura.core"
local shell = require "spec.support.shell"

local FOLDER = "build/browser"

local browser = {}

--- Installs the packages, once.
function browser.install()
  local output, status = shell(([[
    mkdir -p %s && cp spec/browser/package.json spec/browser/package-lock.json %s && cd %s || exit 1
    [ package-lock.json -ot node_modules/.installed ] && exit 0
    npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed
  ]]):format(FOLDER, FOLDER, FOLDER))
  assert(status == 0, output)
end

--- What spec/browser/judge.js finds.
---@param arguments string
---@return any
function browser.run(arguments)
  local command = "NODE_PATH=%s/node_modules node spec/browser/judge.js %s 2>&1"
  local output, status = shell(command:format(FOLDER, arguments))
  assert(status == 0, output)
  return assert(core.decode((output:match "([^\n]*)\n$")))
end

return browser
