-- During a freeze deployments wait, and everything else goes on.
--
-- Needs:   spans in data/freeze.yaml; deployments that name an `environment:` in their workflow file.
-- Does:    a deployment to a frozen environment gets no container while the freeze lasts. It stays queued with the
--          reason on its page, and starts by itself within seconds of the end. A job that carries the override's
--          label deploys all the same.
-- Note:    GitHub cancels a job that has waited for 24 hours, so after a long freeze the deployment is to be run
--          again. And since GitHub hands out the jobs of one class as it likes, deployments need labels of their own
--          (`deploy`): else another job's runner could take them.

local glob = require("lib.glob")
local schedule = require("lib.schedule")

local affinity = { api = 1 }

local freeze = data.freeze

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container) -- luacheck: ignore 212/container
  if not job.environment or not glob.first(freeze.environments, job.environment) then return true end
  local span = schedule.span(job.clock, freeze.spans, freeze.zone)
  if not span or job.labels:has(freeze.override) then return true end
  return false, ("release freeze until %s: %s"):format(span.to, span.name)
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
