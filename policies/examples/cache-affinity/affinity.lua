-- Back to the container where the caches are warm.
--
-- Needs:   `reuse` above 1 for the pool, so that a container serves several jobs of one repository.
-- Does:    the more the last job there was like this one, the better it fits: same job, same workflow, same branch. A
--          cache cools: after an hour of idleness it counts half. A container that has been used often, or whose
--          health checks have begun to fail, counts less.
-- Choice:  the strategy `affinity` breaks ties by the exact score instead of the load, for jobs that build; other
--          jobs keep the configured one.

local words = require("lib.words")

local affinity = { api = 1 }

--- `build (ubuntu, debug)` → `build`: variants of a matrix share most of a cache.
local function without_matrix(name) return name:match("^[^(]*"):match("^(.-)%s*$") end

---@param job Job
---@param container Container
---@return number score
---@return string why
function affinity.score(job, container)
  if container.is_new then return 20, "new container" end
  if container.repository ~= job.repository then return 30, "warm container" end
  local points, why = 60, "has this repository's cache"
  if container.last_workflow == job.workflow and container.last_job then
    points, why = 70, "ran this workflow last"
    if container.last_job == job.name then
      points, why = 90, "ran this job last"
    elseif without_matrix(container.last_job) == without_matrix(job.name) then
      points, why = 80, "ran a variant of this job last"
    end
  end
  if container.last_branch and container.last_branch == job.branch then points = points + 8 end
  local warmth = 0.5 ^ (container.idle_seconds / 3600)
  local worn = math.min(container.uses, 10) + 5 * container.failed_checks
  return math.max(0, 30 + (points - 30) * warmth - worn), why
end

---@param job Job
---@return "affinity"|nil strategy
function affinity.strategy(job)
  for _, word in ipairs({ "build", "compile", "test", "tests" }) do
    if words.has(job.name, word) then return "affinity" end
  end
  return nil
end

return affinity
