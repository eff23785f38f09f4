-- The configuration file of the official CLI: what is read out of it, and what is refused.

local config_file = require "cekura.config_file"
local uri = require "cekura.uri"

local BOM = "\239\187\191"
local paths = {}

-- A file with that text; it is removed after the spec.
local function write(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  paths[#paths + 1] = path
  return path
end

local function read(text)
  return config_file.read(write(text), false)
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
  it("tells the settings at its top", function()
    local found = read 'api_key = "sk-1"\napi_url = "https://eu.example.com"\ndefault_project_id = 42\n'
    assert.same({ api_key = "sk-1", api_url = "https://eu.example.com", default_project_id = 42, signed_in = false },
      found)
  end)

  it("tells the settings in a table, whatever its name", function()
    for _, name in ipairs { "default", "profiles.work", '"my profile"', " default ", "a-b_c" } do
      local found = read(("# a comment\n\n[%s]\napi_key = 'sk-1'\ndefault_project_id = '42'\n"):format(name))
      assert.equal("sk-1", found.api_key)
      assert.equal("42", found.default_project_id)
    end
  end)

  it("means the top, if a setting stands there and in a table", function()
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
      assert.same({ signed_in = false }, read(text))
    end
  end)

  it("may hold settings that this client does not know", function()
    local found = read 'default_organization_id = 7\ncolor = true\nratio = 1.5\nsince = 2026-06-30\napi_key = "k"\n'
    assert.equal("k", found.api_key)
  end)

  it("tells nothing for a setting that is empty", function()
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

  it("may be indented, and spaced as one likes", function()
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
    local found, fault = config_file.read(path, true)
    assert.is_nil(found)
    assert.truthy(fault:find(path, 1, true))
    assert.truthy(fault:find("malformed: line 2:", 1, true))
  end)

  it("without telling the key that is in it", function()
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

  it("is none, if both tables say the same", function()
    assert.equal("k", read('[work]\napi_key = "k"\n[home]\napi_key = "k"\n').api_key)
  end)

  it("is none, if the setting is one that is not used here", function()
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
    it("is noticed by " .. name, function()
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
  it("is no fault at the place where one may be", function()
    assert.same({ signed_in = false }, config_file.read("/nonexistent/cekura/config.toml", true))
    assert.same({ signed_in = false }, config_file.read("/dev/null/config.toml", true))
  end)

  it("is a fault where a program has named it", function()
    local found, fault = config_file.read("/nonexistent/cekura/config.toml", false)
    assert.is_nil(found)
    assert.truthy(fault:find("/nonexistent/cekura/config.toml", 1, true))
  end)
end)

describe("a configuration file that cannot be read", function()
  it("is a fault that names it, also where none need be", function()
    for _, optional in ipairs { true, false } do
      local found, fault = config_file.read("/", optional) -- a directory: not even root reads one
      assert.is_nil(found)
      assert.truthy(fault:find("cannot be read", 1, true))
      assert.truthy(fault:find(" / ", 1, true))
    end
  end)
end)
