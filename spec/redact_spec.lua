-- What a recording leaves out: secrets, hosts, phone numbers, e-mail addresses.

local json_text = require "cekura.testing.json_text"
local names = require "cekura.testing.redact.names"
local phones = require "cekura.testing.redact.phones"
local redact = require "cekura.testing.redact"
local secrets = require "cekura.testing.redact.secrets"
local stand_ins = require "cekura.testing.redact.stand_ins"

local KEY = "ck_9f8a/77+b c=d"

local function redactor()
  local made = redact.new { replace = stand_ins.new() }
  made:add_secret(KEY)
  made:add_service "https://api.acme.com/v1"
  return made
end

-- Each row: what it shows, what goes in, what comes out; without the third, nothing changes.
local function each_row(rows, convert)
  for _, row in ipairs(rows) do
    it(row[1], function()
      local expected = row[3] or row[2]
      local one = redactor()
      assert.equal(expected, convert(one, row[2]))
      assert.equal(expected, convert(one, expected), "what was redacted stays as it is")
      assert.equal(expected, convert(redactor(), expected), "by another redactor, too")
    end)
  end
end

describe("in a text the redactor takes out", function()
  local base64 = secrets.base64
  each_row({
    { "the key", "key " .. KEY .. ".", "key REDACTED." },
    { "the key within a word", "<" .. KEY .. ">", "<REDACTED>" },
    { "the key in a URL", "a ck_9f8a%2F77%2Bb%20c%3Dd b", "a REDACTED b" },
    { "the key in a URL with small letters", "a ck_9f8a%2f77%2bb%20c%3dd b", "a REDACTED b" },
    { "the key in base64", "a " .. base64(KEY) .. " b", "a REDACTEDA== b" },
    { "the key behind a user in base64", "a " .. base64("user:" .. KEY) .. " b", "a dXNlcjpREDACTED b" },
    { "a bearer", "Authorization is Bearer abcdefgh12345678", "Authorization is Bearer REDACTED" },
    { "basic credentials", "sends Basic dXNlcjpwYXNz there", "sends Basic REDACTED there" },
    { "a JWT", "with eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJ here", "with REDACTED here" },
    { "a service's token", "use sk-abcdefghijklmnop0123 now", "use REDACTED now" },
    { "a key of Amazon", "AKIAIOSFODNN7EXAMPLE1", "REDACTED" },
    { "a private key", "-----BEGIN RSA PRIVATE KEY-----\nMII=\n-----END RSA PRIVATE KEY-----", "REDACTED" },
    { "a value by its name", "password=hunter2&x=1", "password=REDACTED&x=1" },
    { "a value by its name in quotes", "{'api_key': 'abc'}", "{'api_key': 'REDACTED'}" },
    { "a header's line", "Cookie: a=b; c=d\r\nAccept: x", "Cookie: REDACTED\r\nAccept: x" },
    { "the name of a secret header", "no X-Acme-Secret was sent", "no X-Redacted was sent" },
    { "a host", "see https://eu.acme.com/a/b?c=d.", "see https://host-1.invalid/a/b?c=d." },
    { "a host with a port", "ws://rooms.acme.com:7880/rtc", "ws://host-1.invalid:7880/rtc" },
    { "equal hosts alike", "http://a.acme.com http://b.acme.com http://A.acme.com",
      "http://host-1.invalid http://host-2.invalid http://host-1.invalid" },
    { "the service's own URL", "https://api.acme.com/v1/calls/?page=2", "https://service.invalid/calls/?page=2" },
    { "an address as host", "http://10.1.2.3/x http://[fe80::1]:80/",
      "http://host-1.invalid/x http://host-2.invalid:80/" },
    { "the user of a URL", "https://me:secret@a.acme.com/", "https://host-1.invalid/" },
    { "a host without a URL", "ask gateway.acme.com, please", "ask host-1.invalid, please" },
    { "a host that a URL has named", "https://gw-7/x is gw-7", "https://host-1.invalid/x is host-1.invalid" },
    { "a bare address", "from 192.168.0.7 on", "from host-1.invalid on" },
    { "all values of a signed URL", "https://b.s3.amazonaws.com/r.wav?X-Amz-Expires=9&X-Amz-Signature=ab12",
      "https://host-1.invalid/r.wav?X-Amz-Expires=REDACTED&X-Amz-Signature=REDACTED" },
    { "a token in a URL", "https://a.acme.com/?token=abc&a=1#access_token=x",
      "https://host-1.invalid/?token=REDACTED&a=1#access_token=REDACTED" },
    { "a URL in a URL", "https://a.acme.com/?to_url=https%3A%2F%2Fb.acme.com%2F",
      "https://host-1.invalid/?to_url=https%3A%2F%2Fhost-2.invalid%2F" },
    { "an e-mail address", "write to jane.doe+x@acme.co.uk!", "write to person-1@mail.invalid!" },
    { "a SIP address", "sip:+14155552671@sip.acme.com;user=phone", "sip:person-1@mail.invalid;user=phone" },
    { "E.164", "call +14155552671 now", "call +15555550100 now" },
    { "E.164 of another country", "call +442079460958.", "call +15555550100." },
    { "E.164 with blanks", "+44 20 7946 0958", "+15555550100" },
    { "E.164 with hyphens", "+1-415-555-2671", "+1-555-555-0100" },
    { "a number with brackets", "(415) 555-2671", "(555) 555-0100" },
    { "a number with hyphens", "at 415-555-2671, or", "at 555-555-0100, or" },
    { "a number with dots", "415.555.2671", "555.555.0100" },
    { "a number with blanks", "it is 415 555 2671", "it is 555 555 0100" },
    { "a number with an extension", "415-555-2671x12", "555-555-0100x12" },
    { "a long-distance number", "1-415-555-2671", "1-555-555-0100" },
    { "an exit code", "dial 0044 20 7946 0958", "dial +15555550100" },
    { "a national number", "dial 020 7946 0958 or 0171/2345678", "dial +15555550100 or +15555550101" },
    { "digits in prose", "my number is 4155552671.", "my number is 5555550100." },
    { "a URL of a telephone", "tel:4155552671", "tel:5555550100" },
    { "digits one by one", "that is 4 1 5 5 5 5 2 6 7 1", "that is 5 5 5 5 5 5 0 1 0 0" },
    { "digits in words", "It's Four one five, five-five-five two six seven one!",
      "It's five five five five five five zero one zero zero!" },
    { "doubles in words", "oh two oh double seven nine four six oh",
      "one five five five five five five zero one zero zero" },
    { "equal numbers alike", "+14155552671, (415) 555-2671 and 415-555-2672",
      "+15555550100, (555) 555-0100 and 555-555-0101" },
    { "a number in a URL", "https://a.acme.com/n/%2B14155552671/", "https://host-1.invalid/n/%2B15555550100/" },
  }, function(one, text)
    return one:text(text)
  end)
end)

describe("in a text the redactor keeps", function()
  each_row({
    { "prose", "The agent didn't greet the caller. It took 3.5 s, 12 of 140 turns." },
    { "a date and a time", "2026-11-27T04:06:56.123456Z, 2026-11-27 04:06:56+0530, 27.11.2026 10:30" },
    { "durations", "00:12:34, 62:10, 1.234567890 s" },
    { "a UUID", "123e4567-e89b-12d3-a456-426614174000" },
    { "an id alone", "4155552671" },
    { "an id in a path", "/calls/4155552671/" },
    { "ids in prose", "calls 5181749, 5181750 and 9007199254740993" },
    { "seconds since the epoch in prose", "it began at 1764216416 and ended at 1764216416123" },
    { "a decimal", "pi is 3.1415926535 here" },
    { "a hash", "sha 4155552671abcdef0123" },
    { "versions", "nginx/1.22.1, v1.2.3.4, curl 7.88.1" },
    { "counts of tokens", "max_tokens: 512, tokens=12. Secrets: none." },
    { "numbers in words", "one or two of seven, four five six, done in one two three" },
    { "words that secrets may be", "The password is wrong. A token of gratitude." },
    { "names of files", "see main.lua, report.html and data.csv" },
    { "abbreviations", "e.g. this, i.e. that, etc." },
    { "a time of day with a zone", "at 10:30 +0200" },
    { "a sum", "1 000 000 and 12 345 678" },
    { "a template", "https://{{host}}/x and {{customer_number}}" },
    { "nothing", "" },
  }, function(one, text)
    return one:text(text)
  end)
end)

describe("in JSON the redactor", function()
  each_row({
    { "keeps numbers as they are written", '{"id":9007199254740993,"cost":1.50,"big":1e400,"t":1764216416}' },
    { "keeps names that are there twice", '{"a":1,"a":2}' },
    { "keeps escapes of what it does not change", [[{"a":"\u00e9\n\/"}]] },
    { "keeps flags about secrets", '{"vapi_api_key_configured":true,"token_type":"bearer","total_tokens":12}' },
    { "keeps null secrets", '{"secret":null,"token":""}' },
    { "keeps ids", '{"id":4155552671,"call_id":"4155552671","phone_number_id":12,"agent":2142}' },
    { "takes out secrets by name", '{"websocket_secret":"a","apiKey":"b","pin":1234}',
      '{"websocket_secret":"REDACTED","apiKey":"REDACTED","pin":0}' },
    { "takes out what is in a secret object", '{"credentials":{"user":"a","list":["b"],"n":1}}',
      '{"credentials":{"user":"REDACTED","list":["REDACTED"],"n":1}}' },
    { "takes out names and values of headers", '{"websocket_headers":{"X-Acme":"v","Content-Type":"text/plain"}}',
      '{"websocket_headers":{"X-Redacted-1":"REDACTED","Content-Type":"text/plain"}}' },
    { "takes out headers in pairs", '{"headers":[{"name":"X-Acme","value":"v"},{"name":"Accept","value":"*/*"}]}',
      '{"headers":[{"name":"X-Redacted","value":"REDACTED"},{"name":"Accept","value":"*/*"}]}' },
    { "takes out the value of a secret pair", '{"value":"v","key":"api_key"}', '{"value":"REDACTED","key":"api_key"}' },
    { "keeps other pairs", '{"key":"colour","value":"red"}' },
    { "finds secrets elsewhere again", '{"token":"tok_12345678","note":"has tok_12345678"}',
      '{"token":"REDACTED","note":"has REDACTED"}' },
    { "takes out numbers by name", '{"phone_number":"4155552671","to":"442079460958","number":14155552671}',
      '{"phone_number":"5555550100","to":"+15555550101","number":15555550100}' },
    { "takes out lists of numbers", '{"inbound_phone_numbers":["415 555 2671",4155552671]}',
      '{"inbound_phone_numbers":["555 555 0100",5555550100]}' },
    { "keeps numbers that are none", '{"number":3,"from":"2026-11-27","to":"1764216416","phone_number":"none"}' },
    { "takes out hosts by name", '{"host":"gw-1.acme","domain":"acme.com"}',
      '{"host":"host-1.invalid","domain":"host-2.invalid"}' },
    { "takes out what names of members have", '{"https://a.acme.com/x":1,"+14155552671":2}',
      '{"https://host-1.invalid/x":1,"+15555550100":2}' },
    { "reads JSON in texts", [[{"body":"{\"password\": \"x\", \"n\": 1.0}"}]],
      [[{"body":"{\"password\":\"REDACTED\",\"n\":1.0}"}]] },
    { "reads escaped texts", [[{"a":"\u002b14155552671 \u00e9"}]], '{"a":"+15555550100 é"}' },
    { "reads a text alone", '"+14155552671"', '"+15555550100"' },
    { "reads deep lists", ("["):rep(400) .. '"+14155552671"' .. ("]"):rep(400),
      ("["):rep(400) .. '"+15555550100"' .. ("]"):rep(400) },
  }, function(one, text)
    return json_text.write(one:tree(json_text.read(text)))
  end)
end)

describe("in a path the redactor", function()
  each_row({
    { "keeps what is not secret", "/v1/calls/5181749/?agent_id=2142&q=a+b%2Cc&flag" },
    { "takes out numbers", "/n/+14155552671/?to=%2B14155552671", "/n/%2B15555550100/?to=%2B15555550100" },
    { "takes out numbers behind their name", "/phone-numbers/4155552671/", "/phone-numbers/5555550100/" },
    { "keeps ids behind such a name", "/phone-numbers/5181749/" },
    { "takes out secrets", "/x/?api_key=abc&key=def", "/x/?api_key=REDACTED&key=REDACTED" },
    { "takes out the key", "/x/ck_9f8a%2F77%2Bb%20c%3Dd", "/x/REDACTED" },
  }, function(one, text)
    return one:path(text)
  end)
end)

describe("the meaning of a name:", function()
  for meaning, list in pairs {
    secret = "X-CEKURA-API-KEY api_key apiKey APIKey vapi_api_key clientSecret tokens pipecat_token websocket_auth "
      .. "sip_auth Set-Cookie Authorization X-Amz-Signature public_key encrypted_key password pin trigger_secret",
    phone = "phone phone_number inbound_phone_numbers agent_number customerNumber number outbound_numbers from to "
      .. "caller caller_id callerId",
    host = "host connect_host domain hostname ip",
    headers = "headers websocket_headers custom-header",
    none = "vapi_api_key_configured token_type password_changed_at phone_number_id order_number key idempotency_key "
      .. "author passenger timestamp_to address secretary id status total",
  } do
    for name in list:gmatch "%S+" do
      it(name .. " is " .. meaning, function()
        assert.equal(meaning, names.meaning(name) or "none")
      end)
    end
  end
end)

describe("stand-ins", function()
  it("are numbered through all areas", function()
    local seen = {}
    for place = 1, 80000 do
      local number = phones.stand_in(place)
      assert(phones.is_stand_in(number) and not seen[number], number)
      seen[number] = true
    end
    assert.equal("15555550100", phones.stand_in(1))
    assert.equal("15565550100", phones.stand_in(101))
  end)
end)

-- A generator that is the same on every Lua: Park and Miller's.
local function generator(seed)
  return function(most)
    seed = seed * 16807 % 2147483647
    return seed % most + 1
  end
end

describe("of any JSON", function()
  local HIDDEN = {
    KEY, "ck_9f8a%2F77%2Bb%20c%3Dd", "https://eu.acme.com/a?b=c", "wss://10.1.2.3:80/x", "(415) 555-2671",
    "+14155552671", "+44 20 7946 0958", "jane@acme.com", "Bearer abcdefgh12345678",
    "https://api.acme.com/v1/calls/?page=2",
  }
  local FRAGMENTS = { "hello", "1764216416", "2026-11-27T04:06:56Z", "é", "\\", '"', "\n", "42", "415", "/", "x=y" }
  local NAMES = { "id", "text", "phone_number", "secret", "headers", "url", "data", "value", "name", "to" }
  local SCALARS = { "1", "-0.50", "1e400", "9007199254740993", "true", "null", "4155552671", '""' }

  -- A text of some fragments, between which there are blanks: nothing that is hidden touches a letter.
  local function text(random)
    local parts = {}
    for index = 1, random(5) do
      parts[index] = random(3) == 1 and HIDDEN[random(#HIDDEN)] or FRAGMENTS[random(#FRAGMENTS)]
    end
    return table.concat(parts, " ")
  end

  local function tree(random, depth)
    local kind = depth > 4 and random(2) or random(4)
    if kind == 1 then
      return SCALARS[random(#SCALARS)]
    elseif kind == 2 then
      return json_text.quote(text(random))
    end
    local node = { names = kind == 4 and {} or nil }
    for index = 1, random(5) - 1 do
      node[index] = tree(random, depth + 1)
      if node.names then
        node.names[index] = json_text.quote(random(6) == 1 and text(random) or NAMES[random(#NAMES)])
      end
    end
    return node
  end

  -- The kinds of all parts, in their order.
  local function shape(node)
    if type(node) == "string" then
      return json_text.string(node) and "s" or json_text.is_number(node) and "n" or node
    end
    local parts = {}
    for index, item in ipairs(node) do
      parts[index] = shape(item)
    end
    return (node.names and "{" or "[") .. table.concat(parts, ",") .. "]"
  end

  it("nothing of what is hidden remains, its shape does, and a second time changes nothing", function()
    local random = generator(20261127)
    for _ = 1, 500 do
      local before = tree(random, 1)
      local written = json_text.write(redactor():tree(before))
      for hidden in ("acme 10.1.2.3 ck_9f8a 555-2671 +1415 7946 jane abcdefgh"):gmatch "%S+" do
        assert.falsy(written:find(hidden, 1, true), written)
      end
      local after = json_text.read(written)
      assert.equal(shape(before), shape(after))
      assert.equal(written, json_text.write(redactor():tree(after)))
      assert.equal(json_text.canonical(after), json_text.canonical(json_text.read(json_text.write(after))))
    end
  end)

  it("the text stays as it is, but for blanks, where nothing is hidden", function()
    local random = generator(7)
    for _ = 1, 200 do
      local node = tree(random, 1)
      local written = json_text.write(node)
      assert.equal(written, json_text.write(json_text.read(written)))
      assert.equal(written, json_text.write(json_text.read((written:gsub("^[%[{]", "%0 \n ")))))
    end
  end)
end)

describe("the canonical text of JSON", function()
  for _, row in ipairs {
    { "1", "1.0", "10e-1", "0.1e1", "1E0", "1e+0" }, { "0", "-0", "0.0", "0e5" }, { "-12.5", "-125e-1", "-1.250e1" },
    { "123456789012345678901234567890", "1.2345678901234567890123456789e29" },
    { '"é/"', [["\u00e9\/"]] }, { '{"a":1,"b":2}', '{ "b": 2.0, "a": 1 }' }, { "[]", "[ ]" }, { "{}", "{ }" },
  } do
    it("is the same for " .. table.concat(row, " and "), function()
      for index = 2, #row do
        assert.equal(json_text.canonical(json_text.read(row[1])), json_text.canonical(json_text.read(row[index])))
      end
    end)
  end

  it("differs for different values", function()
    local seen = {}
    for _, text in ipairs { "1", "-1", "10", "0.1", '"1"', "true", "false", "null", "[1]", "[[1]]", '{"a":1}',
      '{"b":1}', "[1,2]", "[2,1]", "[]", "{}", '""', "9007199254740992", "9007199254740993" } do
      local canonical = json_text.canonical(json_text.read(text))
      assert.is_nil(seen[canonical])
      seen[canonical] = true
    end
  end)

  it("is none of what is not JSON", function()
    for _, text in ipairs { "", " ", "{", "[1,]", "nul", "1 2", "{'a':1}", "\255" } do
      assert.is_nil(json_text.read(text))
    end
  end)
end)
