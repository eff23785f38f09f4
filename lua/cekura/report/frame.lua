--- What all pages have around their content.

local html = require "cekura.report.html"
local policy = require "cekura.report.policy"
local script = require "cekura.report.script"
local style = require "cekura.report.style"
local version = require "cekura.version"

local FRAME = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<style>%s</style>
</head>
<body>
<a class="skip" href="#%s">Skip to the %s</a>
<header><h1>%s</h1>%s</header>
<main class="%s">
%s</main>
<footer><p>Made by cekura %s.</p></footer>
%s</body>
</html>
]]

---@class cekura.report.Frame all texts but the title are HTML
---@field kind string the class of the page
---@field title string plain text, without secrets
---@field skip string the id of the main part, which is also its name
---@field head string below the title
---@field content string
---@field plays? boolean whether the page has the script of a recording
---@field recording? string the host of the recording, see html.url

--- A page.
---@param page cekura.report.Frame
---@return string
return function(page)
  local title = html.escape(page.title)
  return FRAME:format(policy(page.plays, page.recording), title, style, page.skip, page.skip, title, page.head,
    page.kind, page.content, version, page.plays and "<script>" .. script .. "</script>\n" or "")
end
