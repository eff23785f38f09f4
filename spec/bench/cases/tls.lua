local report = require "spec.bench.support.report"
local server = require "spec.bench.support.server"
local sides = require "spec.bench.support.sides"
local turns = require "spec.bench.support.turns"

local case = {
  title = "TLS",
  about = [[
16 in flight, over TLS: on connections that are kept, and on a new one for each request, because the server closes
them; then a client may resume the session. Each side checks the certificate.]],
  ratio = "rate over bare",
}

local function measure(what, load)
  local measured = sides.measure(sides.with(sides.concurrent), load)
  for _, each in ipairs(measured) do
    report.add { what = what, side = each.side.name, figures = each.wall, unit = "µs",
      ratio = turns.ratio(measured[1].wall, each.wall),
      remark = ("processor %s µs"):format(report.number(turns.median(each.processor))) }
  end
end

function case.run()
  local host = server.start()
  measure("connections are kept", { url = host.tls_url .. "/static/", ca_file = host.ca_file, count = 10000,
    in_flight = 16 })
  measure("a connection for each request", { url = host.tls_url .. "/closing/", ca_file = host.ca_file, count = 1000,
    in_flight = 16 })
  report.note("HTTP/2 is not measured: this module sends HTTP/1.1 only, as `src/engine/transfer.c` explains.")
  host:stop()
end

return case
