--- Whether a page consists of what the library writes.

local html_reader = require "spec.support.html_reader"
local script = require "cekura.report.script"
local style = require "cekura.report.style"

local harmless_page = {}

--- The elements of a name, or of all names, that have these values of attributes.
---@param elements table[]
---@param name? string
---@param attributes? table<string, string>
---@return table[]
function harmless_page.all(elements, name, attributes)
  local found = {}
  for _, element in ipairs(elements) do
    local matches = not name or element.name == name
    for attribute, value in pairs(attributes or {}) do
      matches = matches and element.attributes[attribute] == value
    end
    found[#found + 1] = matches and element or nil
  end
  return found
end

--- Their texts.
---@return string[]
function harmless_page.texts(elements, name, attributes)
  local found = {}
  for index, element in ipairs(harmless_page.all(elements, name, attributes)) do
    found[index] = element.text
  end
  return found
end

local KNOWN = {}
for name in ([[html head meta title style body a p header h1 h2 h3 main div section dl dt dd ul ol li span audio figure
  figcaption pre svg defs pattern path rect circle line text desc footer script table caption thead tbody tr th td
  details summary strong em del ins nav]]):gmatch "%S+" do
  KNOWN[name] = true
end

--- Asserts that a page has one style, its script or none, no handlers, and links to itself and to the recording only.
---@param page string
---@param has_script boolean
---@return table[] elements
function harmless_page.check(page, has_script)
  local elements = html_reader.read(page)
  local scripts, styles = harmless_page.texts(elements, "script"), harmless_page.texts(elements, "style")
  assert(#scripts == (has_script and 1 or 0) and (scripts[1] == nil or scripts[1] == script), "another script")
  assert(#styles == 1 and styles[1] == style, "another style")
  for _, element in ipairs(elements) do
    assert(KNOWN[element.name], element.name)
    for name, value in pairs(element.attributes) do
      assert(not (name:find "^on" or name == "style" or name == "srcdoc"), name)
      if name == "href" or name == "src" then
        assert(value:find "^#[%w-]+$" or value:find "^https://recordings%.example/", value)
      end
    end
  end
  return elements
end

--- Asserts that ids are unique, that references lead to them, and that no heading skips a level.
---@param elements table[]
function harmless_page.check_structure(elements)
  local ids, level = {}, 0
  for _, element in ipairs(elements) do
    local id, heading = element.attributes.id, tonumber(element.name:match "^h(%d)$")
    assert(not (id and ids[id]), id)
    ids[id or ""] = true
    if heading then
      assert(heading <= level + 1, element.text)
      level = heading
    end
  end
  for _, element in ipairs(elements) do
    for id in (element.attributes["aria-labelledby"] or ""):gmatch "%S+" do
      assert(ids[id], id)
    end
    local anchor = (element.attributes.href or ""):match "^#(.+)$"
    assert(anchor == nil or ids[anchor], anchor)
  end
end

return harmless_page
