--- Pages in headless Chromium: spec/browser/judge.js, which looks at files, and spec/browser/drive.js, which does what
-- it is told. Node runs them with the packages of spec/browser/package-lock.json.

local cekura = require "cekura"
local core = require "cekura.core"
local npm = require "spec.support.npm"
local patience = require "spec.support.patience"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local FOLDER = "build/browser"

local browser = {}

--- Installs the packages, once.
function browser.install()
  npm.install("spec/browser", FOLDER)
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

-- ---- a browser by remote control ----

local Page = {}
Page.__index = Page

local Driver = {}
Driver.__index = Driver

--- Starts a browser. Its pages wait in tasks, as all requests do.
---@return table driver
function browser.start()
  browser.install()
  local port, here = process.free_port(), shell("pwd"):match "[^\n]+"
  local program = process.start(("NODE_PATH=%s/%s/node_modules node %s/spec/browser/drive.js %d"):format(
    here, FOLDER, here, port), function()
    return process.listens(port)
  end)
  local client = cekura.assert(cekura.new { api_key = "none", base_url = "http://127.0.0.1:" .. port,
    config_file = false, retries = 0, timeout = 120 })
  return setmetatable({ program = program, client = client, opened = 0 }, Driver)
end

--- Opens a page that has its own cookies, cache and connections.
---@param url string
---@param options? { width: integer, scheme: "light"|"dark", script: boolean }
---@return table page
function Driver:open(url, options)
  self.opened = self.opened + 1
  local page = setmetatable({ driver = self, name = tostring(self.opened) }, Page)
  local order = { url = url }
  for name, value in pairs(options or {}) do
    order[name] = value
  end
  page("open", order)
  return page
end

function Driver:stop()
  self.client:close()
  self.program:stop()
end

--- A deed of spec/browser/drive.js.
---@param deed string
---@param order? table
---@return any
function Page:__call(deed, order)
  order = order or {}
  order.deed, order.page = deed, self.name
  local response, err = self.driver.client:request("POST", "/", { body = order })
  assert(response, err and err.response and err.response.body or tostring(err))
  return response:json().value
end

--- The value of an expression in JavaScript.
function Page:run(code)
  return self("run", { code = code })
end

--- Waits in a task until an expression in JavaScript is true.
function Page:wait_for(code)
  patience.eventually(function() return self:run("!!(" .. code .. ")") end)
end

return browser
