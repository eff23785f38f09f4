--- The Content-Security-Policy of a page. spec/report_spec.lua compares the checksums.

local STYLE = "sha256-m7NAE299747lddqZW9l+JPF2+s6tRp6Itdd+3R6zx7w="
local SCRIPT = "sha256-ncx9lpX0VpdDaCrtvcxNyJgpE/fO4DymKj8n3uZItjc="

--- The policy: only the style of all pages, and where a page has a recording, its script and the recording.
---@param plays? boolean whether the page has the script
---@param source? string the host of the recording
---@return string
return function(plays, source)
  return ("default-src 'none'; style-src '%s'; script-src %s; media-src %s; base-uri 'none'; form-action 'none'")
    :format(STYLE, plays and "'" .. SCRIPT .. "'" or "'none'", source or "'none'")
end
