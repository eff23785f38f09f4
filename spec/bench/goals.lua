--- The goals: for each the least or the most that is wanted, and what was measured before the work on them began. They
-- are found by `key`, too.

local goals = {
  { key = "rate 16 lua5.4", what = "rate of `client:request` over the bare C loop, 16 in flight, lua5.4", least = 0.9,
    before = "0.68" },
  { key = "rate 16 luajit", what = "the same, luajit", least = 0.9, before = "0.68" },
  { key = "rate 64 lua5.4", what = "the same, 64 in flight, lua5.4", least = 0.9, before = "" },
  { key = "rate 64 luajit", what = "the same, luajit", least = 0.9, before = "" },
  { key = "instructions lua5.4", what = "instructions of a request over bare, lua5.4", most = 1.25, before = "2.1" },
  { key = "instructions luajit", what = "the same, luajit", most = 1.25, before = "" },
  { key = "system calls lua5.4", what = "system calls of a request beside those of bare, lua5.4", most = 0.3,
    before = "3.2" },
  { key = "system calls luajit", what = "the same, luajit", most = 0.3, before = "" },
  { key = "memory all lua5.4",
    what = "resident memory of a waiting job, by `all`, with an answer of 189 bytes, lua5.4",
    most = 1.4, unit = " KB", before = "3.9 KB" },
  { key = "memory all luajit", what = "the same, luajit", most = 1.4, unit = " KB", before = "3.9 KB" },
  { key = "memory task lua5.4", what = "the same, by a task of its own, lua5.4", most = 3.2, unit = " KB",
    before = "10.4 KB" },
  { key = "memory task luajit", what = "the same, luajit", most = 2.7, unit = " KB", before = "8.6 KB" },
  { key = "polls 100000", what = "processor time of a poll, 100,000 jobs over 1,000, lua5.4", most = 1.1,
    before = "1.15" },
  { key = "polls bare", what = "the same, 1,000 jobs over a request of the bare loop, lua5.4", most = 1.3,
    before = "1.8" },
  { key = "step", what = "longest step at 10,000 polls a second, lua5.4", most = 2, unit = " ms", before = "14 ms" },
  { key = "step timer", what = "or the same, over the longest delay of a bare timer in that run", most = 2,
    before = "" },
  { key = "prosody step static", what = "longest step in Prosody with 300 jobs, the same answers", most = 5,
    unit = " ms", before = "" },
  { key = "prosody delay static", what = "longest delay of a timer there, over that without the module", most = 1.5,
    before = "" },
  { key = "prosody step changing", what = "longest step in Prosody with 300 jobs, changing answers", most = 5,
    unit = " ms", before = "54 to 122 ms" },
  { key = "prosody delay changing", what = "longest delay of a timer there, over that without the module", most = 1.5,
    before = "" },
  { key = "calls 1", what = "Lua calls of a poll that changes nothing, 1 job, own loop", most = 0, before = "60" },
  { key = "calls 200", what = "the same, 200 jobs", most = 0, before = "16" },
  { key = "start-up", what = "`require \"cekura\"` beside loading the core, lua5.4", most = 3, unit = " ms",
    before = "10 ms" },
  { key = "fields lua5.4", what = "three fields of call logs, over the time of lua-cjson, lua5.4", most = 0.15,
    before = "0.21" },
  { key = "fields luajit", what = "the same, luajit", most = 0.15, before = "" },
  { key = "totable lua5.4", what = "`totable()`, speed over that of lua-cjson, call logs, lua5.4", least = 1,
    before = "0.5 to 1.2" },
  { key = "totable luajit", what = "the same, luajit", least = 1, before = "" },
  { key = "totable slowest", what = "the same, the slowest content on both", least = 1, before = "" },
  { key = "encoding lua5.4", what = "encoding over lua-cjson, an hour's transcript, lua5.4", most = 1.5,
    before = "5 to 17" },
  { key = "encoding luajit", what = "the same, luajit", most = 1.5, before = "" },
  { key = "encoding slowest", what = "the same, the slowest content on both", most = 1.5, before = "" },
}

for _, goal in ipairs(goals) do
  goals[goal.key] = goal
end

return goals
