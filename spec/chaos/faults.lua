--- The rows of the fault table: what the server does, and what the user must get. See README.md.
--
-- A fault is { name, steps, expected, options… }. steps(body, gzip, part) returns what the server does instead of
-- answering a start or a poll (`part`) with that body, in the language of fault_server.c.

local faults = {}

-- ---- what the server does ----

local function hex(text)
  return (text:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

local function send(text)
  return "send " .. hex(text)
end

-- The request is read, and processed by the server.
local function done(...)
  return { "request", "process", ... }
end

-- The request is read and refused.
local function refuse(head)
  return function()
    return { "request", send("HTTP/1.1 " .. head .. "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "close" }
  end
end

local function reply(head, body)
  return send("HTTP/1.1 200 OK\r\n" .. head .. "\r\n" .. body)
end

local function replied(head, edit)
  return function(body)
    return done(reply(head:gsub("LENGTH", #body), edit and edit(body) or body), "close")
  end
end

local function half(text)
  return text:sub(1, math.floor(#text / 2))
end

local function constant(...)
  local steps = { ... }
  return function() return steps end
end

-- ---- what the user must get ----
-- For a start: nil for a job, else the error; for a wait: nil for the result, else the error. `processed` is the number
-- of starts that the server processed when the user gets an error.

local function both(value)
  return { once = value, always = value }
end

-- The user does not notice the fault.
local function fine()
  return { start = {}, poll = {} }
end

-- Nothing was sent: everything is retried, even a start.
local function unsent(kind)
  return {
    start = { always = { kind = kind, sent = false, attempts = 2 } },
    poll = { always = { kind = "timeout", cause = kind } },
  }
end

-- A start may have been processed or not; a poll is repeated.
local function cut(kind, processed)
  return {
    start = both { kind = "unknown_outcome", cause = kind, sent = true, attempts = 1, processed = processed },
    poll = { always = { kind = "timeout", cause = kind } },
  }
end

-- The same, and a wait ends after several polls in a row with an answer that is truncated or is not HTTP.
local function truncated()
  local expected = cut("protocol", 1)
  expected.poll.always = { kind = "protocol" }
  return expected
end

-- A complete but odd answer: a wait ends after several in a row.
local function senseless(processed)
  return {
    start = both { kind = "protocol", sent = true, processed = processed or 1 },
    poll = { always = { kind = "protocol" } },
  }
end

-- A complete answer beyond a limit: a wait ends at once.
local function excessive()
  local expected = senseless()
  expected.poll = both { kind = "protocol" }
  return expected
end

-- Refused: a start is not repeated, and a wait polls on.
local function refused(kind)
  return {
    start = both { kind = kind, sent = true, attempts = 1, processed = 0 },
    poll = { always = { kind = "timeout", cause = "server" } },
  }
end

-- Refused before processing: everything is retried after a pause, even a start.
local function postponed(kind)
  return {
    start = { always = { kind = kind, sent = true, attempts = 2, processed = 0 } },
    poll = { always = { kind = "timeout", cause = kind } },
  }
end

-- Postponed beyond every deadline.
local function put_off(kind)
  return {
    start = both { kind = kind, sent = true, attempts = 1, processed = 0, at_once = true },
    poll = both { kind = "timeout", cause = kind },
  }
end

local function untrusted()
  return {
    start = both { kind = "tls", sent = false, attempts = 1, processed = 0, at_once = true },
    poll = both { kind = "tls" },
  }
end

-- ---- the rows ----

local function add(name, steps, expected, options)
  local row = { name = name, steps = steps, expected = expected }
  for key, value in pairs(options or {}) do
    row[key] = value
  end
  faults[#faults + 1] = row
end

-- Connections.
add("refused", nil, unsent "network", { no_listener = true })
add("silence while connecting", nil, unsent "timeout", { no_listener = true, full = true, connect_timeout = 0.2 })
add("reset before the request", constant("ready", "reset"), cut("network", 0))
add("closed before the request", constant("ready", "close"), cut("network", 0))
add("silence before the request", constant "silence", cut("timeout", 0))
for _, how in ipairs { "reset", "close", "silence" } do
  add((how == "close" and "closed" or how) .. " in the middle of the request", function(_, _, part)
    return { part == "start" and "read 2000" or "read 20", how }
  end, cut(how == "silence" and "timeout" or "network", 0), { large = true })
end
add("reset after the request", constant("request", "process", "reset"), cut("network", 1))
add("closed after the request", constant("request", "process", "close"), cut("network", 1))
add("silence after the request", constant("request", "process", "silence"), cut("timeout", 1))
for _, how in ipairs { "reset", "close", "silence" } do
  local name = how == "close" and "closed" or how
  local in_headers = how == "silence" and cut("timeout", 1) or cut("network", 1)
  add(name .. " in the headers", constant("request", "process", send "HTTP/1.1 200 OK\r\nContent-", how), in_headers)
  add(name .. " in the body", function(body)
    return done(reply(("Content-Length: %d\r\n"):format(#body), half(body)), how)
  end, how == "silence" and cut("timeout", 1) or truncated())
end

-- An idle connection.
add("idle connection: unsolicited bytes", constant("sleep 30", send "xyz"), fine(), { idle = true })
-- An answer that comes in the moment in which a request leaves is taken for the answer to it: they cannot be
-- distinguished.
add("idle connection: an unsolicited answer", constant("sleep 30",
  send "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n", "close"), fine(), { idle = true })
add("idle connection: closed", constant "close", fine(), { idle = true })
add("idle connection: reset", constant "reset", fine(), { idle = true })
add("idle connection: closed as a request comes", constant("read 1", "close"), fine(), { idle = true })
add("idle connection: silence", constant("read 1", "silence"), fine(), { idle = true })

-- Bodies.
add("body one byte at a time", function(body)
  return done(reply(("Content-Length: %d\r\n"):format(#body), ""), "drip 1 " .. hex(body), "close")
end, fine())
add("Content-Length too small", function(body)
  return done(reply(("Content-Length: %d\r\n"):format(#body - 5), body), "close")
end, senseless())
add("Content-Length too large", function(body)
  return done(reply(("Content-Length: %d\r\n"):format(#body + 5), body), "close")
end, truncated())
add("Content-Length too large, and silence", function(body)
  return done(reply(("Content-Length: %d\r\n"):format(#body + 5), body), "silence")
end, cut("timeout", 1))
add("Content-Length 0", replied "Content-Length: 0\r\n", senseless())
add("Content-Length that is not a number", replied "Content-Length: many\r\n", truncated())
add("Content-Length below zero", replied "Content-Length: -5\r\n", truncated())
add("Content-Length of 8 EiB", replied "Content-Length: 9223372036854775807\r\n", excessive())

local function chunked(edit)
  return replied("Transfer-Encoding: chunked\r\n", edit)
end
local function chunk(text)
  return ("%x\r\n%s\r\n"):format(#text, text)
end
add("chunks", chunked(function(body)
  return chunk(half(body)) .. chunk(body:sub(#half(body) + 1)) .. "0\r\n\r\n"
end), fine())
add("chunk whose size is not a number", chunked(function(body) return "zz\r\n" .. body .. "\r\n0\r\n\r\n" end),
  truncated())
add("chunk longer than announced", chunked(function(body)
  return ("%x\r\n%s\r\n0\r\n\r\n"):format(#body - 5, body)
end), truncated())
add("chunk shorter than announced", chunked(function(body)
  return ("%x\r\n%s\r\n0\r\n\r\n"):format(#body + 50, body)
end), truncated())
add("chunks without the last", chunked(chunk), truncated())

local function gzipped(edit)
  return function(body, gzip)
    local bytes = edit(gzip(body), body)
    return done(reply(("Content-Encoding: gzip\r\nContent-Length: %d\r\n"):format(#bytes), bytes), "close")
  end
end
add("gzip", gzipped(function(bytes) return bytes end), fine())
add("plain text labelled gzip", gzipped(function(_, body) return body end), senseless())
add("gzip with a broken byte", gzipped(function(bytes)
  return bytes:sub(1, 14) .. string.char((bytes:byte(15) + 128) % 256, (bytes:byte(16) + 128) % 256) .. bytes:sub(17)
end), senseless())
add("gzip with a wrong sum", gzipped(function(bytes) return bytes:sub(1, -9) .. "\1\2\3\4" .. bytes:sub(-4) end),
  senseless())
add("gzip cut in its first half", gzipped(function(bytes) return bytes:sub(1, 15) end), senseless())
add("gzip cut in its second half", gzipped(function(bytes) return bytes:sub(1, -20) end), senseless())
add("gzip without its sum", gzipped(function(bytes) return bytes:sub(1, -9) end), senseless())
add("gzip with an empty body", gzipped(function() return "" end), senseless())
add("gzip of two members", function(body, gzip)
  local bytes = gzip(half(body)) .. gzip(body:sub(#half(body) + 1)) .. ("\0"):rep(9)
  return done(reply(("Content-Encoding: x-gzip\r\nContent-Length: %d\r\n"):format(#bytes), bytes), "close")
end, fine())
add("gzip with bytes after its end", gzipped(function(bytes) return bytes .. "xyz" end), senseless())
add("gzip whose connection is closed", function(body, gzip)
  local bytes = gzip(body)
  return done(reply(("Content-Encoding: gzip\r\nContent-Length: %d\r\n"):format(#bytes), half(bytes)), "close")
end, truncated())
add("gzip in gzip", function(body, gzip)
  local bytes = gzip(gzip(body))
  return done(reply(("Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n"):format(#bytes), bytes), "close")
end, excessive())
add("gzip bomb", function(_, gzip)
  local bytes = gzip(("\0"):rep(32 * 1024 * 1024))
  return done(reply(("Content-Encoding: gzip\r\nContent-Length: %d\r\n"):format(#bytes), bytes), "close")
end, excessive())
add("a page instead of JSON", function()
  local page = "<html>Welcome</html>"
  return done(reply(("Content-Length: %d\r\n"):format(#page), page), "close")
end, senseless())

-- Forms of HTTP.
add("HTTP/1.0, ended by a close", function(body)
  return done(send("HTTP/1.0 200 OK\r\n\r\n" .. body), "close")
end, fine())
add("HTTP/1.0, ended too early", function(body)
  return done(send("HTTP/1.0 200 OK\r\n\r\n" .. half(body)), "close")
end, senseless())
add("an answer without a head", function(body) return done(send(body), "close") end, truncated())
add("1xx before the answer", function(body)
  return done(send "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    reply(("Content-Length: %d\r\n"):format(#body), body), "close")
end, fine())
add("1xx and then a close", constant("request", "process", send "HTTP/1.1 103 Early Hints\r\n\r\n", "close"),
  cut("network", 1))
add("1xx and then silence", constant("request", "process", send "HTTP/1.1 103 Early Hints\r\n\r\n", "silence"),
  cut("timeout", 1))

-- Heads and trailers beyond their limits; encodings that were not requested.
local function headed(lines)
  return replied("Content-Length: LENGTH\r\n" .. lines)
end
local function headed_first(lines)
  return replied(lines .. "Content-Length: LENGTH\r\n")
end
local function trailed(lines)
  return replied("Transfer-Encoding: chunked\r\n", function(body) return chunk(body) .. "0\r\n" .. lines .. "\r\n" end)
end
add("head of 4,000 lines", headed(("X-A: 1\r\n"):rep(4000)), fine())
add("head of 5,000 lines", headed(("X-A: 1\r\n"):rep(5000)), excessive())
add("head of 300 KB", headed(("X-A: " .. ("x"):rep(60000) .. "\r\n"):rep(5)), excessive())
add("head with a line of 200 KB", headed("X-A: " .. ("x"):rep(200000) .. "\r\n"), excessive())
add("head with a line that is not a header", headed "X-A\r\n", truncated())
add("trailers", trailed "X-A: 1\r\n", fine())
add("trailers of 5,000 lines", trailed(("X-A: 1\r\n"):rep(5000)), excessive())
add("trailer of 5 KB", trailed("X-A: " .. ("x"):rep(5000) .. "\r\n"), excessive())
add("head whose first line is folded", headed_first " X-A: folded\r\n", truncated())
add("head whose second line is folded", headed_first "X-A: folded\r\n\tB: c\r\n", fine())
for _, name in ipairs { "br", "zstd", "compress", "gzip, br" } do
  add("Content-Encoding: " .. name, headed("Content-Encoding: " .. name .. "\r\n"),
    name:find "," and excessive() or senseless())
end
add("Transfer-Encoding: gzip", replied "Transfer-Encoding: gzip\r\n", senseless())

local function redirect(status, location)
  return refuse(("%d Moved\r\nLocation: %s"):format(status, location))
end
add("redirect to another host", redirect(302, "http://ELSEWHERE:PORT/"), senseless(0), { elsewhere = true })
add("redirect to another host, method kept", redirect(307, "http://ELSEWHERE:PORT/"), senseless(0),
  { elsewhere = true })
add("redirect to another scheme", redirect(301, "https://ELSEWHERE:TLS_PORT/"), senseless(0), { elsewhere = true })
add("redirect to another method", redirect(303, "/observability/v1/"), senseless(0))

-- Retry-After.
for _, status in ipairs { 429, 503 } do
  local kind = status == 429 and "rate_limited" or "server"
  local function retry_after(value)
    return refuse(("%d No\r\nRetry-After: %s"):format(status, value))
  end
  local function later(from_now)
    local head = ("HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: "):format(status)
    return constant("request", send(head), "date " .. from_now, send "\r\n\r\n", "close")
  end
  -- A 503 without a valid Retry-After may have been processed.
  local unclear = status == 429 and postponed(kind) or refused(kind)
  add(status .. " without Retry-After", refuse(status .. " No"), unclear)
  add(status .. " with Retry-After: 0", retry_after "0", postponed(kind))
  add(status .. " with Retry-After: 1", retry_after "1", postponed(kind), { at_least = 1, timeout = 3 })
  add(status .. " with a date", later(2), postponed(kind), { at_least = 0.9, timeout = 5 })
  add(status .. " with a date that is past", later(-3600), postponed(kind))
  add(status .. " with an absurd date", later(10 * 365 * 86400), put_off(kind), { held = true })
  add(status .. " with absurd seconds", retry_after "99999999999999999999999", put_off(kind), { held = true })
  add(status .. " with seconds below zero", retry_after "-5", unclear)
  add(status .. " with garbage", retry_after "soon: Monday?", unclear)
end
add("502", refuse "502 Bad Gateway", refused "unknown_outcome")

-- TLS.
add("TLS", function(body)
  return { "tls good", "request", "process", reply(("Content-Length: %d\r\n"):format(#body), body), "close" }
end, fine(), { tls = true })
add("TLS: expired", constant "tls expired", untrusted(), { tls = true })
add("TLS: not yet valid", constant "tls early", untrusted(), { tls = true })
add("TLS: for another name", constant "tls other", untrusted(), { tls = true })
add("TLS: self-signed", constant "tls selfsigned", untrusted(), { tls = true })
add("TLS: of an unknown authority", constant "tls unknown", untrusted(), { tls = true })
add("TLS: too old", constant "tls old", untrusted(), { tls = true })
add("TLS: a plain answer", constant(send "HTTP/1.1 400 Bad Request\r\n\r\n", "close"), untrusted(), { tls = true })
add("TLS: reset in the handshake", constant("read 100", "reset"), unsent "network", { tls = true })
add("TLS: silence in the handshake", constant "silence", unsent "timeout", { tls = true, connect_timeout = 0.2 })
add("TLS: ended unannounced in a body", function(body)
  return { "tls good", "request", "process", send("HTTP/1.0 200 OK\r\n\r\n" .. half(body)), "close" }
end, senseless(), { tls = true })
add("TLS: ended unannounced after a body", function(body)
  return { "tls good", "request", "process", send("HTTP/1.0 200 OK\r\n\r\n" .. body), "close" }
end, fine(), { tls = true })
add("TLS: ended unannounced in a counted body", function(body)
  return { "tls good", "request", "process", reply(("Content-Length: %d\r\n"):format(#body), half(body)), "close" }
end, truncated(), { tls = true })
add("TLS: ended unannounced in chunks", function(body)
  return { "tls good", "request", "process", reply("Transfer-Encoding: chunked\r\n", chunk(body)), "close" }
end, truncated(), { tls = true })

-- Names.
add("name that does not exist", nil, unsent "network", { named = "absent" })
add("name that takes ten seconds", nil, unsent "timeout", { named = "slow", connect_timeout = 0.2 })

-- The date. These rows run after the others, because all cases share the date.
add("date jumps forward and back", constant("request", "process", "silence"), cut("timeout", 1), { jumps = true })
add("date jumps during a Retry-After", refuse "429 No\r\nRetry-After: 1", postponed "rate_limited",
  { jumps = true, at_least = 1, timeout = 3 })

return faults
