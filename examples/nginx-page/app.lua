--- The routes of nginx.conf in this folder.

local cekura = require "cekura"
local cjson = require "cjson.safe"
local pages = require "pages"
local progress = require "progress"

local app = {}

-- Each worker has a client, made by the first request that needs it.
local client

local function the_client()
  client = client or cekura.assert(cekura.new())
  return client
end

local function send(status, page)
  ngx.status = status
  ngx.header.content_type = "text/html; charset=utf-8"
  ngx.print(page)
end

function app.nothing()
  send(404, pages.message("Not found", "There is no such page, or no such job any more."))
end

-- Whether the request comes from a page of this server. Browsers say so, and no page can make them say anything else.
-- Older browsers, and all where the page comes by http from another host, send the origin only.
local function is_from_here()
  local site = ngx.var.http_sec_fetch_site
  if site then
    return site == "same-origin"
  end
  return ngx.var.http_origin == ngx.var.scheme .. "://" .. ngx.var.http_host
end

local function refuse()
  send(403, pages.message("Refused", "Only the pages of this server may do this."))
end

-- ---- the list of calls ----

local FIELDS = { "id", "call_id", "status", "topic", "timestamp", "duration" }

-- `given` is what the form has sent. If it cannot be used, `problem` is the reason, perhaps with an error.
local function show_calls(status, given, problem, err)
  local page, list_err = the_client().calls:list { agent_id = given.agent_id, fields = FIELDS }
  if not page and not problem then
    ngx.log(ngx.WARN, tostring(list_err))
    status, problem, err = 502, "The calls cannot be listed. " .. pages.explain(list_err), list_err
  end
  send(status, pages.calls {
    calls = page and page.results, jobs = progress.list(), given = given, problem = problem, error = err,
  })
end

local function number(value)
  return type(value) == "string" and value:match "^[1-9]%d*$" or nil
end

function app.calls()
  show_calls(200, { agent_id = number(ngx.var.arg_agent_id), call_logs = {}, prompt = "" })
end

-- ---- jobs ----

-- What the form holds. A value is a string, or a list of several; text areas send lines that end with CR LF.
local function read_form()
  ngx.req.read_body()
  local sent = ngx.req.get_post_args(0) -- all, not only the first 100: the prompt comes after the calls
  local given = { agent_id = number(sent.agent_id), call_logs = {}, prompt = "" }
  given.form = type(sent.form) == "string" and sent.form:match "^%x+$" or ngx.var.request_id
  for _, id in ipairs(type(sent.call_logs) == "table" and sent.call_logs or { sent.call_logs }) do
    given.call_logs[#given.call_logs + 1] = number(id)
  end
  if type(sent.prompt) == "string" then
    given.prompt = sent.prompt:gsub("\r\n", "\n")
  end
  return given
end

-- Starts the job. Returns its id, or the status and the problem to show, perhaps with an error.
local function start(given)
  -- A text that is not UTF-8 raises, as a mistake of the program. Here it is one of what has sent the form.
  local ok, job, err = pcall(function()
    return the_client().calls:improve_prompt {
      agent_id = given.agent_id, call_logs = given.call_logs, prompt = given.prompt,
    }
  end)
  if not ok then
    return nil, 400, "This form cannot be sent. " .. job:gsub("^.-:%d+: ", "")
  elseif not job then
    ngx.log(ngx.WARN, tostring(err))
    return nil, 502, pages.explain(err), err
  end
  return progress.add(job, given.prompt, (#given.call_logs == 1 and "call " or "calls ")
    .. table.concat(given.call_logs, ", "))
end

function app.start()
  if not is_from_here() then
    return refuse()
  end
  local given = read_form()
  if #given.call_logs == 0 then
    return show_calls(400, given, "Choose at least one call.")
  elseif not given.prompt:find "%S" then
    return show_calls(400, given, "Enter the prompt.")
  end
  ngx.on_abort(function() end) -- once it is sent, a start goes on, also when the browser goes away
  local id, status, problem, err = progress.claim(given.form), 409, "This form was sent before, and started no job."
  if id == nil then
    id, status, problem, err = start(given)
    progress.settle(given.form, id)
  end
  if not id then
    return show_calls(status, given, problem, err)
  end
  ngx.redirect("/jobs/" .. id, 303) -- to reload that page does not send the form again
end

function app.job(id)
  local state = progress.state(id)
  if not state then
    app.nothing()
  elseif ngx.req.get_method() ~= "POST" then
    send(200, pages.job(state, progress.outcome(id)))
  elseif not is_from_here() then
    refuse()
  else -- the button "Wait longer"
    progress.wait_again(state)
    ngx.redirect("/jobs/" .. id, 303)
  end
end

--- The states of a job as server-sent events. A browser that has lost the connection comes back with the version that
-- it has seen last.
function app.events(id)
  local state, seen = progress.state(id), ngx.var.http_last_event_id
  if not state then
    return app.nothing()
  elseif state.over and seen == tostring(state.version) then
    return ngx.exit(204) -- the browser stops coming back
  end
  ngx.header.content_type = "text/event-stream"
  ngx.header.x_accel_buffering = "no" -- another nginx before this one passes events on as they come
  ngx.print "retry: 1000\n\n"
  ngx.flush(true)
  progress.stream(id, seen, function(changed)
    ngx.print(changed and ("id: %d\ndata: %s\n\n"):format(changed.version, cjson.encode(pages.event(changed)))
      or ": still here\n\n")
    return ngx.flush(true)
  end)
end

-- ---- files ----

-- Read when nginx starts, as this file is, so that the workers' user need not be able to.
local files = {}

for _, name in ipairs { "page.css", "page.js" } do
  local file = assert(io.open(ngx.config.prefix() .. name, "rb"))
  files[name] = file:read "*a"
  file:close()
end

function app.file(name, content_type)
  ngx.header.content_type = content_type .. "; charset=utf-8"
  ngx.print(files[name])
end

return app
