-- The module in real nginx processes, on their LuaJIT.

local cekura = require "cekura"
local descriptors = require "spec.support.descriptors"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local patience = require "spec.support.patience"
local simulator = require "spec.support.simulator"
local webhook_cases = require "spec.support.webhook_cases"

if (os.getenv "CEKURA_LUA" or "lua5.4") ~= "luajit" then
  return
end

local START = "/observability/v1/call-logs/improve_prompt_bg/"
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"

-- A module `app` with one client for each worker.
local APP = [[
local cekura = require "cekura"
local app, client = {}, nil
function app.client()
  client = client or cekura.assert(cekura.new { api_key = "sim-key", base_url = %q, config_file = false, %s })
  return client
end
function app.job()
  return cekura.assert(app.client().calls:improve_prompt { agent_id = 1, call_logs = { 1 }, prompt = "x" })
end
return app
]]

describe("in nginx", function()
  local server = simulator.during(setup, teardown)
  local host, client -- the nginx under test, and a client that sends it requests

  before_each(function()
    server:reset()
  end)

  after_each(function()
    if client then
      client:close()
    end
    if host then
      host:stop()
    end
    client, host = nil, nil
  end)

  -- Starts nginx with this text in its http block.
  local function start(http, options)
    host = nginx.start(nginx.config(http), function(dir)
      file.write(dir .. "/app.lua", APP:format(server.url, options or ""))
      file.write(dir .. "/key.toml", 'api_key = "sim-key-0123"')
    end)
    client = server:client { base_url = host.url, retries = 0, max_in_flight = 100 }
  end

  local function serve(locations, options)
    start(("server { listen 127.0.0.1:@PORT@; lua_check_client_abort on; location = /plain { return 200 plain; }"
      .. "location = /stats { content_by_lua_block {"
      .. "  ngx.say(require('cjson').encode(require('app').client():stats())) } }\n%s }"):format(locations), options)
  end

  local function get(path)
    local response, err = client:request("GET", path)
    return response and (response.body:gsub("\n$", "")) or err.response and err.response.body or tostring(err)
  end

  it("writes no key to the log, even if the program logs all values and the service repeats the key", function()
    server:script("/x/", { { status = 401, body = { detail = "bad sim-key-0123" } } })
    server:script(PROGRESS, { { body = { status = "failed", error = "bad sim-key-0123" } } })
    serve((([[location = /log { content_by_lua_block {
      local function log(...) ngx.log(ngx.ERR, ...) end
      local cekura = require "cekura"
      local client = cekura.assert(cekura.new { base_url = "SERVER", config_file = "@DIR@/key.toml",
        on_event = function(event)
          for name, value in pairs(event) do log(name, "=", tostring(value)) end
        end })
      local _, err = client:request("GET", "/x/")
      log(err)
      local job = cekura.assert(client:job("calls.improve_prompt", "p"))
      _, err = job:wait { interval = 0.02 }
      log(err, " ", tostring(job), " ", tostring(client))
      log(job:token())
      client:close()
      error(tostring(err))
    } }]]):gsub("SERVER", server.url)))
    local answer = get "/log"
    assert.truthy(answer:find("500", 1, true), answer)
    local log = host:log()
    for _, text in ipairs {
      "cekura: auth: GET /x/: HTTP 401: bad [key]", "calls.improve_prompt p: bad [key]", "name=warning",
      "cekura2.", "cekura.client (http",
    } do
      assert.truthy(log:find(text, 1, true), text .. log)
    end
    assert.is_nil(log:find("sim-key", 1, true))
  end)

  it("writes the lines of CEKURA_DEBUG to its error log, by the number of the process", function()
    host = nginx.start("env CEKURA_DEBUG=1;" .. nginx.config [[server { listen 127.0.0.1:@PORT@; location = /job {
      content_by_lua_block {
        local job = require("app").job()
        ngx.say(require("cekura").assert(job:wait { interval = 0.05 }).improved_prompt ~= nil)
      } } }]], function(dir)
      file.write(dir .. "/app.lua", APP:format(server.url, ""))
    end)
    client = server:client { base_url = host.url }
    assert.equal("true", get "/job")
    local log = host:log()
    local pid, number = log:match "\ncekura%[(%d+)%] %d%d:%d%d:%d%d #(%d+) POST [^\n]*: try 1\n"
    assert.truthy(log:find(("\ncekura[%s] "):format(pid), 1, true), log)
    assert.truthy(log:find(("#%s POST [^\n]*: ended: HTTP 200; tries: 1"):format(number)), log)
    assert.truthy(log:find "\ncekura%[%d+%] %d%d:%d%d:%d%d job calls.improve_prompt [^\n]*: succeeded, status", log)
    assert.truthy(file.read(("/proc/%s/cmdline"):format(pid)):find("worker process", 1, true))
  end)

  local function threads(pid)
    return tonumber((shell(("ls /proc/%s/task | wc -l"):format(pid))))
  end

  local function polls()
    local count = 0
    for _, request in ipairs(server:requests()) do
      count = count + (request.path:sub(1, #PROGRESS) == PROGRESS and 1 or 0)
    end
    return count
  end

  -- The number of jobs that were polled after the first `before` requests.
  local function polled(before)
    local seen, count = {}, 0
    for index, request in ipairs(server:requests()) do
      if index > (before or 0) and request.path == PROGRESS and not seen[request.uri] then
        seen[request.uri], count = true, count + 1
      end
    end
    return count
  end

  local function endless()
    server:script(PROGRESS, { { body = { status = "processing" } } })
  end

  local JOB = [[location = /job { content_by_lua_block {
    local job = require("app").job()
    local result, err = job:wait { interval = 0.1 }
    ngx.say(result and result.improved_prompt or err.kind .. " " .. job:token())
  } }]]

  it("can wait in every phase that allows it", function()
    serve [[
      location = /content { content_by_lua_block { ngx.say(require("app").client():request("GET", "/echo/").status) } }
      location = /rewrite {
        rewrite_by_lua_block { ngx.ctx.status = require("app").client():request("GET", "/echo/").status }
        content_by_lua_block { ngx.say(ngx.ctx.status) }
      }
      location = /access {
        access_by_lua_block { ngx.exit(require("app").client():request("GET", "/echo/").status + 203) }
      }
      location = /timer { content_by_lua_block {
        local done = require("ngx.semaphore").new()
        local status
        ngx.timer.at(0, function() status = require("app").client():request("GET", "/echo/").status; done:post() end)
        done:wait(10)
        ngx.say(status)
      } }
      location = /coroutine { content_by_lua_block {
        ngx.say(coroutine.wrap(function()
          return select(2, pcall(function() return require("app").client():request("GET", "/echo/").status end))
        end)())
      } }
    ]]
    assert.equal("200", get "/content")
    assert.equal("200", get "/rewrite")
    assert.equal(403, select(2, client:request("GET", "/access")).status)
    assert.equal("200", get "/timer")
    assert.equal("200", get "/coroutine")
  end)

  it("raises in the phases that cannot wait", function()
    serve [[
      location = /set { set_by_lua_block $said { return select(2, pcall(function()
        return require("app").client():request("GET", "/echo/") end)) } return 200 $said; }
      location = /header { return 200 x; header_filter_by_lua_block {
        ngx.header.said = select(2, pcall(function() require("app").client():request("GET", "/echo/") end)) } }
      location = /body { return 200 x; header_filter_by_lua_block { ngx.header.content_length = nil }
        body_filter_by_lua_block { ngx.arg[1] = select(2, pcall(function() require("cekura").sleep(0) end)) } }
      location = /log { return 200 x; log_by_lua_block { require("app").client():request("GET", "/echo/") } }
    ]]
    local line = "^.*:%d+: cekura: nginx cannot wait in %s_by_lua: have a task of cekura.spawn do it, in a timer$"
    assert.truthy(get "/set":find((line:gsub("%%s", "set"))))
    assert.truthy(client:request("GET", "/header").headers.said:find((line:gsub("%%s", "header_filter"))))
    assert.truthy(get "/body":find((line:gsub("%%s", "body_filter"))))
    get "/log"
    assert.truthy(process.eventually(function()
      return host:log():find("cekura: nginx cannot wait in log_by_lua", 1, true)
    end))
    assert.equal(0, #server:requests())
  end)

  it("raises in init_worker and in balancer", function()
    start [[
      init_worker_by_lua_block { package.loaded.at_first = select(2, pcall(function()
        require("app").client():request("GET", "/echo/") end)) }
      upstream chosen {
        server 127.0.0.1:1;
        balancer_by_lua_block { package.loaded.balancer = select(2, pcall(function()
          require("app").client():request("GET", "/echo/") end)) }
      }
      server {
        listen 127.0.0.1:@PORT@;
        location = /proxy { proxy_pass http://chosen; }
        location = /said { content_by_lua_block {
          ngx.print(tostring(package.loaded.at_first), "|", tostring(package.loaded.balancer)) } }
      }
    ]]
    client:request("GET", "/proxy")
    local at_first, balancer = get "/said":match "^(.*)|(.*)$"
    assert.truthy(at_first:find("cekura: nginx cannot wait in init_worker_by_lua: have a task", 1, true), at_first)
    assert.truthy(balancer:find("cekura: nginx cannot wait in balancer_by_lua: have a task", 1, true), balancer)
    assert.equal(0, #server:requests())
  end)

  it("says so where no task can begin", function()
    local try = "select(2, pcall(function() require('cekura').spawn(print) end))"
    start(([[
      init_by_lua_block { package.loaded.at_first = %s }
      exit_worker_by_lua_block { ngx.log(ngx.ERR, %s) }
      server { listen 127.0.0.1:@PORT@; location / { content_by_lua_block { ngx.say(package.loaded.at_first) } } }
    ]]):format(try, try))
    local line = ":1: cekura: nginx starts no task in %s_by_lua"
    assert.truthy(get "/":find(line:format "init", 1, true), get "/")
    host:reload()
    assert.truthy(process.eventually(function() return host:log():find(line:format "exit_worker", 1, true) end))
  end)

  -- A handshake can wait for its certificate. Its other phases can only in an OpenSSL and an nginx that are patched.
  it("waits for a certificate, and says so in the phases of a handshake that cannot wait", function()
    local dir = shell "mktemp -d":match "%S+"
    shell(("cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout key -out pem"):format(dir))
    local http = [[
      ssl_certificate DIR/pem; ssl_certificate_key DIR/key; ssl_protocols TLSv1.2; ssl_session_tickets off;
      ssl_session_fetch_by_lua_block { SAID.fetch = SAY() }
      server {
        listen 127.0.0.1:@PORT@; listen 127.0.0.1:@NEXT@ ssl;
        ssl_client_hello_by_lua_block { SAID.hello = SAY() }
        ssl_certificate_by_lua_block { SAID.certificate = SAY() }
        location / { content_by_lua_block {
          ngx.print(SAID.certificate, "|", SAID.hello, "|", tostring(SAID.fetch)) } }
      }
    ]]
    start((http:gsub("DIR", dir):gsub("SAID", "package.loaded"):gsub("SAY", [[(function()
      return tostring(select(2, pcall(function()
        return require("app").client():request("GET", "/echo/").status end))) end)]])))
    -- The second one resumes the session of the first.
    local output = shell(([[
      cd %s
      for session in -sess_out -sess_in; do
        { printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1; } | openssl s_client -connect 127.0.0.1:%d $session session
      done]]):format(dir, host.port + 1))
    shell("rm -rf " .. dir)
    local line = ":%d+: cekura: nginx cannot wait in ssl_%s_by_lua: have a task of cekura.spawn do it, in a timer"
    local certificate, hello, fetch = get "/":match "^(.*)|(.*)|(.*)$"
    assert.equal("200", certificate, output)
    assert.truthy(hello:find((line:gsub("%%s", "client_hello"))), hello)
    assert.truthy(fetch:find((line:gsub("%%s", "session_fetch"))), fetch)
  end)

  it("does not create a client before the fork", function()
    local ok, raised = pcall(start, "init_by_lua_block { require('app').client() }")
    assert.is_false(ok)
    assert.truthy(raised:find("init_worker_by_lua, or when it is first needed", 1, true), raised)
  end)

  it("runs tasks, within a request and outside", function()
    server:script("/slow/", { { delay = 600 } })
    serve([[
      location = /join { content_by_lua_block {
        local cekura = require "cekura"
        local order = {}
        local task = cekura.spawn(function(...)
          order[#order + 1] = "task"
          cekura.sleep(0.01)
          return ...
        end, 1, nil, 3)
        order[#order + 1] = "caller"
        local a, b, c = task:join()
        ngx.say(table.concat(order, " "), " ", a, tostring(b), c)
      } }
      location = /cancel { content_by_lua_block {
        local cekura = require "cekura"
        local endless = cekura.spawn(function() while true do cekura.sleep(0.01) end end)
        local asking = cekura.spawn(function() return require("app").client():request("GET", "/slow/") end)
        local never = cekura.spawn(function() error "it ran" end)
        ngx.ctx = {}
        never:cancel()
        cekura.sleep(0.05)
        for _, task in ipairs { endless, asking, never } do
          task:cancel()
          local value, err = task:join()
          ngx.say(tostring(value), " ", err.kind)
        end
      } }
      location = /cancel_late { content_by_lua_block {
        local cekura = require "cekura"
        local app, task = require "app", nil
        app.on_event = function(event)
          if event.name == "request_finished" and event.path == "/echo/" then task:cancel() end
        end
        task = cekura.spawn(function()
          local client = app.client()
          ngx.say(client:request("GET", "/echo/").status)
          ngx.say(select(2, client:request("GET", "/echo/")).kind)
          ngx.say(select(2, pcall(client.request, client, "GET", "/echo/")).kind)
        end)
        task:join()
        app.on_event = nil
      } }
      location = /run { content_by_lua_block {
        local cekura = require "cekura"
        local left = 0
        ngx.say(cekura.run(function()
          for _ = 1, 3 do
            cekura.spawn(function() left = left + 1; cekura.sleep(0.05); left = left - 1 end)
          end
          return "main"
        end), " ", left, " ", tostring(select(2, pcall(cekura.run, function()
          cekura.spawn(error, "nobody joins", 0)
        end))))
      } }
      location = /log { return 200 x; log_by_lua_block {
        require("cekura").spawn(function() require("app").client():request("GET", "/from_log/") end)
      } }
    ]], "on_event = function(event) if app.on_event then app.on_event(event) end end")
    assert.equal("caller task 1nil3", get "/join")
    assert.equal("nil cancelled\nnil cancelled\nnil cancelled", get "/cancel")
    assert.equal("200\ncancelled\ncancelled", get "/cancel_late")
    assert.equal("main 0 nobody joins", get "/run")
    get "/log"
    assert.truthy(process.eventually(function()
      local sent = server:requests()
      return sent[#sent] and sent[#sent].path == "/from_log/"
    end))
  end)

  it("logs the error of an unjoined task, and raises an event handler's error in the waiting task", function()
    serve([[
      location = /lost { content_by_lua_block { require("cekura").spawn(error, "lost task", 0) } }
      location = /handler { content_by_lua_block {
        ngx.say(select(2, pcall(function() require("app").client():request("GET", "/echo/") end)))
      } }
    ]], [[on_event = function(event)
      if event.name == "request_finished" then require("cekura").sleep(1) end
    end]])
    get "/lost"
    assert.truthy(host:log():find("a task raised, and was not joined: lost task", 1, true))
    assert.equal("cekura: an event handler cannot wait: have cekura.spawn start a task that does", get "/handler")
  end)

  -- Requests of which one has an event handler that misbehaves.
  local HANDLED = [[
    location = /one { content_by_lua_block { ngx.say(require("app").client():request("GET", "/echo/").status) } }
    location = /slow { content_by_lua_block { ngx.say(require("app").client():request("GET", "/handled/").status) } }
    location = /handling { content_by_lua_block { ngx.say(tostring(handling)) } }
  ]]

  it("lets other requests wait while an event handler yields to nginx, which it should not", function()
    serve(HANDLED, [[on_event = function(event)
      if event.name == "request_started" and event.path == "/handled/" then
        handling = true
        ngx.sleep(0.5)
      end
    end]])
    server:script("/handled/", { { status = 200 } })
    cekura.run(function()
      local slow = cekura.spawn(get, "/slow")
      patience.eventually(function() return get "/handling" == "true" end)
      assert.equal("200", get "/one")
      assert.equal("200", slow:join())
    end)
  end)

  it("lets other requests go on, after seconds, when an event handler blocks the dispatch of answers", function()
    serve(HANDLED, [[on_event = function(event)
      if event.name == "request_finished" and event.path == "/handled/" then
        handling = true
        ngx.sleep(600)
      end
    end]])
    server:script("/handled/", { { status = 200, delay = 0.05 } })
    patience.before_timer(120, function()
      local slow = cekura.spawn(get, "/slow")
      patience.eventually(function() return get "/handling" == "true" end)
      assert.equal("200", get "/one")
      slow:cancel()
    end)
  end)

  it("retries after a pause, in which nginx runs, when memory is too short to take in an answer", function()
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
    serve [[
      location = /short { content_by_lua_block {
        local fields = require("cekura.core").fields(require("app").client())
        local take, tries = fields._on_update, 0
        function fields._on_update(job)
          tries = tries + 1
          if tries <= 3 then error("not enough memory", 0) end
          return take(job)
        end
        -- Without the pause, and nginx running in it, there would be no ticks.
        local ticks = 0
        local ticker = require("cekura").spawn(function()
          while true do require("cekura").sleep(0.02) ticks = ticks + 1 end
        end)
        local result = require("app").job():wait { interval = 0.05 }
        ticker:cancel()
        ngx.print(result.improved_prompt, " ", tries, " ", tostring(ticks > 0))
      } }
    ]]
    assert.equal("Better. 4 true", get "/short")
  end)

  -- The thread stepped while an event handler ran, so there was always another event to deliver.
  it("serves other requests while polls come faster than an event handler runs", function()
    server:script(PROGRESS, { { body = { status = "processing" } } })
    serve([[
      location = /slow { content_by_lua_block {
        local client, jobs = require("app").client(), {}
        for index = 1, 200 do
          jobs[index] = client:job("calls.improve_prompt", "job" .. index)
        end
        require("cekura").all(jobs, { interval = 0.02, timeout = 5 })
        ngx.say "over"
      } }
      location = /polled { content_by_lua_block { ngx.say(require("app").client():stats().requests) } }
    ]], [[on_event = function()
      local core = require "cekura.core"
      local till = core.now() + 0.0003
      while core.now() < till do end
    end]])
    cekura.run(function()
      local is_over = false
      local slow = cekura.spawn(function()
        local said = get "/slow"
        is_over = true
        return said
      end)
      patience.eventually(function() return is_over or tonumber(get "/polled") > 20 end)
      local served = 0
      while not is_over do
        assert.equal("plain", get "/plain")
        served = served + (is_over and 0 or 1)
      end
      assert.is_true(served > 3, served)
      assert.equal("over", slow:join())
    end)
  end)

  -- A job's entry in the engine was given to a request while an event of the job was still undelivered.
  it("gives each request its outcome while jobs are abandoned and waited for again", function()
    server:script(PROGRESS, { { body = { status = "processing" } } })
    serve([[
      location = /again { content_by_lua_block {
        local cekura, client = require "cekura", require("app").client()
        local tasks, right = {}, 0
        for index = 1, 8 do
          tasks[index] = cekura.spawn(function()
            while right < 400 do
              local left = client:job("calls.improve_prompt", "left" .. index)
              for _ = 1, 3 do
                left:wait { interval = 0.001, timeout = 0.005 }
                left:wait { interval = 0.001, timeout = 0 }
              end
              local status = client:request("GET", "/echo/").status
              right = right + (status == 200 and 1 or 0)
            end
          end)
        end
        for _, task in ipairs(tasks) do cekura.assert(select("#", task:join()) == 0) end
        ngx.print(("%d %d %d %d"):format(right, told.request_started, told.request_finished, told.nameless or 0))
      } }
    ]], [[on_event = function(event)
      told = told or {}
      local place = not event.path and not event.job and "nameless" or event.path == "/echo/" and event.name or "others"
      told[place] = (told[place] or 0) + 1
    end]])
    local right, started, finished, nameless = get "/again":match "^(%d+) (%d+) (%d+) (%d+)$"
    assert.is_true(tonumber(right) >= 400)
    assert.equal(right, started)
    assert.equal(right, finished)
    assert.equal("0", nameless)
  end)

  it("serves other requests while one client of the worker waits for many jobs", function()
    serve(JOB)
    server:script(PROGRESS, { { hold = "plain", body = { status = "completed", improved_prompt = "Better." } } })
    local order = {}
    cekura.run(function()
      for index = 1, 30 do
        cekura.spawn(function()
          assert.equal("Better.", get "/job")
          order[#order + 1] = "job"
        end)
        if index % 3 == 0 then
          cekura.spawn(function()
            server:wait_for(PROGRESS)
            assert.equal("plain", get "/plain")
            order[#order + 1] = "plain"
          end)
        end
      end
      patience.eventually(function() return #order == 10 end)
      server:release "plain"
    end)
    assert.equal("plain", order[10])
    assert.equal("job", order[11])
    assert.equal(40, #order)
    local stats = cekura.call_log(get "/stats")
    assert.equal(30, stats.jobs)
    assert.is_true(stats.max_in_flight <= 16)
    assert.equal(30, #(function()
      local starts = {}
      for _, request in ipairs(server:requests()) do
        if request.path == START then
          starts[#starts + 1] = request
        end
      end
      return starts
    end)())
  end)

  it("ends the wait of a client that disconnects, and no other wait", function()
    endless()
    serve(JOB .. [[
      location = /same { content_by_lua_block {
        local app = require "app"
        app.shared = app.shared or app.job()
        ngx.say(app.shared:wait { interval = 0.1 }.improved_prompt)
      } }
    ]])
    local outcome
    cekura.run(function()
      local leaving, leaving_too = cekura.spawn(get, "/same"), cekura.spawn(get, "/job")
      patience.eventually(function() return polled() == 2 end)
      local staying = cekura.spawn(get, "/same")
      cekura.sleep(0.3)
      leaving:cancel()
      leaving_too:cancel()
      patience.eventually(function() -- one job is still polled
        local before = #server:requests()
        cekura.sleep(1)
        return polled(before) == 1
      end)
      server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
      outcome = staying:join()
    end)
    assert.equal("Better.", outcome)
    local before = polls()
    os.execute "sleep 0.5"
    assert.equal(before, polls())
  end)

  it("drops the wait of a client that disconnects just before its job changes", function()
    server:script(PROGRESS, { { body = { status = "queued" } }, { hold = "left", body = { status = "processing" } } })
    serve(JOB)
    cekura.run(function()
      local leaving = cekura.spawn(get, "/job")
      server:wait_for(PROGRESS, 2)
      leaving:cancel()
      leaving:join()
      server:release "left"
    end)
    assert.truthy(process.eventually(function()
      local before = polls()
      os.execute "sleep 0.5"
      return polls() == before
    end))
    assert.equal(0, host:stop "QUIT")
  end)

  it("runs 600 tasks in one timer", function()
    serve [[ location = /many { content_by_lua_block {
      local done, over = 0, require("ngx.semaphore").new()
      ngx.timer.at(0, function()
        local cekura = require "cekura"
        cekura.run(function()
          for _ = 1, 600 do
            cekura.spawn(function() cekura.sleep(0.2); done = done + 1 end)
          end
        end)
        over:post()
      end)
      over:wait(20)
      ngx.say(done)
    } } ]]
    assert.equal("600", get "/many")
  end)

  for _, way in ipairs { "HUP", "QUIT" } do
    it("does not delay the end of a worker while jobs are waited for: " .. way, function()
      endless()
      serve(JOB .. [[ location = /sleep { content_by_lua_block {
        ngx.say(select(2, pcall(require("cekura").sleep, 1000)).kind) } } ]])
      local old = host:workers()[1]
      cekura.run(function()
        local waiting, sleeping = cekura.spawn(get, "/job"), cekura.spawn(get, "/sleep")
        server:wait_for(PROGRESS)
        shell(("kill -%s %d"):format(way, host.pid))
        local said = waiting:join()
        assert.truthy(said:find "^closed %w+", said)
        assert.equal("closed", sleeping:join())
        assert.truthy(process.eventually(function()
          return not shell(("cat /proc/%s/comm"):format(old)):find "^nginx"
        end))
        if way == "HUP" then
          server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
          assert.equal("Better.", get "/job")
          assert.are_not.equal(old, host:workers()[1])
        else
          assert.equal(0, host:stop())
        end
      end)
    end)
  end

  it("leaves no thread, descriptor or file behind", function()
    serve(JOB)
    local worker = host:workers()[1]
    local function files()
      return (shell(("ls -d /tmp/cekura-bridge-%s-* 2>/dev/null"):format(worker)))
    end
    local function held() -- sockets do not count, because connections are kept
      return descriptors(worker, "anon_inode")
    end
    cekura.run(function()
      local waiting = cekura.spawn(get, "/job")
      assert.truthy(process.eventually(function() cekura.sleep(0.01) return threads(worker) == 2 end))
      assert.equal("", files())
      waiting:join()
    end)
    assert.truthy(process.eventually(function() return threads(worker) == 1 end))
    local before = held()
    for _ = 1, 3 do
      get "/job"
      assert.truthy(process.eventually(function() return threads(worker) == 1 end))
    end
    assert.equal(before, held())
  end)

  it("removes the files of a killed worker", function()
    endless()
    serve(JOB)
    local worker = host:workers()[1]
    local left = ("/tmp/cekura-bridge-%s-abcdef"):format(worker)
    shell(("mkdir -m 700 %s && touch %s/socket"):format(left, left))
    cekura.run(function()
      local waiting = cekura.spawn(get, "/job")
      server:wait_for(PROGRESS)
      assert.equal("socket\n", (shell("ls " .. left))) -- kept while its owner runs
      shell("kill -KILL " .. worker)
      waiting:join()
      assert.truthy(process.eventually(function() return get "/plain" == "plain" end))
      server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
      assert.equal("Better.", get "/job")
    end)
    assert.equal("", (shell(("ls -d %s 2>/dev/null"):format(left))))
  end)

  it("accumulates no threads with lua_code_cache off", function()
    serve("lua_code_cache off;" .. [[ location = /one { content_by_lua_block {
      ngx.say(require("app").client():request("GET", "/echo/").status) } } ]])
    local worker = host:workers()[1]
    for _ = 1, 40 do
      assert.equal("200", get "/one")
    end
    assert.truthy(process.eventually(function() return threads(worker) == 1 end))
  end)

  it("uses no thread with ticks = true", function()
    serve(JOB .. [[ location = /one { content_by_lua_block {
      ngx.say(require("app").client():request("GET", "/echo/").status) } } ]], "ticks = true")
    local worker = host:workers()[1]
    assert.equal("200", get "/one")
    endless()
    cekura.run(function()
      local waiting = cekura.spawn(get, "/job")
      assert.truthy(process.eventually(function() cekura.sleep(0.01) return polls() > 2 end))
      assert.equal(1, threads(worker))
      assert.equal("plain", get "/plain")
      server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
      assert.equal("Better.", waiting:join())
    end)
  end)

  it("ends a wait at its deadline, and when its client is closed", function()
    endless()
    serve [[
      location = /late { content_by_lua_block {
        ngx.say(select(2, require("app").job():wait { timeout = 0.3, interval = 0.05 }).kind) } }
      location = /close { content_by_lua_block {
        local cekura, app = require "cekura", require "app"
        local job = app.job()
        local waiting = cekura.spawn(function() return job:wait() end)
        cekura.sleep(0.2)
        app.client():close()
        ngx.say(select(2, waiting:join()).kind)
      } }
    ]]
    assert.equal("timeout", get "/late")
    assert.equal("closed", get "/close")
    local worker = host:workers()[1]
    assert.truthy(process.eventually(function() return threads(worker) == 1 end))
  end)

  it("continues a watch after a reload through shared memory, in one worker at a time", function()
    endless()
    start(([[
      lua_shared_dict watched 1m;
      init_worker_by_lua_block {
        local cekura = require "cekura"
        local client, store = require("app").client(), ngx.shared.watched
        local watch = cekura.watch { client = client, store = store, lease = 6, every = 0.1, agents = {
          { agent_id = 2142, since = %d, prompt = "Be nice.", filter = { { "call_id", "eq", "sess-1" } },
            improve = true,
            on_evaluated = function(call) ngx.log(ngx.NOTICE, "evaluated ", call.id) error "mine" end,
            on_improved = function(result, call)
              cekura.sleep(0.01)
              ngx.log(ngx.NOTICE, "improved ", call.id, " ", result.improved_prompt)
            end },
          { agent_id = "" },
        } }
      }
      server { listen 127.0.0.1:@PORT@; }
    ]]):format(os.time() - 20 * 86400))
    local function logged(text)
      return select(2, host:log():gsub(text, ""))
    end
    assert.truthy(process.eventually(function() return polls() > 2 end))
    local old = host:workers()[1]
    os.execute "sleep 1" print(host:log()) host:reload() os.execute "sleep 2" print(host:log())
    assert.truthy(process.eventually(function()
      return not shell(("cat /proc/%s/comm"):format(old)):find "^nginx"
    end))
    local before = polls()
    assert.truthy(process.eventually(function() return polls() > before end))
    server:script(PROGRESS, { { body = { status = "completed", improved_prompt = "Better." } } })
    assert.truthy(process.eventually(function() return logged "improved 5181749 Better." > 0 end))
    os.execute "sleep 0.5"
    assert.equal(1, logged "improved 5181749 Better.")
    assert.equal(1, logged "evaluated 5181749")
    assert.equal(1, logged "agents%[1%].on_evaluated: init_worker_by_lua[^\n]*: mine")
    assert.equal(2, logged "init_worker_by_lua[^\n]*:4: agents%[2%].agent_id") -- once for each worker
    local starts = 0
    for _, request in ipairs(server:requests()) do
      starts = starts + (request.path == START and 1 or 0)
    end
    assert.equal(1, starts)
  end)

  -- Starts nginx with workers that all load this watch. Each handler logs its name, the call, and its process.
  local function start_watches(workers, store, handler)
    local config = nginx.config(([[
      lua_shared_dict watched 1m;
      init_worker_by_lua_block {
        local cekura = require "cekura"
        local function note(what, call)
          ngx.log(ngx.NOTICE, "noted: ", what, " ", call.id, " ", ngx.worker.pid(), ";")
        end
        local watch = cekura.watch { client = require("app").client(), store = %s, lease = 2, every = 0.1,
          limits = { per_hour = 1000, jobs = 50 }, agents = {
          { agent_id = 77, since = %d, prompt = "Be nice.", improve = true,
            on_evaluated = function(call) note("evaluated", call) %s end,
            on_improved = function(_, call) note("improved", call) end,
            on_failed = function(_, call) note("failed", call) end },
        } }
      }
      server { listen 127.0.0.1:@PORT@; }
    ]]):format(store, os.time() - 86400, handler or ""))
    host = nginx.start((config:gsub("worker_processes 1", "worker_processes " .. workers)), function(dir)
      file.write(dir .. "/app.lua", APP:format(server.url, [[headers = { ["X-Simulate"] = "seconds=0.5" }]]))
    end)
  end

  -- How often each call was logged under that name, the process that did so last, and the total.
  local function noted(what)
    local counts, pids, total = {}, {}, 0
    for id, pid in host:log():gmatch("noted: " .. what .. " (%d+) (%d+);") do
      counts[id], pids[id], total = (counts[id] or 0) + 1, pid, total + 1
    end
    return counts, pids, total
  end

  local function starts()
    local count = 0
    for _, request in ipairs(server:requests()) do
      count = count + (request.path == START and 1 or 0)
    end
    return count
  end

  it("runs a watch of several workers with one file, across reloads and a restart", function()
    local dir = shell "mktemp -d":match "%S+"
    finally(function()
      shell("rm -rf " .. dir)
    end)
    local evaluated, ended, log = {}, {}, ""
    -- A start that was in progress when nginx stopped has an unknown outcome, and is never repeated.
    local function count_all()
      for what, counts in pairs { evaluated = evaluated, improved = ended, failed = ended } do
        for id in (log .. host:log()):gmatch("noted: " .. what .. " (%d+) ") do
          counts[id] = (counts[id] or 0) + 1
        end
      end
    end
    start_watches(3, ("%q"):format(dir .. "/kept"))
    for round = 1, 3 do
      server:admin("POST", "call_logs/", { count = 4, agent_id = 77 })
      assert.truthy(process.eventually(function() return starts() >= 4 * round - 2 end))
      if round == 2 then
        shell("kill -QUIT " .. host.pid) -- lets the workers end what they began
        assert.is_true(process.eventually(function() return not host:is_running() end))
        log = log .. host:log()
        host:stop()
        start_watches(3, ("%q"):format(dir .. "/kept"))
      else
        os.execute "sleep 1" print(host:log()) host:reload() os.execute "sleep 2" print(host:log())
      end
    end
    assert.is_true(process.eventually(function()
      local _, improved = (log .. host:log()):gsub("noted: improved", "")
      local _, failed = (log .. host:log()):gsub("noted: failed", "")
      return improved + failed >= 12
    end))
    os.execute "sleep 0.5"
    count_all()
    for id = 6000001, 6000012 do
      assert.equal(1, evaluated[tostring(id)])
      assert.equal(1, ended[tostring(id)])
    end
    local _, failed = (log .. host:log()):gsub("noted: failed", "")
    assert.is_true(starts() <= 12 and starts() >= 12 - failed, starts() .. " starts")
  end)

  it("makes a worker that was frozen check its lease before it goes on with a watch", function()
    start_watches(2, "ngx.shared.watched",
      "local till = ngx.now() + 0.1 repeat ngx.update_time() until ngx.now() > till")
    server:admin("POST", "call_logs/", { count = 50, agent_id = 77 })
    local pid
    assert.truthy(process.eventually(function()
      local _, pids, total = noted "evaluated"
      pid = select(2, next(pids))
      return total >= 3
    end))
    shell("kill -STOP " .. pid)
    finally(function()
      shell("kill -CONT " .. pid)
    end)
    assert.truthy(process.eventually(function()
      local _, pids = noted "evaluated"
      for _, other in pairs(pids) do
        if other ~= pid then
          return true
        end
      end
    end))
    shell("kill -CONT " .. pid)
    local function ends() -- a start that was frozen halfway fails with unknown_outcome
      return select(3, noted "improved") + select(3, noted "failed")
    end
    assert.truthy(process.eventually(function() return ends() >= 50 end))
    os.execute "sleep 0.5"
    local counts, _, total = noted "evaluated"
    local calls = 0
    for _ in pairs(counts) do
      calls = calls + 1
    end
    assert.equal(50, calls)
    assert.is_true(total <= 51, total) -- one handler may have been frozen halfway
    assert.equal(50, ends())
    local failed = noted "failed"
    for id, count in pairs((noted "improved")) do
      assert.equal(1, count, id)
      assert.is_nil(failed[id])
    end
    assert.is_true(starts() <= 50)
  end)

  it("runs examples/nginx", function()
    host = nginx.start(nginx.example("examples/nginx", {
      CEKURA_API_KEY = "sim-key", CEKURA_API_URL = server.url, CEKURA_WEBHOOK_SECRET = "whs-1234",
    }))
    client = server:client { base_url = host.url, retries = 0 }
    local asked = { agent_id = 2142, call_logs = { 5181749 }, prompt = "Be brief." }
    local improved = cekura.assert(client:request("POST", "/improve", { body = asked })):json()
    assert.equal("succeeded", improved.state)
    assert.truthy(improved.improved_prompt:find("^Be brief."))
    local started = cekura.assert(client:request("POST", "/start", { body = asked }))
    assert.equal(202, started.status)
    local outcome = cekura.assert(client:request("GET", "/outcome", { query = { token = started:json().token } }))
    assert.equal("succeeded", outcome:json().state)
    local _, err = client:request("POST", "/start", { body = { agent_id = 2142 } })
    assert.equal(400, err.status)
    assert.truthy(err.response:json().error:find "is missing", err.response.body)
    assert.equal(3, cekura.assert(client:request("GET", "/stats")):json().jobs)
    local metrics = cekura.assert(client:request("GET", "/metrics"))
    assert.equal("text/plain; version=0.0.4", metrics.headers["content-type"])
    assert.truthy(metrics.body:find('\ncekura_jobs_total{client="worker 0"} 3\n', 1, true), metrics.body)
    webhook_cases(client, "/webhook")
  end)
end)
