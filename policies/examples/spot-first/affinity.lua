-- The cheapest pool first, and nothing of value where it may be interrupted.
--
-- Needs:   pools that offer the same labels at different prices, told in data/prices.yaml.
-- Does:    of the places that are free, the cheapest scores highest: a new spot container before a warm one that
--          costs three times as much. Deployments, long jobs, and jobs that have failed to start twice avoid what may
--          be interrupted.
-- Falls:   nothing is left out for its price: where the spot pool is at its maximum, jobs go to the next one at once.
-- Tune:    a warm container is worth ten points, which here is about a fifth of the dearest price: raise it where
--          waiting costs more.

local affinity = { api = 1 }

local prices = data.prices

local function terms(pool) return prices.pools[pool] or prices.other end

local dearest = prices.other.price
for _, pool in pairs(prices.pools) do dearest = math.max(dearest, pool.price) end

--- Why a job must not be interrupted, or nil.
---@param job Job
---@return string?
local function risk(job)
  if job.environment then return "deploys to " .. job.environment end
  if job.tries >= 2 then return "failed to start " .. job.tries .. " times" end
  local seconds = job.estimate and job.estimate.duration_seconds
  if seconds and seconds > prices.longest * 60 then return "may take longer than " .. prices.longest .. " min" end
  return nil
end

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container)
  if not terms(container.pool).interruptible then return true end
  local why = risk(job)
  if why then return false, why .. ": not on spot" end
  return true
end

---@param job Job
---@param container Container
---@return number score
---@return string why
function affinity.score(job, container)
  local price = terms(container.pool).price
  local points = math.floor(80 * (1 - price / dearest))
  if not container.is_new then points = points + 10 end
  if container.repository == job.repository then points = points + 10 end
  return points, ("%s at %.2f an hour"):format(container.is_new and "new" or "warm", price)
end

return affinity
