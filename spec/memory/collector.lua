--- For busted --helper: a collector that is nearly always at work. A cycle of its own begins whenever there is one
-- percent more; what is new and held by nothing is gone at once, not some time.

collectgarbage("generational", 1, 100)
