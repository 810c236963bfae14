-- Which container fits a job best.
--
-- The host has already left out what is too small, reserved, or of another trust scope. `filter` may leave out more; `score` says how well
-- each of the others fits, from 0 to 100. Within five points the configured strategy decides.

local affinity = { api = 1 }

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container) -- luacheck: ignore 212
  return true
end

---@param job Job
---@param container Container
---@return number score
---@return string why
function affinity.score(job, container)
  if container.is_new then return 20, "new container" end
  if container.repository == job.repository then return 80, "has this repository's cache" end
  return 50, "warm container"
end

return affinity
