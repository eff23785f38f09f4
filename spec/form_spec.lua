--- Forms with files: client:request { multipart = … }, and operations that take files.

local cekura = require "cekura"
local core = require "cekura.core"
local descriptors = require "spec.support.descriptors"
local file = require "spec.support.file"
local shell = require "spec.support.shell"
local simulator = require "spec.support.simulator"

local LARGE = ("0123456789abcdef"):rep(65536) .. "end" -- just over 1 MiB: streamed

describe("a form", function()
  local server = simulator.during(setup, teardown)
  local client, dir

  before_each(function()
    server:reset()
    client = server:renew_client()
    dir = shell "mktemp -d":gsub("%s", "")
  end)

  after_each(function()
    shell("rm -rf " .. dir)
  end)

  local function written(name, text)
    file.write(dir .. "/" .. name, text)
    return dir .. "/" .. name
  end

  -- The parts of the last request's body: { head, content }, in their order.
  local function sent_parts()
    local sent = server:requests()
    sent = sent[#sent]
    local boundary = sent.headers["content-type"]:match "^multipart/form%-data; boundary=(cekura%-%x+)$"
    local parts, place = {}, 1
    local last = "--" .. boundary .. "--\r\n"
    assert.equal(last, sent.body:sub(-#last))
    assert.equal(#sent.body, tonumber(sent.headers["content-length"]))
    while sent.body:sub(place, place + #last - 1) ~= last do
      local head_end, start = sent.body:find("\r\n\r\n", place, true)
      local finish, next_place = sent.body:find("\r\n--" .. boundary, start, true)
      parts[#parts + 1] = { sent.body:sub(place, head_end - 1), sent.body:sub(start + 1, finish - 1) }
      place = next_place - #boundary - 1
    end
    return parts
  end

  -- How many descriptors of files in the folder this program has.
  local function open_files()
    return descriptors(core.pid(), dir)
  end

  it("has fields and files in the order of their names, and fields come first", function()
    local large = written("b large.txt", LARGE)
    cekura.assert(client:request("POST", "/echo/", { multipart = {
      z = "text", list = { 1, "two", true }, object = { a = 1 }, empty = cekura.null,
      y = { path = large, content_type = "text/plain" }, a = { data = "x\0y", name = 'q"\r\nX: 1.txt' },
    } }))
    local parts = sent_parts()
    local heads, contents = {}, {}
    for index, part in ipairs(parts) do
      heads[index], contents[index] = part[1]:match 'form%-data; (.*)$', part[2]
    end
    assert.same({ "1", "two", "true", '{"a":1}', "text", "x\0y", LARGE }, contents)
    assert.equal('name="list"', heads[1])
    assert.equal('name="object"', heads[4])
    assert.equal('name="z"', heads[5])
    assert.equal('name="a"; filename="q%22%0D%0AX: 1.txt"\r\nContent-Type: application/octet-stream', heads[6])
    assert.equal('name="y"; filename="b large.txt"\r\nContent-Type: text/plain', heads[7])
  end)

  it("takes several files for one field, of any size", function()
    local paths = { written("0", ""), written("1", LARGE), written("2", "small"), written("3", LARGE .. LARGE) }
    cekura.assert(client.agents:upload_knowledge_base(2142,
      { files = { paths[1], paths[2], { path = paths[3], name = "three.md" }, paths[4], { data = "bytes" } } }))
    local contents, names = {}, {}
    for index, part in ipairs(sent_parts()) do
      contents[index] = part[2]
      names[index] = part[1]:match 'name="files"; filename="(.-)"'
    end
    assert.same({ "", LARGE, "small", LARGE .. LARGE, "bytes" }, contents)
    assert.same({ "0", "1", "three.md", "3", "file" }, names)
    assert.same({}, server:admin("GET", "memory/").faults)
  end)

  it("leaves no descriptor open, however it ends, and long before the collector finds it", function()
    local path = written("large", LARGE)
    local function send(options)
      return client:request("POST", "/echo/", { multipart = { a = { path = path }, b = { path = path } },
        timeout = options and options.timeout })
    end
    collectgarbage "stop"
    for _ = 1, 10 do
      cekura.assert(send())
    end
    server:script("/echo/", { { status = 500, body = "no" } })
    for _ = 1, 10 do
      assert.equal("server", select(2, send()).kind)
    end
    server:script("/echo/", { { drop = true } })
    for _ = 1, 10 do
      assert.equal("unknown_outcome", select(2, send()).kind)
    end
    local left = open_files()
    collectgarbage "restart"
    assert.equal(0, left)
  end)

  it("leaves no descriptor open if its task is cancelled or its client closed", function()
    local path = written("large", LARGE)
    local function send()
      return client:request("POST", "/echo/", { multipart = { a = { path = path } } })
    end
    local kinds = {}
    collectgarbage "stop"
    server:script("/echo/", { { hold = "never" } })
    cekura.run(function()
      local tasks = {}
      for index = 1, 6 do
        tasks[index] = cekura.spawn(send)
      end
      server:wait_for("/echo/", 6)
      assert.is_true(open_files() > 0)
      for index = 1, 3 do
        tasks[index]:cancel()
      end
      cekura.sleep(0.05)
      client:close()
      for index = 1, 6 do
        kinds[index] = select(2, tasks[index]:join()).kind
      end
    end)
    assert.same({ "cancelled", "cancelled", "cancelled", "closed", "closed", "closed" }, kinds)
    local left = open_files()
    collectgarbage "restart"
    assert.equal(0, left)
  end)

  it("leaves no descriptor open if an event handler raises", function()
    local path = written("large", LARGE)
    for _, name in ipairs { "request_started", "request_finished" } do
      client = server:renew_client { on_event = function(event)
        if event.name == name then
          error("handler", 0)
        end
      end }
      collectgarbage "stop"
      local ok, raised = pcall(client.request, client, "POST", "/echo/", { multipart = { a = { path = path } } })
      local left = open_files()
      collectgarbage "restart"
      assert.same({ false, "handler", 0 }, { ok, raised, left })
    end
  end)

  it("is sent from the beginning again after a 429, and not again after a 503", function()
    local path = written("large", LARGE)
    server:script("/echo/", { { status = 429, headers = { ["Retry-After"] = "0" } }, { pass = true } })
    cekura.assert(client:request("POST", "/echo/", { multipart = { a = { path = path } } }))
    assert.equal(2, server:count "/echo/")
    assert.equal(LARGE, sent_parts()[1][2])
    server:reset()
    server:script("/echo/", { { status = 503 }, { pass = true } })
    local reply, err = client:request("POST", "/echo/", { multipart = { a = { path = path } } })
    assert.is_nil(reply)
    assert.equal("server", err.kind)
    assert.equal(1, server:count "/echo/")
  end)

  it("of which a file grows or shrinks while it is sent is an error of kind config", function()
    for _, change in ipairs { "printf more >> %s", "truncate -s 1100000 %s", ": > %s" } do
      local path = written("changing", LARGE:rep(16))
      local changing = server:client { on_event = function(event)
        if event.name == "request_started" then
          shell(change:format(path))
        end
      end }
      local reply, err = changing:request("POST", "/echo/", { multipart = { a = { path = path } } })
      changing:close()
      assert.is_nil(reply)
      assert.equal("config", err.kind)
      assert.is_true(err.sent)
      assert.truthy(err.message:find("multipart: " .. path .. ": its size has changed", 1, true), err.message)
    end
  end)

  it("with a file that cannot be opened is an error of kind config, and nothing is sent", function()
    local path = written("large", LARGE)
    for _, bad in ipairs { dir, dir .. "/nowhere", "/dev/zero", "" } do
      local reply, err = client:request("POST", "/echo/", { multipart = { a = { path = path }, b = { path = bad } } })
      assert.is_nil(reply)
      assert.equal("config", err.kind)
      assert.is_false(err.sent)
      reply, err = client.agents:upload_knowledge_base(1, { files = { path, bad } })
      assert.is_nil(reply)
      assert.equal("config", err.kind)
    end
    assert.equal(0, open_files())
    assert.same({}, server:requests())
  end)

  it("raises at the caller's line what is wrong with it", function()
    local function refused(message, multipart, body)
      local ok, raised = pcall(function()
        return client:request("POST", "/echo/", { multipart = multipart, body = body })
      end)
      assert.is_false(ok)
      assert.truthy(raised:find("^spec/form_spec.lua:%d+: cekura: " .. message), raised)
    end
    refused("options: multipart and body exclude each other", {}, "x")
    refused("multipart: table expected, got number", 5)
    refused("multipart.a: path and data exclude each other", { a = { path = "x", data = "y" } })
    refused("multipart.a.path: string expected", { a = { path = 5 } })
    refused("multipart.a: there is no option nam", { a = { data = "", nam = "x" } })
    refused("multipart.a%[2%]: table expected", { a = { { data = "" }, "x" } })
    refused("multipart: the name of a field: string expected", { "x" })
    refused("multipart: a", { a = print })
    refused("multipart: a", { a = { { print } } })
    refused("multipart: a", { a = { print } })
    local ok, raised = pcall(function()
      return client.agents:upload_knowledge_base(5, { files = {} })
    end)
    assert.is_false(ok)
    assert.truthy(raised:find("^spec/form_spec.lua:%d+: .*there is no file in it"), raised)
  end)

  it("without a field is a form all the same", function()
    cekura.assert(client:request("POST", "/echo/", { multipart = {} }))
    assert.same({}, sent_parts())
  end)

  it("is sent with the headers of its request", function()
    cekura.assert(client:request("POST", "/echo/", { multipart = { a = "b" }, headers = { Accept = "text/plain" } }))
    assert.equal("text/plain", server:requests()[1].headers.accept)
    assert.equal("b", sent_parts()[1][2])
  end)
end)
