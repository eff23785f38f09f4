--- What stands in for hosts, phone numbers and e-mail addresses in one file: equal ones get equal stand-ins, numbered
-- in the order in which they appear, and a stand-in stands in for itself.

local ascii = require "cekura.http.ascii"
local phones = require "cekura.testing.redact.phones"

local stand_ins = {}

--- The host of the service that was recorded.
stand_ins.SERVICE = "service.invalid"
stand_ins.SERVICE_URL = "https://service.invalid"

local CLASSES = {
  host = {
    is_stand_in = function(value)
      return value == stand_ins.SERVICE or value:find "^host%-[0-9]+%.invalid$" ~= nil
    end,
    make = function(place)
      return ("host-%d.invalid"):format(place)
    end,
  },
  email = {
    is_stand_in = function(value)
      return value:find "^person%-[0-9]+@mail%.invalid$" ~= nil
    end,
    make = function(place)
      return ("person-%d@mail.invalid"):format(place)
    end,
  },
  phone = { is_stand_in = phones.is_stand_in, make = phones.stand_in },
}

---@alias cekura.testing.Replace fun(class: "host"|"email"|"phone", value: string): string

--- A function that returns the stand-in of a value.
---@return cekura.testing.Replace
function stand_ins.new()
  local known, counts = { host = {}, email = {}, phone = {} }, { host = 0, email = 0, phone = 0 }
  return function(name, value)
    local class = CLASSES[name]
    value = ascii.lower(value)
    if class.is_stand_in(value) then
      return value
    elseif not known[name][value] then
      counts[name] = counts[name] + 1
      known[name][value] = class.make(counts[name])
    end
    return known[name][value]
  end
end

return stand_ins
