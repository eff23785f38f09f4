return { transcript = function() return "" end, metrics = function() return "" end }
