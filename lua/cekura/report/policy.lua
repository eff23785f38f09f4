--- The Content-Security-Policy of a report. spec/report_spec.lua compares the checksums.

local STYLE = "sha256-vykn5qW0D65ztKCsa+NVgMa5tqUC8Fsd1OWlE7pKmYs="
local SCRIPT = "sha256-ncx9lpX0VpdDaCrtvcxNyJgpE/fO4DymKj8n3uZItjc="

--- The policy: only this style, this script, and the recording.
---@param source? string the host of the recording
---@return string
return function(source)
  return ("default-src 'none'; style-src '%s'; script-src '%s'; media-src %s; base-uri 'none'; form-action 'none'")
    :format(STYLE, SCRIPT, source or "'none'")
end
