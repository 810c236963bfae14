-- At night the fleet goes to zero, and comes back for whoever works.
--
-- Needs:   `minimum: 0` and `warm: 0` in runnerhub.yaml: the host never goes below them.
-- Does:    by day the pool follows its load, with some to spare. At night idle containers end; a job that comes all
--          the same gets a new one, which ends after it. Scaling up is never held back, so the price of zero is the
--          time that a container takes to start.
-- Care:    where starts fail, growing further would only fail more: the pool keeps what it has until they work again.

local schedule = require("lib.schedule")

local scaling = { api = 1 }

--- The busiest of the last ten minutes, so that a short lull by day ends nothing.
---@param pool Pool
---@return integer
local function recent_peak(pool)
  local peak = pool.busy
  for _, sample in ipairs(pool.history) do peak = math.max(peak, sample.busy) end
  return peak
end

---@param pool Pool
---@param fleet Fleet
---@return integer wanted
---@return string why
function scaling.scale(pool, fleet)
  local wanted = pool.busy + pool.pending
  if pool.start_failures >= 5 and wanted > pool.total then
    return pool.total, pool.start_failures .. " starts failed lately: no growth"
  end
  if schedule.is_open(fleet.clock, data.night.night, data.night.zone) then
    return wanted, wanted == 0 and "night: down to zero" or "night: what runs and waits"
  end
  local spare = (recent_peak(pool) + 3) // 4
  return math.min(math.max(wanted, recent_peak(pool)) + spare, pool.maximum), "the last ten minutes' peak and a quarter to spare"
end

return scaling
