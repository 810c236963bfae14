-- Pull requests of forks run in a pool of their own.
--
-- Needs:   a pool with `forks: true`, named in data/isolation.yaml. A good one has another engine or host, no reuse,
--          and no secrets near it.
-- Does:    a fork's job gets containers of that pool only; every other job gets none of it, so that nothing trusted
--          ever shares it.
-- Also:    the host's own rule stands above this: a pool without `forks: true` never gets a fork's job, whatever a
--          policy says. Where it is not known whose code a job runs (`job.trust` is `unknown`), the job is treated
--          like a fork's.
-- Note:    in one class GitHub hands out jobs as it likes, so while a fork's job waits, all jobs of its class go to
--          the isolated pool. Give workflows for pull requests a label of their own if that pool is small.

local affinity = { api = 1 }

local isolated = {}
for _, name in ipairs(data.isolation.pools) do isolated[name] = true end

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container)
  local is_stranger = job.from_fork or (job.trust == "unknown" and not job.private)
  if is_stranger and not isolated[container.pool] then return false, "a fork's job stays in pool " .. data.isolation.pools[1] end
  if not is_stranger and isolated[container.pool] then return false, "kept for jobs of forks" end
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
