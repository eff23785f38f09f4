--- A strict reader of the HTML that reports consist of: each element is closed, each attribute is in quotation marks.

local html_reader = {}

local VOID = { meta = true, rect = true, circle = true, line = true, path = true } -- those of SVG end in "/>"

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', ["#39"] = "'" }

local function unescape(text)
  assert(not text:find "[<>\"']", text)
  return (text:gsub("&([#%w]*)(;?)", function(name, stop)
    assert(stop == ";" and ENTITIES[name], "an ampersand that is not escaped: " .. text)
    return ENTITIES[name]
  end))
end

local function read_attributes(text)
  local attributes, rest = {}, text
  rest = rest:gsub('^%s+([%a-][%w-]*)="([^"]*)"', "%0")
  while rest:find "%S" do
    local name, value, after = rest:match '^%s+([%a-][%w-]*)="([^"<]*)"()'
    if not name then
      name, after = rest:match "^%s+([%a-]+)()"
      value = ""
    end
    assert(name and not attributes[name], "not an attribute: " .. rest)
    attributes[name], rest = value:find "[<>]" and error(value) or unescape((value:gsub("'", "&#39;"))), rest:sub(after)
  end
  return attributes
end

--- The elements of a page in their order, each with `name`, `attributes` and `text`, its text without its elements.
---@param page string
---@return table[]
function html_reader.read(page)
  local elements, open = {}, {}
  local at = select(2, page:find("<!DOCTYPE html>", 1, true)) + 1
  while at <= #page do
    local tag = page:find("<", at, true) or #page + 1
    local text = page:sub(at, tag - 1)
    if open[#open] then
      open[#open].text = open[#open].text .. unescape(text)
    else
      assert(not text:find "%S", text)
    end
    if tag > #page then
      break
    end
    local closed, after = page:match("^</(%w+)>()", tag)
    if closed then
      assert(open[#open] and open[#open].name == closed, "closes " .. closed)
      open[#open] = nil
    else
      local name, attributes, ends
      name, attributes, ends, after = page:match("^<(%w+)([^<>]-)(/?)>()", tag)
      assert(name, "not an element: " .. page:sub(tag, tag + 60))
      elements[#elements + 1] = { name = name, attributes = read_attributes(attributes), text = "" }
      if name == "style" or name == "script" then -- raw text
        local stop = page:find("</" .. name .. ">", after, true)
        elements[#elements].text, after = page:sub(after, stop - 1), stop + #name + 3
      elseif not VOID[name] then
        open[#open + 1] = elements[#elements]
      else
        assert(ends == "/" or name == "meta", name)
      end
    end
    at = after
  end
  assert(#open == 0, "an element without an end")
  return elements
end

return html_reader
