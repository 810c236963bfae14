-- How many containers a pool should have.
--
-- Up when more than 5 jobs wait and more than 80 % of the containers are busy; down when fewer than 2 jobs run and less than 30 % are busy.
-- Minimum and maximum are the host's rule: it bounds what is returned here.

local scaling = { api = 1 }

local PENDING, BUSY = 5, 0.8
local ACTIVE, QUIET = 2, 0.3

---@param pool Pool
---@param fleet Fleet
---@return integer wanted
---@return string why
function scaling.scale(pool, fleet) -- luacheck: ignore 212/fleet
  local percent = math.floor(pool.utilisation * 100 + 0.5)
  local wanted, why = pool.total, "no change"
  if pool.pending > PENDING and pool.utilisation > BUSY then
    -- One container for each job that no idle one will take.
    wanted = pool.total + math.max(1, pool.pending - pool.idle)
    why = pool.pending .. " pending at " .. percent .. "% utilisation"
  elseif pool.active < ACTIVE and pool.utilisation < QUIET then
    -- Half of what is idle beyond the warm ones, so that a short lull does not empty the pool.
    local spare = math.max(0, pool.idle - pool.warm)
    wanted = pool.total - (spare + 1) // 2
    why = pool.active .. " active at " .. percent .. "% utilisation"
  end
  return math.max(pool.minimum, math.min(pool.maximum, wanted)), why
end

return scaling
