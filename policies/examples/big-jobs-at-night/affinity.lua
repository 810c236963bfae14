-- Big jobs wait for the night.
--
-- Needs:   jobs that say that they are big: a size label (`xlarge-runner`, `cpu-16`), or a long `timeout-minutes`. A
--          size label also gives them a class of their own, which this needs: within one class GitHub hands out jobs
--          as it likes.
-- Does:    by day a big job is left out of every place, and waits with the reason on its page. RunnerHub asks again
--          every few seconds, so it starts by itself when the night begins. Deployments, and jobs that have waited
--          for most of a day, do not wait.

local schedule = require("lib.schedule")

local affinity = { api = 1 }

local night = data.night

--- Why a job is big, or nil.
---@param job Job
---@return string?
local function size(job)
  local need = job.estimate
  if not need then return nil end
  if need.cpus >= night.big.cpus then return ("%g CPUs"):format(need.cpus) end
  if need.memory_mb >= night.big.memory_mb then return need.memory_mb // 1024 .. " GiB" end
  if need.duration_seconds and need.duration_seconds >= night.big.duration_minutes * 60 then
    return ("%d min"):format(need.duration_seconds // 60)
  end
  return nil
end

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container) -- luacheck: ignore 212/container
  local big = size(job)
  if not big or job.environment or schedule.is_open(job.clock, night.night, night.zone) then return true end
  if job.waiting_seconds >= night.longest_wait_hours * 3600 then return true end
  return false, "big (" .. big .. "): waits for the night"
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
