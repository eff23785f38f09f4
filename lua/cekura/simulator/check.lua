--- Refusals (400 for a field, 404 for a record) and the checks of a body.

local json = require "cekura.simulator.json"

local check = {}

function check.invalid(fields)
  for name, message in pairs(fields) do
    fields[name] = json.list(type(message) == "table" and message or { message })
  end
  return { status = 400, body = fields }
end

function check.bad_request(detail)
  return { status = 400, body = { detail = detail } }
end

function check.not_found()
  return { status = 404, body = { detail = "Not found." } }
end

--- Whether a member is present and not null.
function check.given(value)
  return value ~= nil and value ~= json.null
end

local REQUIRED = "This field is required."

-- The check of each kind of value, and the text of its refusal. Forms and two known clients send numbers as strings.
local kinds = {
  text = { "Not a string, or blank.", function(value) return type(value) == "string" and value ~= "" end },
  string = { "Not a string.", function(value) return type(value) == "string" end },
  integer = { "Not an integer.", function(value) return tonumber(value) and tonumber(value) % 1 == 0 end },
  duration = { "Not a number of 0 or more.", function(value) return type(value) == "number" and value >= 0 end },
  boolean = { "Not a boolean.", function(value) return type(value) == "boolean" end },
  list = { "Not a list.", function(value) return type(value) == "table" and (#value > 0 or not next(value)) end },
  object = { "Not an object.", function(value) return type(value) == "table" and #value == 0 end },
  any = { "", function() return true end },
}

kinds.selection = { 'Neither a list nor "all".', function(value)
  return value == "all" or kinds.list[2](value)
end }

kinds.short = { "Not a string of 100 characters or less.", function(value)
  return type(value) == "string" and #value <= 100
end }

--- Returns a refusal if a field of `required` is missing, or if a field has the wrong kind.
---@param body table
---@param required table<string, string> name to kind
---@param optional? table<string, string>
---@return table? refusal
function check.body(body, required, optional)
  local wrong = {}
  for name, kind in pairs(required) do
    if not check.given(body[name]) then
      wrong[name] = REQUIRED
    elseif not kinds[kind][2](body[name]) then
      wrong[name] = kinds[kind][1]
    end
  end
  for name, kind in pairs(optional or {}) do
    if check.given(body[name]) and not kinds[kind][2](body[name]) then
      wrong[name] = kinds[kind][1]
    end
  end
  return next(wrong) and check.invalid(wrong) or nil
end

--- Returns a refusal if the body has none of the fields `names`.
function check.one_of(body, names)
  for _, name in ipairs(names) do
    if check.given(body[name]) then
      return nil
    end
  end
  return check.invalid { [names[1]] = { ("One of %s is required."):format(table.concat(names, ", ")) } }
end

return check
