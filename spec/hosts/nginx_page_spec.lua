--- examples/nginx-page in headless Chromium, against the simulator. Answers are held and released, so that nothing
-- depends on time. With PICTURES=DIRECTORY in the environment, pictures are written to that directory.

local browser = require "spec.support.browser"
local cekura = require "cekura"
local file = require "spec.support.file"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local EXAMPLE = "examples/nginx-page"
local START = "/observability/v1/call-logs/improve_prompt_bg/"
local PROGRESS = "/observability/v1/call-logs/improve_prompt_progress/"
local CALLS = "/observability/v2/call-logs/"

local KEY = "sim-key-0123"

-- Of the page of a job.
local STATUS = "document.getElementById('status').textContent"
local IS_DONE = "document.querySelector('#outcome .diff')"

describe("examples/nginx-page", function()
  local server = simulator.during(setup, teardown)
  local driver, host, client

  setup(function()
    driver = browser.start()
  end)
  teardown(function()
    driver:stop()
  end)

  -- Starts nginx with the example; `changes` are replacements in its files.
  local function start(changes)
    local config = nginx.example(EXAMPLE, { CEKURA_API_KEY = KEY, CEKURA_API_URL = server.url })
      :gsub("worker_processes auto", "worker_processes 3")
      :gsub("    location = / {", "    location = /status { stub_status; }\n%0")
    host = nginx.start(config, function(dir)
      shell(("cp %s/page.* %s"):format(EXAMPLE, dir))
      for name, change in pairs(changes or {}) do
        local text, count = file.read(EXAMPLE .. "/" .. name):gsub(change[1], change[2])
        assert(count == 1, name)
        file.write(dir .. "/" .. name, text)
      end
    end)
    client = server:client { base_url = host.url, retries = 0, max_in_flight = 100 }
  end

  before_each(function()
    server:reset()
    server:admin("POST", "key/", { key = KEY })
    server.key = KEY
  end)

  after_each(function()
    if host then
      client:close()
      assert.is_nil(host:log():find(KEY, 1, true), host:log())
      assert.is_nil(host:log():find("[error]", 1, true), host:log())
      host:stop()
      host = nil
    end
  end)

  -- A text in a form.
  local function escape(text)
    return (text:gsub("%W", function(byte) return ("%%%02X"):format(byte:byte()) end))
  end

  -- The polls get these answers; each is held until it is released by its number.
  local function script(...)
    local replies = {}
    for index, body in ipairs { ... } do
      replies[index] = { hold = tostring(index), body = body }
    end
    server:script(PROGRESS, replies)
  end

  local DONE = { status = "completed", output = { improved_prompt = "Be brief and kind.",
    summary_of_changes = "Kindness was added." } }

  local function post(path, form, headers)
    headers = headers or { Origin = host.url }
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    local response, err = client:request("POST", path, { body = form, headers = headers })
    return response or err.response
  end

  local function get(path, headers)
    local response, err = client:request("GET", path, { headers = headers })
    return response or err.response
  end

  -- Starts a job; returns the path of its page.
  local function start_job(form)
    local response = post("/jobs", form or "call_logs=5181749&prompt=Be+brief.")
    assert.equal(303, response.status, response.body)
    return assert(response.headers.location:match "^/jobs/%x+$")
  end

  local function open(path, options)
    return driver:open(host.url .. path, options)
  end

  local function texts(page, selector)
    return page:run(("Array.from(document.querySelectorAll('%s'), (one) => one.textContent)"):format(selector))
  end

  -- A page has had nothing to complain about, and was loaded once.
  local function assert_untroubled(page, loads)
    local seen = page "seen"
    assert.same({}, seen.errors)
    assert.equal(0, seen.dialogs)
    assert.equal(loads or 1, seen.loads)
    for _, url in ipairs(seen.requests) do
      assert.equal(host.url .. "/", url:sub(1, #host.url + 1))
    end
    page "close"
  end

  it("shows the calls, starts a job, and shows its progress and the difference without loading again", function()
    start()
    script({ status = "queued" }, { status = "processing" }, DONE)
    local page = open "/?agent_id=2142"
    assert.same({ "5181751", "5181749", "5181752" }, texts(page, ".call b"))
    page("click", { selector = "[value='5181749']" })
    page("click", { selector = "[value='5181752']" })
    page("type", { selector = "#prompt", text = "Be brief." })
    page("click", { selector = "form[method=post] button", leads = true })
    local sent = server:requests()
    patience.eventually(function() return server:count(PROGRESS) == 1 end)
    for _, request in ipairs(sent) do
      if request.path == START then
        assert.equal('{"agent_id":"2142","call_logs":["5181749","5181752"],"prompt":"Be brief."}', request.body)
      end
    end
    assert.equal("Waiting for its turn.", page:run(STATUS))
    assert.is_false(page:run "document.getElementById('progress').hasAttribute('value')")
    server:release "1"
    page:wait_for(STATUS .. " === 'Waiting for its turn: the service says “queued”.'")
    server:release "2"
    page:wait_for(STATUS .. " === 'At work: the service says “processing”.'")
    server:release "3"
    page:wait_for(IS_DONE)
    assert.equal("Done.", page:run(STATUS))
    assert.same({ " and kind" }, texts(page, ".diff ins"))
    assert.same({}, texts(page, ".diff del"))
    assert.equal("Be brief and kind.", page:run "document.getElementById('improved').value")
    assert.same({ "Kindness was added." }, texts(page, "#outcome p.text"))
    assert.is_nil(page:run "document.getElementById('progress')")
    assert_untroubled(page, 2)
  end)

  it("shows how far a job is, where the service says so, as it does not for this kind", function()
    start { ["progress.lua"] = { "job%.progress", "0.4" } }
    script({ status = "processing" }, DONE)
    local page = open(start_job())
    server:release "1"
    page:wait_for "document.getElementById('progress').value === 0.4"
    assert_untroubled(page)
  end)

  it("is used by keyboard alone", function()
    start()
    local page = open "/"
    -- The link, the agent, its button, the first call, which is chosen.
    page("press", { keys = { "Tab", "Tab", "Tab", "Tab", "Space" } })
    assert.is_true(page:run "document.activeElement.checked")
    page("press", { keys = { "Tab", "Tab", "Tab", "Tab", "Tab" } })
    page("press", { keys = { "H", "i" } })
    page("press", { keys = { "Tab", "Enter" }, leads = true })
    page:wait_for(IS_DONE)
    assert_untroubled(page, 2)
  end)

  for _, viewers in ipairs { 1, 10 } do
    it(("polls once for %d viewers, whichever worker serves them"):format(viewers), function()
      start()
      script({ status = "queued" }, { status = "processing" }, DONE)
      local path, pages = start_job(), {}
      for index = 1, viewers do
        pages[index] = open(path)
      end
      for polls, shown in ipairs { STATUS .. ".includes('queued')", STATUS .. ".includes('processing')", IS_DONE } do
        server:wait_for(PROGRESS, polls)
        server:release(tostring(polls))
        for _, page in ipairs(pages) do
          page:wait_for(shown)
        end
      end
      assert.equal(3, server:count(PROGRESS))
      for _, page in ipairs(pages) do
        assert_untroubled(page)
      end
    end)
  end

  it("works without a script", function()
    start()
    script({ status = "queued" }, DONE)
    local page = open("/", { script = false })
    page("click", { selector = "[value='5181749']" })
    page("type", { selector = "#prompt", text = "Be brief." })
    page("click", { selector = "form[method=post] button", leads = true })
    local link = { selector = "noscript a", leads = true }
    local path = page:run "location.pathname"
    for number, text in ipairs { "queued", "Done" } do
      server:wait_for(PROGRESS, number)
      server:release(tostring(number))
      patience.eventually(function() return get(path).body:find(text, 1, true) end)
      page("click", link)
      assert.truthy(page:run(STATUS):find(text, 1, true))
    end
    assert.same({ " and kind" }, texts(page, ".diff ins"))
    assert.equal(0, page:run "document.querySelectorAll('noscript').length")
    for _, url in ipairs(page "seen".requests) do
      assert.is_nil(url:find "events" or url:find "%.js")
    end
    page "close"
  end)

  it("shows a line of a prompt as it is, and no change where there is none", function()
    start()
    server:script(PROGRESS, { { body = { status = "completed", output = { improved_prompt = "\nOne.\nTwo.\n" } } } })
    local page = open "/"
    page("click", { selector = "[value='5181749']" })
    page:run "document.getElementById('prompt').value = '\\nOne.\\nTwo.\\n'"
    page("click", { selector = "form[method=post] button", leads = true })
    page:wait_for(IS_DONE)
    assert.same({}, texts(page, ".diff ins, .diff del"))
    assert.equal("\nOne.\nTwo.\n", page:run "document.getElementById('improved').value")
    assert_untroubled(page, 2)
  end)

  -- ---- attacks ----

  local ATTACK = table.concat { "</textarea></p><script>window.broken = 1</script>",
    "<img src=x onerror='window.broken = 1'><a href=\"javascript:window.broken = 1\">x</a>",
    "\" onmouseover=\"window.broken = 1\" {=main} {title} %1 &lt; " .. KEY }

  local PROVOKE = [[(() => {
    for (const element of document.querySelectorAll("main *")) {
      for (const name of ["mouseover", "focus", "error"]) element.dispatchEvent(new Event(name));
    }
    return document.querySelectorAll("main script, main img, main a[href^='javascript']").length
      + (window.broken === 1 ? 1000 : 0);
  })()]]

  -- A page has the attack as text, and nothing else of it.
  local function assert_harmless(page, expected)
    local text = page:run "document.querySelector('main').textContent"
    assert.truthy(text:find((expected or ATTACK):gsub(KEY:gsub("%-", "%%-"), "[key]"), 1, true), text)
    assert.is_nil(page:run "document.documentElement.outerHTML":find(KEY, 1, true))
    assert.equal(0, page:run(PROVOKE))
  end

  it("runs no text of the service or of the form, and never has the key", function()
    start()
    server:script(CALLS, { { body = { results = { { id = 7, status = ATTACK, topic = ATTACK, call_id = ATTACK } } } } })
    local page = open "/"
    assert_harmless(page)
    assert_untroubled(page)

    server:script(START, { { status = 400, body = { detail = ATTACK } } })
    local response = post("/jobs", "call_logs=7&prompt=" .. escape(ATTACK))
    assert.equal(502, response.status)
    assert.is_nil(response.body:find("<script>window", 1, true))
    assert.is_nil(response.body:find(KEY, 1, true))
    server:script(START, { { pass = true } })

    script({ status = ATTACK }, { status = "completed",
      output = { improved_prompt = ATTACK .. " better", summary_of_changes = ATTACK } })
    page = open(start_job("call_logs=7&prompt=" .. escape(ATTACK)))
    server:release "1"
    page:wait_for(STATUS .. ".includes('the service says')")
    assert_harmless(page, ATTACK:sub(1, 50))
    server:release "2"
    page:wait_for(IS_DONE)
    assert_harmless(page)
    assert_untroubled(page)

    server:script(PROGRESS, { { body = { status = "failed", error = ATTACK } } })
    page = open(start_job())
    page:wait_for "document.querySelector('#outcome .quiet')"
    assert_harmless(page, ATTACK:sub(1, 50))
    assert_untroubled(page)
    assert.is_nil(get "/".body:find("<script>window", 1, true))
  end)

  it("refuses forms of other sites", function()
    start()
    local form = [[<form method="post" action="%s/jobs"><input name="call_logs" value="5181749">
      <input name="prompt" value="x"><button>Win</button></form>]]
    file.write(host.dir .. "/elsewhere.html", form:format(host.url))
    local page = driver:open("file://" .. host.dir .. "/elsewhere.html")
    page("click", { selector = "button", leads = true })
    assert.same({ "Refused" }, texts(page, "h1"))
    page "close"
    local path = start_job()
    for _, headers in ipairs { {}, { Origin = "null" }, { Origin = "http://evil.example" },
      { Origin = "http://127.0.0.1:1" }, { Origin = "https" .. host.url:sub(5) },
      { Origin = host.url, ["Sec-Fetch-Site"] = "cross-site" }, { Origin = host.url, ["Sec-Fetch-Site"] = "same-site" },
      { Origin = host.url, ["Sec-Fetch-Site"] = "none" } } do
      assert.equal(403, post("/jobs", "call_logs=5181749&prompt=x", headers).status)
      assert.equal(403, post(path, "", headers).status)
    end
    assert.equal(303, post(path, "", { Origin = "x", ["Sec-Fetch-Site"] = "same-origin" }).status)
    assert.equal(403, get "/jobs?call_logs=5181749&prompt=x".status)
    assert.equal(1, server:count(START))
  end)

  it("serves no other name of the host, and sends a strict policy with everything", function()
    start()
    for _, path in ipairs { "/", "/jobs", "/page.js" } do
      local command = "curl -s --resolve evil.example:%d:127.0.0.1 -H Origin:%s -w '%%{http_code}' %s"
      local origin = "http://evil.example:" .. host.port
      local output = shell(command:format(host.port, origin, origin .. path))
      assert.truthy(output:find "421$", output)
      assert.is_nil(output:find("5181749", 1, true))
    end
    for path, status in pairs { ["/"] = 200, ["/nowhere"] = 404, ["/page.js"] = 200, ["/page.css"] = 200,
      ["/jobs/" .. ("0"):rep(32)] = 404, ["/jobs/" .. ("0"):rep(32) .. "/events"] = 404, [start_job()] = 200 } do
      local response = get(path)
      assert.equal(status, response.status, path)
      local policy = response.headers["content-security-policy"]
      assert.truthy(policy:find("default-src 'self';", 1, true) and policy:find("frame-ancestors 'none'", 1, true))
      assert.is_nil(policy:find "unsafe")
      assert.equal("nosniff", response.headers["x-content-type-options"])
      assert.equal("no-store", response.headers["cache-control"])
      assert.is_nil(response.body:find "<script>" or response.body:find "<style" or response.body:find " style=")
    end
  end)

  -- ---- streams that end ----

  it("frees the stream of a viewer who goes away, which ends nothing for others", function()
    -- Without comments, which would notice it in the end, too.
    start { ["progress.lua"] = { "quiet >= 15", "quiet >= 15000" } }
    local function streams()
      return get "/status".body:match "Writing: (%d+)" - 1
    end
    script({ status = "processing" }, DONE)
    local path = start_job()
    local stays, goes = open(path), open(path)
    server:wait_for(PROGRESS)
    patience.eventually(function() return streams() == 2 end)
    goes "close"
    patience.eventually(function() return streams() == 1 end)
    server:release "1"
    stays:wait_for(STATUS .. ".includes('processing')")
    server:release "2"
    stays:wait_for(IS_DONE)
    patience.eventually(function() return streams() == 0 end)
    assert.equal(2, server:count(PROGRESS))
    assert_untroubled(stays)
  end)

  it("goes on after a reload: pages come back, and the new worker waits for the job", function()
    start()
    script({ status = "processing" }, { status = "processing" }, DONE)
    local page = open(start_job())
    server:wait_for(PROGRESS)
    server:release "1"
    page:wait_for(STATUS .. ".includes('processing')")
    server:wait_for(PROGRESS, 2)
    local old = "/proc/" .. table.concat(host:workers(), " /proc/")
    host:reload()
    server:wait_for(PROGRESS, 3) -- while the last one of the old worker is still in flight
    server:release "3"
    page:wait_for(IS_DONE)
    server:release "2"
    patience.eventually(function() return shell(("ls -d %s 2>/dev/null"):format(old)) == "" end)
    assert.equal("Done.", page:run(STATUS))
    local seen = page "seen"
    assert.equal(1, seen.loads)
    local streams = 0
    for _, url in ipairs(seen.requests) do
      streams = streams + (url:find "/events$" and 1 or 0)
    end
    assert.equal(2, streams)
    page "close"
    assert.equal(1, server:count(START))
  end)

  it("goes on after the worker that polls was killed", function()
    start()
    script({ status = "processing" }, DONE)
    local path = start_job()
    server:wait_for(PROGRESS)
    shell("kill -KILL " .. table.concat(host:workers(), " "))
    server:wait_for(PROGRESS, 2)
    server:release "1"
    server:release "2"
    patience.eventually(function() return get(path).body:find("Done.", 1, true) end)
    assert.equal(1, server:count(START))
  end)

  it("tells a page that nginx has forgotten its job", function()
    start()
    script({ status = "processing" })
    local page = open(start_job())
    server:wait_for(PROGRESS)
    local port = host.port
    host:stop()
    page:wait_for(STATUS .. ".includes('The connection is lost')")
    host = nginx.start(nginx.config "server { listen 127.0.0.1:@PORT@; return 404; }", nil, port)
    page:wait_for(STATUS .. ".includes('does not know this job any more')")
    page "close"
  end)

  it("sends comments while nothing happens, and no more events after the last one was seen", function()
    start { ["progress.lua"] = { "quiet >= 15", "quiet >= 0.5" } }
    script({ status = "processing" }, DONE)
    local path = start_job()
    cekura.run(function()
      local stream = cekura.spawn(get, path .. "/events")
      server:wait_for(PROGRESS)
      cekura.sleep(2)
      server:release "1"
      server:release "2"
      local response = stream:join()
      assert.equal("text/event-stream", response.headers["content-type"])
      assert.truthy(response.body:find "^retry: 1000\n\n", response.body)
      assert.truthy(response.body:find("\n\n: still here\n\n", 1, true), response.body)
      local last = response.body:match '\nid: (%d+)\ndata: {[^\n]*"over":true[^\n]*}\n\n$'
      assert.equal(204, get(path .. "/events", { ["Last-Event-ID"] = last }).status)
      -- A late comer gets the end, and so does one that has missed it.
      for _, seen in ipairs { "", "1" } do
        local events = get(path .. "/events", { ["Last-Event-ID"] = seen }).body
        assert.equal(1, select(2, events:gsub('\ndata: {[^\n]*"over":true', "")))
      end
    end)
    local page = open(path)
    assert.same({ " and kind" }, texts(page, ".diff ins"))
    assert_untroubled(page)
  end)

  -- ---- errors ----

  it("says what went wrong with a job", function()
    start()
    local function body(value)
      return { body = value }
    end
    for _, case in ipairs {
      { body { status = "failed", error = "No rules." }, "The job has failed", "job_failed: .*: No rules%.$" },
      { body { status = "cancelled" }, "The job was cancelled in the service.", "job_cancelled: " },
      { body { status = "needs_input", question = "Why?" }, "The service asks a question", "needs_input: " },
      { { status = 404, body = { detail = "Not found." } }, "The service does not know this job", "gone: .*404" },
      { { status = 401, body = { detail = "No." } }, "The service refuses the key", "auth: .*401" },
      { body { status = "completed", error = "No issues found" }, "Nothing to improve.", "No issues found" },
      { body { status = "completed", output = { improved_prompt = { 1 } } }, "The service has given an answer",
        "protocol: .*no improved_prompt" },
    } do
      server:script(PROGRESS, { case[1] })
      local page = open(start_job())
      local ok = pcall(page.wait_for, page, "!document.getElementById('progress')")
      assert.is_true(ok, page:run(STATUS))
      assert.equal(case[2], page:run(STATUS):sub(1, #case[2]))
      assert.truthy(texts(page, "#outcome p")[1]:find(case[3]), texts(page, "#outcome p")[1])
      assert_untroubled(page)
    end
  end)

  it("says what is wrong with a form, or with a start, and keeps what was entered", function()
    start()
    local page = open "/"
    page("type", { selector = "#prompt", text = "Be <brief>." })
    page("click", { selector = "form[method=post] button", leads = true })
    assert.same({ "Choose at least one call." }, texts(page, ".problem"))
    assert.equal("Be <brief>.", page:run "document.getElementById('prompt').value")
    server:script(START, { { drop = true } })
    page("click", { selector = "[value='5181749']" })
    page("click", { selector = "form[method=post] button", leads = true })
    assert.truthy(texts(page, ".problem")[1]:find "^It is not known whether the job has begun")
    assert.equal("Be <brief>.", page:run "document.getElementById('prompt').value")
    assert.is_true(page:run "document.querySelector('[value=\"5181749\"]').checked")
    page "close"
    for form, problem in pairs { ["call_logs=1"] = "Enter the prompt", ["call_logs=x&prompt=x"] = "Choose at least",
      ["prompt=x&call_logs=1&call_logs=-1&prompt=y"] = "Enter the prompt", [""] = "Choose at least",
      ["call_logs=1&prompt=%FF"] = "UTF-8" } do
      local response = post("/jobs", form)
      assert.equal(400, response.status)
      assert.truthy(response.body:find(problem, 1, true), response.body)
    end
    server:script(CALLS, { { status = 500 } })
    local response = get "/"
    assert.equal(502, response.status)
    assert.truthy(response.body:find("The calls cannot be listed. The service has a fault", 1, true), response.body)
    assert.truthy(response.body:find("They are not known at the moment.", 1, true), response.body)
    server:script(CALLS, { { body = '{"results":[]}' } })
    assert.truthy(get "/".body:find("There are none.", 1, true))
  end)

  it("starts one job for a form that is sent twice, also when the first sending was given up", function()
    start()
    local form = get "/".body:match 'name="form" value="(%x+)"'
    local fields = "call_logs=5181749&prompt=Be+brief.&form=" .. form
    server:script(START, { { hold = "start", body = { progress_id = "5f0c1d2e-0000-4000-8000-000000000001" } } })
    script { status = "processing" }
    local headers = { Origin = host.url, ["Content-Type"] = "application/x-www-form-urlencoded" }
    local where = cekura.run(function()
      local first = cekura.spawn(function()
        return client:request("POST", "/jobs", { body = fields, headers = headers })
      end)
      server:wait_for(START)
      first:cancel() -- its connection is closed, as a browser does at a second click
      local second = cekura.spawn(function() return post("/jobs", fields).headers.location end)
      cekura.sleep(0.2)
      server:release "start"
      return (second:join())
    end)
    assert.truthy(where and where:find "^/jobs/%x+$", where)
    assert.equal(where, post("/jobs", fields).headers.location)
    assert.equal(1, server:count(START))
    server:script(START, { { status = 503 } })
    local other = fields:gsub("form=%x+", "form=0")
    assert.equal(502, post("/jobs", other).status)
    assert.equal(409, post("/jobs", other).status)
  end)

  it("learns from as many calls as are chosen", function()
    start()
    local chosen = {}
    for id = 1, 250 do
      chosen[id] = "call_logs=" .. id
    end
    start_job(table.concat(chosen, "&") .. "&prompt=Be+brief.")
    for _, request in ipairs(server:requests()) do
      if request.path == START then
        assert.truthy(request.body:find('"249","250"],"prompt":"Be brief."}', 1, true), request.body)
      end
    end
  end)

  it("takes long prompts in any script", function()
    start()
    local prompt = ("今日は"):rep(10000)
    local path = start_job("call_logs=5181749&prompt=" .. escape(prompt))
    patience.eventually(function() return get(path).body:find("Done.", 1, true) end)
    assert.truthy(get(path).body:find(prompt, 1, true))
  end)

  it("ends a job whose outcome cannot be kept", function()
    start { ["progress.lua"] = { 'set%(id %.%. "/outcome", {', 'assert(nil, "no memory", {' } }
    local path = start_job()
    assert.truthy(get(path .. "/events").body:find('"over":true', 1, true))
    assert.truthy(get(path).body:find("raised: [^<]*no memory"), get(path).body)
  end)

  it("waits longer for a job whose wait has timed out", function()
    start { ["progress.lua"] = { "job:wait { ", "job:wait { timeout = 1, " } }
    script(DONE)
    local page = open(start_job())
    page:wait_for "document.querySelector('#outcome button')"
    assert.truthy(page:run(STATUS):find "^There is no answer yet")
    server:release "1"
    page("click", { selector = "#outcome button", leads = true })
    page:wait_for(IS_DONE)
    assert_untroubled(page, 2)
  end)

  it("shows the outcome of a start that was answered with it", function()
    start()
    server:script(START, { { body = { status = "completed", output = { improved_prompt = "Be kind.",
      summary_of_changes = { 1 } } } } })
    local page = open(start_job())
    assert.same({ "The service gives none." }, texts(page, "#outcome p.text"))
    assert.same({ "brief" }, texts(page, ".diff del"))
    assert.equal(0, server:count(PROGRESS))
    assert_untroubled(page)
  end)

  -- ---- how it looks ----

  it("is accessible, at 320 and 1,600 pixels, light and dark", function()
    start()
    local long = ("Ask for the name. "):rep(30) .. ("x"):rep(200) .. "\n- Be brief.\n- Be brief.\n"
    server:script(PROGRESS, { { body = { status = "completed", output = {
      improved_prompt = long:gsub("name", "full name"):gsub("\n%- Be brief%.", "", 1) .. "- Be kind.\n",
      summary_of_changes = ("Kindness was added. "):rep(10) } } } })
    local paths = { done = start_job("call_logs=5181749&prompt=" .. escape(long)) }
    patience.eventually(function() return get(paths.done).body:find("Done.", 1, true) end)
    server:script(PROGRESS, { { body = { status = "failed", error = ("word "):rep(40) .. ("x"):rep(150) } } })
    paths.failed = start_job()
    patience.eventually(function() return get(paths.failed).body:find("has failed", 1, true) end)
    script({ status = "processing" }, DONE)
    paths.running = start_job()
    server:release "1"
    patience.eventually(function() return get(paths.running).body:find("processing", 1, true) end)
    local backs = {}
    local function examine(name, path)
      for _, width in ipairs { 320, 1600 } do
        for _, scheme in ipairs { "light", "dark" } do
          local place = ("%s-%d-%s"):format(name, width, scheme)
          local page = open(path, { width = width, scheme = scheme })
          if os.getenv "PICTURES" then
            page("picture", { path = ("%s/nginx-page-%s.png"):format(os.getenv "PICTURES", place) })
          end
          local found = page "examine"
          assert.same({}, found.violations, place)
          assert.is_true(found.overflow <= 0, place)
          assert.is_true(found.passes > 10, place)
          backs[scheme] = page:run "getComputedStyle(document.body).backgroundColor"
          page "close"
        end
      end
    end
    for name, path in pairs(paths) do
      examine(name, path)
    end
    examine("calls", "/")
    server:script(CALLS, { { status = 500 } })
    examine("broken", "/")
    assert.not_equal(backs.light, backs.dark)
  end)
end)
