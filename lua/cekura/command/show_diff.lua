return function() return "" end
