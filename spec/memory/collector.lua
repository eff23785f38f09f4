--- For busted --helper: a collector that runs almost all the time. A cycle begins whenever memory has grown by one
-- percent, so a new object without references is collected soon.

collectgarbage("generational", 1, 100)
