-- Noisy repositories keep to themselves.
--
-- Needs:   a pool on an engine or host of its own, named in data/noisy.yaml, that offers the same labels as the quiet
--          ones.
-- Does:    jobs of noisy repositories run there and nowhere else; other jobs keep out of it, unless it is the only
--          kind of place that is left to them for longer than a patience: a noisy place is better than none.
-- Reuse:   a container that served a noisy job is preferred for the next one of the same repository, so that fewer
--          are soiled.

local glob = require("lib.glob")

local affinity = { api = 1 }

local noisy = data.noisy
-- Seconds that a quiet job waits for a quiet place.
local PATIENCE = 600

local is_noisy_pool = {}
for _, name in ipairs(noisy.pools) do is_noisy_pool[name] = true end

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container)
  local pattern = glob.first(noisy.repositories, job.repository)
  if pattern and not is_noisy_pool[container.pool] then return false, pattern .. " keeps to its own pool" end
  if not pattern and is_noisy_pool[container.pool] and job.waiting_seconds < PATIENCE then return false, "a noisy place" end
  return true
end

---@param job Job
---@param container Container
---@return number score
---@return string why
function affinity.score(job, container)
  if is_noisy_pool[container.pool] and not glob.first(noisy.repositories, job.repository) then return 5, "better than none" end
  if container.repository == job.repository then return 80, "has this repository's cache" end
  if container.is_new then return 20, "new container" end
  return 50, "warm container"
end

return affinity
