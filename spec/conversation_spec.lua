--- Calls in time: who spoke when, tools, silences and overlaps.

local cekura = require "cekura"
local conversation = require "cekura.records.conversation"
local encode = require "cekura.http.encode"

local function read(turns, duration)
  return conversation.read(cekura.assert(cekura.call_log(encode({ duration = duration, transcript_object = turns },
    "call"))))
end

local function main(start_time, end_time)
  return { role = "Main Agent", content = "m", start_time = start_time, end_time = end_time }
end

local function test(start_time, end_time)
  return { role = "Testing Agent", content = "t", start_time = start_time, end_time = end_time }
end

describe("a conversation", function()
  for _, row in ipairs {
    { "between turns", { main(0, 3), test(5.5, 7) }, nil, { { from = 3, to = 5.5 } } },
    { "before the first turn", { main(4, 6) }, nil, { { from = 0, to = 4 } } },
    { "after the last turn", { main(0, 6) }, "00:20", { { from = 6, to = 20 } } },
    { "not of less than two seconds", { main(1.9, 3), test(4.9, 7) }, "00:08", {} },
    { "not while another turn goes on", { main(0, 10), test(1, 2), main(11, 12) }, nil, {} },
    { "not after a turn whose end is unknown", { main(0), test(9, 10) }, nil, {} },
    { "in the order of times", { test(5, 6), main(0, 1) }, nil, { { from = 1, to = 5 } } },
    { "not without turns", {}, "00:30", {} },
  } do
    it("has a silence " .. row[1], function()
      assert.same(row[4], read(row[2], row[3]).silences)
    end)
  end

  for _, row in ipairs {
    { "of two sides", { main(0, 3), test(2, 5) }, { { from = 2, to = 3 } } },
    { "that ends with the later turn", { main(0, 9), test(2, 5) }, { { from = 2, to = 5 } } },
    { "with a turn some turns ago", { main(0, 9), test(1, 2), test(3, 4) },
      { { from = 1, to = 2 }, { from = 3, to = 4 } } },
    { "not of one side", { main(0, 3), main(2, 5) }, {} },
    { "not of a moment", { main(0, 3), test(2.95, 5) }, {} },
    { "not where an end is unknown", { main(0), test(2, 5) }, {} },
  } do
    it("has an overlap " .. row[1], function()
      local talk = read(row[2])
      assert.same(row[3], talk.overlaps)
      local count = 0
      for _, event in ipairs(talk.events) do
        count = count + (event.overlap and 1 or 0)
      end
      assert.equal(#row[3], count)
    end)
  end

  it("lasts as long as the call, or the last turn", function()
    assert.equal(20, read({ main(0, 6) }, "00:20").length)
    assert.equal(26, read({ main(0, 26) }, "00:20").length)
    assert.is_nil(read({ main() }).length)
    assert.is_true(read({ main(0, 6) }).has_stops)
    assert.is_false(read({ main(0) }).has_stops)
  end)

  it("counts dates from the first, ends included", function()
    local events = read({ main(1728862776876, 1728862778876), test(1728862782876) }).events
    assert.equal(0, events[1].at)
    assert.equal(2, events[1].stop)
    assert.equal(6, events[2].at)
  end)

  it("leaves out ends before their beginnings", function()
    assert.is_nil(read({ main(5, 3) }).events[1].stop)
  end)

  it("has calls of tools and their results", function()
    local events = read({
      { role = "Function Call", start_time = 1, data = { name = "find", arguments = { day = 2 } } },
      { role = "Function Call Result", start_time = 2, data = { result = "none" } },
      { role = "tool_call", content = "hang_up" },
    }).events
    assert.same({ "tool_call", "find", '{"day":2}' }, { events[1].kind, events[1].name, events[1].text })
    assert.same({ "tool_result", nil, "none" }, { events[2].kind, events[2].name, events[2].text })
    assert.same({ "tool_call", "hang_up", "" }, { events[3].kind, events[3].name, events[3].text })
  end)
end)
