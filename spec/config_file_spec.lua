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

-- A file with that text; it is removed after the spec.
local function write(text)
  local path = os.tmpname()
  file.write(path, text)
  paths[#paths + 1] = path
  return path
end

local function read_file(path, optional)
  return config_file.read(path, optional, options.settings)
end

local function read(text)
  return read_file(write(text), false)
end

-- The value of `key = text`, as the reader takes it.
local function value_of(text)
  local settings, fault = config_file.parse("key = " .. text)
  assert.is_nil(fault)
  assert.equal(1, #settings)
  assert.equal("key", settings[1].key)
  return settings[1].value
end

local function fault_of(text)
  local settings, fault = config_file.parse(text)
  assert.is_nil(settings)
  return fault
end

after_each(function()
  for index, path in ipairs(paths) do
    os.remove(path)
    paths[index] = nil
  end
end)

describe("a configuration file", function()
  it("gives the settings at its top", function()
    local found = read 'api_key = "sk-1"\napi_url = "https://eu.example.com"\ndefault_project_id = 42\n'
    assert.same({ api_key = "sk-1", api_url = "https://eu.example.com", default_project_id = 42, signed_in = false,
      lines = { api_key = 1, api_url = 2, default_project_id = 3 } },
      found)
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
      assert.same({ lines = {}, signed_in = false }, read(text))
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

describe("a value", function()
  it("in double quotes understands escapes", function()
    assert.equal('say "hi"', value_of [["say \"hi\""]])
    assert.equal("a\\b", value_of [["a\\b"]])
    assert.equal("\\", value_of [["\\"]])
    assert.equal("\b\t\n\f\r", value_of [["\b\t\n\f\r"]])
    assert.equal("", value_of '""')
    assert.equal("it's", value_of [["it's"]])
  end)

  it("in single quotes is taken as it is", function()
    assert.equal([[a\nb]], value_of [['a\nb']])
    assert.equal([[\]], value_of [['\']])
    assert.equal('"x"', value_of [['"x"']])
    assert.equal("", value_of "''")
  end)

  it("may hold any UTF-8", function()
    assert.equal("schlüssel 日本", value_of '"schlüssel 日本"')
  end)

  it("may be a whole number", function()
    assert.equal(42, value_of "42")
    assert.equal(-7, value_of "-7")
    assert.equal(7, value_of "+7")
    assert.equal(1000000, value_of "1_000_000")
    assert.equal(0, value_of "0")
  end)

  it("may be true or false", function()
    assert.is_true(value_of "true")
    assert.is_false(value_of "false")
  end)
end)

describe("a malformed configuration file is refused with the number of the line:", function()
  for _, row in ipairs {
    { "a line without a value", "api_key", 1 },
    { "a name without a value", "api_key =", 1 },
    { "a value without a name", '= "k"', 1 },
    { "a text without quotes", "api_key = sk-1", 1 },
    { "a text without its closing quote", 'api_key = "sk-1', 1 },
    { "a text whose closing quote is escaped", [[api_key = "sk-1\"]], 1 },
    { "a text that begins and ends otherwise", [[api_key = "sk-1']], 1 },
    { "an escape that is not understood", [[api_key = "\x41"]], 1 },
    { "a Unicode escape", [[api_key = "\u0041"]], 1 },
    { "something after the value", 'api_key = "a" "b"', 1 },
    { "something after a table", '[a] api_key = "k"', 1 },
    { "two values", "api_key = 'a''b'", 1 },
    { "a table that is not closed", "[auth\n", 1 },
    { "a list of tables", "[[auth]]\n", 1 },
    { "a list", 'api_key = ["a"]', 1 },
    { "an inline table", "auth = { api_key = 'a' }", 1 },
    { "a dotted name", 'auth.api_key = "a"', 1 },
    { "a bare word", "on = yes", 1 },
    { "a NUL byte", "a = 1\napi_key = \"a\0b\"\n", 2 },
    { "text over several lines", 'a = 1\n\napi_key = """\nk\n"""\n', 3 },
    { "literal text over several lines", "a = 1\napi_key = '''\nk\n'''\n", 2 },
    { "text over several lines that is on one", 'api_key = """k"""', 1 },
    { "the first of several faults", "a = 1\r\n\r\n# x\r\nb\r\nc\r\n", 4 },
    { "what is no text file at all", "\137PNG\r\n\026\n", 1 },
    { "JSON", '{\n  "api_key": "k"\n}', 1 },
  } do
    it(row[1], function()
      local fault = fault_of(row[2])
      assert.equal("line " .. row[3] .. ":", fault:match "^line %d+:")
      assert.is_nil(fault:find("\n", 1, true))
    end)
  end

  it("a setting that stands there twice", function()
    assert.equal("line 2: api_key is set twice", fault_of 'api_key = "a"\napi_key = "a"\n')
    assert.equal("line 3: api_key is set twice", fault_of '[x]\napi_key = "a"\n"api_key" = "b"\n')
  end)

  it("and with its path, when it is read", function()
    local path = write 'api_key = "k"\nnonsense\n'
    local found, fault = read_file(path, true)
    assert.is_nil(found)
    assert.truthy(fault:find(path, 1, true))
    assert.truthy(fault:find("malformed: line 2:", 1, true))
  end)

  it("without showing the key that is in it", function()
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
    { "default_project_id", "true" },
  } do
    it(("is refused, and named: %s = %s"):format(row[1], row[2]), function()
      local found, fault = read(("[a]\n%s = %s\n"):format(row[1], row[2]))
      assert.is_nil(found)
      assert.truthy(fault:find(row[1], 1, true))
      assert.truthy(fault:find(paths[#paths], 1, true))
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
      local found = read(text)
      assert.is_true(found.signed_in)
      assert.is_nil(found.api_key)
    end)
  end

  it("does not hide a key that is there too", function()
    local found = read 'api_key = "k"\naccess_token = "t"\n'
    assert.equal("k", found.api_key)
  end)
end)

describe("a configuration file that is not there", function()
  it("is not an error at the default path", function()
    assert.same({ signed_in = false }, read_file("/nonexistent/cekura/config.toml", true))
    assert.same({ signed_in = false }, read_file("/dev/null/config.toml", true))
  end)

  it("is an error where the program named it", function()
    local found, fault = read_file("/nonexistent/cekura/config.toml", false)
    assert.is_nil(found)
    assert.truthy(fault:find("/nonexistent/cekura/config.toml", 1, true))
  end)
end)

describe("a configuration file that cannot be read", function()
  it("is an error that names it, also at the default path", function()
    for _, optional in ipairs { true, false } do
      local found, fault = read_file("/", optional) -- a directory: not even root reads one
      assert.is_nil(found)
      assert.truthy(fault:find("cannot be read", 1, true))
      assert.truthy(fault:find(" / ", 1, true))
    end
  end)
end)

describe("a key in a configuration file", function()
  local KEY = "sk-very-secret"

  -- Compares the key in the text: a key cannot be read.
  local function has_key(text, key)
    local found = assert(read(text))
    return type(found.api_key) == "userdata" and core.equal_secrets(found.api_key, key or KEY)
  end

  it("is a secret, not a string, however it is written", function()
    for _, line in ipairs {
      'api_key = "%s"', "api_key = '%s'", 'api_key="%s"', '\t"api_key" = "%s"', "'api_key'\t=\t'%s' # it",
      'api_key = "%s"\r', BOM .. 'api_key = "%s"', '# api_key = "another"\n[auth]\n  api_key = "%s"\nx = 1',
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
      'api_key = "%s"\napi_key = \'ab', 'api_key = "%s\0"', 'api_key = """%s"""', "api_key = %s", 'api_key = ["%s"]',
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
    local found, fault = read_file(path, true)
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
    assert.truthy(read_file(path, false).api_key)
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
    return read_file(path, false).warning, path
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
