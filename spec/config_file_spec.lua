-- The configuration file of the official CLI: what is read from it, and what is refused.

local cekura = require "cekura"
local config_file = require "cekura.client.config_file"
local core = require "cekura.core"
local file = require "spec.support.file"
local options = require "cekura.client.options"
local shell = require "spec.support.shell"
local uri = require "cekura.http.uri"

local BOM = "\239\187\191"
local paths = {}

-- Writes a file with that text, which is removed after the spec. Returns its path.
local function write(text)
  local path = os.tmpname()
  file.write(path, text)
  paths[#paths + 1] = path
  return path
end

-- The file as the program has named it, or, by what comes from elsewhere, as the default one.
local function read_file(path, elsewhere)
  return config_file.read(path, options.settings, elsewhere)
end

-- The settings, and all that is read; or nil and the fault.
local function read(text)
  local found, fault = read_file(write(text))
  return found and found.values, found or fault
end

after_each(function()
  for index, path in ipairs(paths) do
    os.remove(path)
    paths[index] = nil
  end
end)

describe("a configuration file", function()
  it("gives the settings at its top", function()
    local values, found = read 'api_key = "sk-1"\n\napi_url = "https://eu.example.com"\ndefault_project_id = 42\n'
    assert.same({ api_key = "sk-1", api_url = "https://eu.example.com", default_project_id = 42 }, values)
    assert.same({ api_key = 1, api_url = 3, default_project_id = 4 }, found.lines)
    assert.is_false(found.signed_in)
  end)

  it("gives the settings in a table, whatever its name", function()
    for _, name in ipairs { "default", "profiles.work", '"my profile"', " default ", "a-b_c" } do
      local found = read(("# a comment\n\n[%s]\napi_key = 'sk-1'\ndefault_project_id = '42'\n"):format(name))
      assert.equal("sk-1", found.api_key)
      assert.equal("42", found.default_project_id)
    end
  end)

  it("gives the setting at the top, if a table has it too", function()
    local found = read 'api_key = "top"\n[profile]\napi_key = "inner"\n'
    assert.equal("top", found.api_key)
  end)

  it("takes its settings from several tables", function()
    local found = read '[auth]\napi_key = "k"\n[settings]\napi_url = "https://x.example"\n'
    assert.equal("k", found.api_key)
    assert.equal("https://x.example", found.api_url)
  end)

  it("may be empty, or hold comments only", function()
    for _, text in ipairs { "", "\n\n", "# nothing\n  # here", BOM } do
      assert.same({}, read(text))
    end
  end)

  it("may hold settings that this client does not know", function()
    local found = read 'default_organization_id = 7\ncolor = true\nratio = 1.5\nsince = 2026-06-30\napi_key = "k"\n'
    assert.equal("k", found.api_key)
  end)

  it("gives nothing for a setting that is empty", function()
    local found = read 'api_key = ""\napi_url = \'\'\n'
    assert.is_nil(found.api_key)
    assert.is_nil(found.api_url)
  end)

  it("may end without a newline", function()
    assert.equal("k", read('api_key = "k"').api_key)
  end)

  it("may begin with a byte order mark", function()
    assert.equal("k", read(BOM .. 'api_key = "k"\n').api_key)
    assert.equal("k", read(BOM .. '[a]\napi_key = "k"\n').api_key)
  end)

  it("may have lines that end in CR LF", function()
    local found = read '# x\r\n[a]\r\napi_key = "k"\r\n\r\ndefault_project_id = 5\r\n'
    assert.equal("k", found.api_key)
    assert.equal(5, found.default_project_id)
  end)

  it("may be indented, and spaced in any way", function()
    assert.equal("k", read('  [a]  \n\tapi_key="k"  \n').api_key)
    assert.equal("k", read('api_key\t =\t"k"').api_key)
  end)

  it("may have comments after tables and values", function()
    local found = read '[a] # the "one"\napi_key = "k#1" # not = "this"\ndefault_project_id = 5# five\n'
    assert.equal("k#1", found.api_key)
    assert.equal(5, found.default_project_id)
  end)

  it("may put names in quotes", function()
    assert.equal("k", read('"api_key" = "k"').api_key)
    assert.equal("k", read("'api_key' = 'k'").api_key)
  end)
end)

describe("a configuration file may have all of TOML:", function()
  local KEY = "sk-very-secret"

  for name, text in pairs {
    ["an inline table"] = "auth = { api_key = '%s', scopes = [] }",
    ["a dotted name"] = 'auth.api_key = "%s"',
    ["a name in quotes with dots"] = '"auth"."api_key" = "%s"',
    ["a list of tables"] = '[[profiles]]\napi_key = "%s"\n[[profiles]]\nname = "other"',
    ["a list of inline tables"] = 'profiles = [\n  { name = "x", api_key = "%s" }, # one\n]',
    ["text over several lines"] = 'motd = """\napi_key = "not this one"\n\\\n  """\napi_key = "%s"',
    ["literal text over several lines"] = "motd = '''\napi_key = \"not this one\"\n'''\napi_key = \"%s\"",
    ["the key between three quotes"] = 'api_key = """\n%s"""',
    ["dates, times and numbers"] = "a = 1979-05-27T07:32:00Z\nb = 07:32:00\nc = 0xff\nd = 1e-3\ne = nan\n"
      .. "f = [ 1, 2.5, [ true ] ]\napi_key = '%s'",
    ["what looks like the key in a comment and in text"] = '# api_key = "not this one"\na = "api_key = "\n'
      .. "b = 'api_key = \"not this one\"'\napi_key = '%s'",
  } do
    it(name, function()
      local values = assert(read((text:gsub("%%s", KEY))))
      assert.equal("cekura.secret", tostring(values.api_key))
      assert.is_true(core.equal_secrets(values.api_key, KEY))
    end)
  end

  it("an escaped key, which is then a string", function()
    assert.equal("sk-Ab-cdefghi", read([[api_key = "sk-\u0041b-cdefghi"]]).api_key)
  end)
end)

describe("a malformed configuration file", function()
  it("is refused with its path and the line", function()
    local path = write 'api_key = "k"\nnonsense\n'
    local found, fault = read_file(path)
    assert.is_nil(found)
    assert.equal(("the configuration file %s:2 is malformed: there is no = after the name"):format(path), fault)
  end)

  it("is one in which a setting stands twice", function()
    local _, fault = read '[x]\napi_key = "a"\n"api_key" = "b"\n'
    assert.truthy(fault:find(":3 is malformed: this name is already defined in line 2", 1, true), fault)
  end)

  it("is refused without showing the key that is in it", function()
    for _, text in ipairs { 'api_key = "sk-secret', "api_key = sk-secret", 'api_key = "sk-secret" x' } do
      local _, fault = read(text)
      assert.is_nil(fault:find("sk-secret", 1, true))
    end
  end)
end)

describe("an ambiguous configuration file", function()
  it("is refused, and the two tables are named", function()
    local found, fault = read '[work]\napi_key = "sk-1"\n[home]\napi_key = "sk-2"\n'
    assert.is_nil(found)
    assert.truthy(fault:find(":2 is ambiguous: ", 1, true))
    assert.truthy(fault:find("in line 4", 1, true))
    assert.truthy(fault:find("[work]", 1, true))
    assert.truthy(fault:find("[home]", 1, true))
    assert.truthy(fault:find("api_key", 1, true))
    assert.is_nil(fault:find("sk-", 1, true))
  end)

  it("is not one whose tables agree", function()
    assert.equal("k", read('[work]\napi_key = "k"\n[home]\napi_key = "k"\n').api_key)
  end)

  it("is not one whose ambiguous setting is not used here", function()
    assert.equal("k", read('api_key = "k"\n[a]\ncolor = 1\n[b]\ncolor = 2\n').api_key)
  end)
end)

describe("a setting of a wrong type", function()
  for _, row in ipairs {
    { "api_key", "5" }, { "api_key", "true" }, { "api_url", "false" }, { "api_url", "1" },
    { "default_project_id", "true" }, { "api_key", "['sk-very-secret']" }, { "api_key", "2026-06-30" },
    { "default_project_id", "1.5" },
  } do
    it(("is refused, and named: %s = %s"):format(row[1], row[2]), function()
      local found, fault = read(("[a]\n%s = %s\n"):format(row[1], row[2]))
      assert.is_nil(found)
      assert.truthy(fault:find(row[1], 1, true))
      assert.truthy(fault:find(paths[#paths] .. ":2 has a wrong value", 1, true), fault)
      assert.is_nil(fault:find("secret", 1, true))
    end)
  end
end)

describe("a project id", function()
  for _, digits in ipairs { "9007199254740991", "9007199254740993", "9223372036854775807", "123456789012345678901" } do
    it("is sent as it stands in the file, never rounded: " .. digits, function()
      local found = read("default_project_id = " .. digits)
      assert.equal(digits, uri.text("project_id", found.default_project_id))
    end)
  end
end)

describe("a browser sign-in", function()
  for name, text in pairs {
    ["an access token"] = 'access_token = "t"\n',
    ["tokens in a table"] = '[auth]\nrefresh_token = "t"\nexpires_at = 5\n',
    ["a table of its own"] = '[oauth]\nvalue = "t"\n',
    ["a table below another"] = '[auth.oauth]\nvalue = "t"\n',
  } do
    it("is recognized by " .. name, function()
      local values, found = read(text)
      assert.is_true(found.signed_in)
      assert.is_nil(values.api_key)
    end)
  end

  it("does not hide a key that is there too", function()
    local found = read 'api_key = "k"\naccess_token = "t"\n'
    assert.equal("k", found.api_key)
  end)
end)

describe("a configuration file that is not there", function()
  it("is not an error at the default path", function()
    local found = read_file("/nonexistent/cekura/config.toml", { key = false, url = false })
    assert.same({ values = {}, lines = {}, signed_in = false }, found)
  end)

  it("is an error where the program named it", function()
    local found, fault = read_file "/nonexistent/cekura/config.toml"
    assert.is_nil(found)
    assert.truthy(fault:find("/nonexistent/cekura/config.toml", 1, true))
  end)
end)

describe("the default configuration file", function()
  -- Each fault, with what must come from elsewhere so that it is only warned of.
  local function check_fault(path, why, needs_url)
    for _, key in ipairs { true, false } do
      for _, url in ipairs { true, false } do
        local found, fault = read_file(path, { key = key, url = url })
        if key and (url or not needs_url) then
          assert.same({ {}, {}, false }, { found.values, found.lines, found.signed_in })
          local event = found.warning
          assert.same({ "warning", "config_file_ignored", path }, { event.name, event.warning, event.file })
          fault = event.message
        else
          assert.is_nil(found)
          assert.truthy(fault:find(needs_url and "both the API key and the base URL" or "the API key must be given", 1,
            true), fault)
        end
        assert.truthy(fault:find(path, 1, true) and fault:find(why, 1, true), fault)
      end
    end
    assert.is_nil(read_file(path))
  end

  it("that cannot be looked at is skipped if the key comes from elsewhere", function()
    check_fault("/dev/null/config.toml", "Not a directory", false)
  end)

  it("that cannot be read, or is malformed, is skipped if key and URL both come from elsewhere", function()
    check_fault("/", "it is not a regular file", true)
    check_fault(write 'api_key = "sk-very-secret"\nx', ":2 is malformed", true)
    check_fault(write 'api_key = 7', ":1 has a wrong value", true)
    check_fault(write '[a]\napi_url = "x"\n[b]\napi_url = "y"', ":2 is ambiguous", true)
  end)

  it("is reported to on_event when the client is made", function()
    local command = [[%s -e '
      local cekura = require "cekura"
      local client = cekura.assert(cekura.new { on_event = function(event)
        print(event.name, event.warning, event.file, event.message)
      end })
      client:close()' 2>&1]]
    local function run(variables)
      return (shell("env HOME=/dev/null " .. variables .. " " .. command:format(os.getenv "CEKURA_LUA" or "lua5.4")))
    end
    local fault = "the configuration file /dev/null/.cekura/config.toml cannot be read: Not a directory"
    assert.equal("warning\tconfig_file_ignored\t/dev/null/.cekura/config.toml\t" .. fault .. "\n",
      run "CEKURA_API_KEY=sk-1")
    assert.truthy(run "":find("cekura: config: " .. fault, 1, true))
  end)
end)

-- The home of another user, as where a server has dropped its privileges and keeps HOME.
describe("a configuration file in a directory that may not be searched", function()
  local directory

  setup(function()
    directory = shell "mktemp -d":gsub("%s", "")
    local built = (os.getenv "CEKURA_BUILD" or "build") .. "/" .. (os.getenv "CEKURA_LUA" or "lua5.4")
    shell((("mkdir -p D/home/.cekura D/build && cp -r lua D && cp -r BUILT D/build && chmod -R a+rX D")
      :gsub("%u+", { D = directory, BUILT = built })))
    file.write(directory .. "/home/.cekura/config.toml", 'api_key = "sk-of-the-file"\n')
    file.write(directory .. "/program.lua", [[
      local cekura = require "cekura"
      local client, err = cekura.new { on_event = function(event) print(event.warning, event.message) end }
      print(client and "made" or err.kind .. ": " .. err.message)
    ]])
  end)

  teardown(function()
    shell(("chmod -R u+rwX %s; rm -rf %s"):format(directory, directory))
  end)

  -- As another user, if root runs the specs: for root, no directory is closed.
  local function run(variables)
    local lua = os.getenv "CEKURA_LUA" or "lua5.4"
    local other = shell "id -u":find "^0" and "setpriv --reuid=65534 --regid=65534 --clear-groups" or ""
    local command = "cd D && HOME=D/home LUA_PATH='D/lua/?.lua;D/lua/?/init.lua;;' LUA_CPATH='D/build/LUA/?.so;;' "
      .. "env VARIABLES OTHER LUA program.lua 2>&1"
    return (shell((command:gsub("%f[%w_]%u+%f[^%w_]",
      { D = directory, LUA = lua, VARIABLES = variables, OTHER = other }))))
  end

  it("is skipped, with a warning, if the key comes from elsewhere", function()
    for _, closed in ipairs { ".cekura/config.toml", ".cekura", "" } do
      shell(("chmod 0 %s/home/%s"):format(directory, closed))
      local fault = ("the configuration file %s/home/.cekura/config.toml cannot be read: Permission denied"):format(
        directory)
      assert.equal(("config_file_ignored\t%s\nmade\n"):format(fault), run "CEKURA_API_KEY=sk-1")
      assert.equal(("config: %s; without this file the API key must be given\n"):format(fault), run "")
      shell(("chmod 755 %s/home/%s"):format(directory, closed))
    end
  end)
end)

describe("a key in a configuration file", function()
  local KEY = "sk-very-secret"

  -- Compares the key in the text: a key cannot be read.
  local function has_key(text, key)
    local values = assert(read(text))
    return type(values.api_key) == "userdata" and core.equal_secrets(values.api_key, key or KEY)
  end

  it("is a secret, not a string, however it is written", function()
    for _, line in ipairs {
      'api_key = "%s"', "api_key = '%s'", 'api_key="%s"', '\t"api_key" = "%s"', "'api_key'\t=\t'%s' # it",
      'api_key = "%s"\r\n', BOM .. 'api_key = "%s"', '# api_key = "another"\n[auth]\n  api_key = "%s"\nx = 1',
      'x = 1\napi_key = "%s"',
      'api_key = "%s"\n[a]\napi_key = "another-key"', '[a]\napi_key = "%s"\n[b]\napi_key = "%s"',
    } do
      assert.is_true(has_key((line:gsub("%%s", KEY))), line)
    end
    assert.equal("cekura.secret", tostring(read('api_key = "' .. KEY .. '"').api_key))
  end)

  it("leaves the settings around it as they are", function()
    local found = read('api_url = "https://a.example"\napi_key = "' .. KEY .. '"\ndefault_project_id = 42')
    assert.equal("https://a.example", found.api_url)
    assert.equal(42, found.default_project_id)
  end)

  it("has the characters of its string, escaped ones too", function()
    assert.equal('sk-"quoted"-key', read([[api_key = "sk-\"quoted\"-key"]]).api_key)
    assert.is_true(has_key([[api_key = 'sk-"quoted"-key']], 'sk-"quoted"-key'))
    assert.is_true(has_key('api_key = "schlüssel-日本"', "schlüssel-日本"))
    assert.is_true(has_key('api_key = "11111111"', "11111111"))
  end)

  it("is refused in the same ways as any setting, and not shown", function()
    for _, text in ipairs {
      'api_key = "%s', 'api_key = "%s" x', 'api_key = "%s"\napi_key = "%s"',
      '[a]\napi_key = "%s"\n[b]\napi_key = "%sx"',
      'api_key = "%s"\napi_key = \'ab', 'api_key = "%s\0"', 'api_key = "%s\255"', "api_key = %s", 'api_key = ["%s"]',
      'api_key = """%s', 'a = { api_key = "%s"', 'api_key = { "%s" = 1 }, x',
    } do
      local found, fault = read((text:gsub("%%s", KEY)))
      assert.is_nil(found, text)
      assert.is_nil(fault:find("secret", 1, true), fault)
    end
  end)

  it("is not taken from a setting whose name only begins so", function()
    for _, name in ipairs { "api_keys", "api_key_id", "my_api_key", "api_key2" } do
      assert.is_nil(assert(read(name .. ' = "' .. KEY .. '"')).api_key)
    end
  end)
end)

describe("a configuration file that is", function()
  local function refused(path, why)
    local found, fault = read_file(path)
    assert.is_nil(found)
    assert.equal(("the configuration file %s cannot be read: %s"):format(path, why), fault)
  end

  it("a FIFO, a device or a directory is refused at once", function()
    local path = write ""
    shell(("rm %s && mkfifo %s"):format(path, path))
    for _, each in ipairs { path, "/dev/zero", "/tmp" } do
      refused(each, "it is not a regular file")
    end
  end)

  it("a symbolic link is what the link leads to", function()
    local target, path = write 'api_key = "sk-very-secret"', write ""
    shell(("ln -sf %s %s"):format(target, path))
    assert.truthy(read_file(path).values.api_key)
    shell(("ln -sf /dev/zero %s"):format(path))
    refused(path, "it is not a regular file")
    shell(("ln -sfn %s %s"):format(path, path))
    refused(path, "Too many levels of symbolic links")
  end)

  it("larger than 64 KB is refused, not read in part", function()
    local line = 'api_key = "sk-very-secret"\n'
    assert.truthy(read(("#"):rep(65536 - #line - 1) .. "\n" .. line).api_key)
    refused(write(("#"):rep(65536 - #line) .. "\n" .. line), "it is larger than 64 KB")
  end)
end)

describe("a configuration file that others can read", function()
  local function warning(mode, text)
    local path = write(text or 'api_key = "sk-very-secret"\n')
    shell(("chmod %s %s"):format(mode, path))
    return read_file(path).warning, path
  end

  it("makes a warning event when it holds a key or a sign-in", function()
    for mode, readable in pairs { ["600"] = false, ["400"] = false, ["700"] = false, ["640"] = true, ["604"] = true,
      ["660"] = true, ["644"] = true, ["755"] = true, ["620"] = false, ["611"] = false, ["4600"] = false } do
      local event, path = warning(mode)
      assert.equal(readable, event ~= nil, mode)
      if event then
        assert.equal("warning", event.name)
        assert.equal("config_file_readable_by_others", event.warning)
        assert.equal(path, event.file)
        assert.truthy(event.message:find(path, 1, true))
        assert.truthy(event.message:find("mode " .. mode, 1, true))
        assert.is_nil(event.message:find("secret", 1, true))
      end
    end
    assert.truthy(warning("644", "access_token = 'x'\n"))
    assert.is_nil(warning("644", "api_url = 'https://a.example'\n"))
  end)

  it("is reported to on_event when the client is made, and is not an error", function()
    local events = {}
    local function on_event(event)
      events[#events + 1] = event
    end
    local path = write 'api_key = "sk-very-secret"\n'
    for count, mode in ipairs { "644", "600" } do
      shell(("chmod %s %s"):format(mode, path))
      events = {}
      local client = assert(cekura.new { config_file = path, base_url = "http://127.0.0.1:1", on_event = on_event })
      client:close()
      assert.equal(2 - count, #events)
      assert(cekura.new { config_file = path, base_url = "http://127.0.0.1:1" }):close()
    end
  end)
end)
