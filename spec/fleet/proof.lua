--- make fleet-proof: see README.md.
--   LUA spec/fleet/proof.lua [always|everysec]...

local campaign = require "spec.fleet.campaign"
local cekura = require "cekura"
local count = require "spec.fleet.count"

local function number(name, usual)
  return tonumber(os.getenv("FLEET_" .. name)) or usual
end

math.randomseed(number("SEED", os.time() % 100000))

local function always()
  return { jobs = number("JOBS", 10000), fsync = "always", seconds = number("SECONDS", 300),
    of = { worker = number("WORKER", 50), redis = number("REDIS", 10), pause = number("PAUSE", 10),
      service = number("SERVICE", 5) } }
end

-- What Redis has acknowledged may be forgotten.
local function everysec()
  return { jobs = math.ceil(number("JOBS", 10000) / 5), fsync = "everysec", seconds = number("SECONDS", 300) / 3,
    cut_bytes = 16384, of = { cut = number("CUT", 10) } }
end

local CAMPAIGNS = { always = always, everysec = everysec }

local wrong = {}

cekura.run(function()
  for _, name in ipairs(arg[1] and arg or { "always", "everysec" }) do
    campaign.run(CAMPAIGNS[name](), function(run)
      local found = count.of(run)
      count.print(run, found)
      for _, what in ipairs(count.faults(run, found)) do
        wrong[#wrong + 1] = what
      end
      if os.getenv "FLEET_KEEP" then
        os.execute(("cp -r %s %s-%s"):format(run.files, os.getenv "FLEET_KEEP", name))
      end
    end)
  end
end)

print(#wrong == 0 and "right" or "wrong: " .. table.concat(wrong, "; "))
os.exit(#wrong == 0 and 0 or 1)
