-- Containers stand ready while people work, and go when they leave.
--
-- Needs:   `warm: 0` (or little) in runnerhub.yaml for the pools of data/hours.yaml, since the host never goes below
--          a pool's `warm`.
-- Does:    within the hours, so many idle containers are kept beyond the busy ones that a push finds one started;
--          outside, the common rule lets the pool shrink to what is busy.
-- Local:   hours are local time with summer time, from the data: see lib/schedule.lua.

local schedule = require("lib.schedule")

local scaling = { api = 1 }

local hours = data.hours

---@param pool Pool
---@param fleet Fleet
---@return integer wanted
---@return string why
function scaling.scale(pool, fleet)
  local ready = hours.ready[pool.name]
  if ready and schedule.is_open(fleet.clock, hours.open, hours.zone) then
    local wanted = pool.busy + math.max(ready, pool.pending)
    return math.min(wanted, pool.maximum), ready .. " ready in business hours"
  end
  if pool.pending > pool.idle then return math.min(pool.busy + pool.pending, pool.maximum), pool.pending .. " pending" end
  -- Half of what is idle at a time, so that the last pushes of the day still find something.
  local wanted = pool.busy + pool.creating + pool.idle // 2
  return math.max(wanted, pool.minimum), "outside business hours"
end

return scaling
