-- GPUs are for machine learning.
--
-- Needs:   a pool whose containers have `gpus`, and jobs that ask for one with a label `gpu-1`; data/ml.yaml says who
--          may.
-- Does:    a container with a GPU goes to jobs that ask for one and may have it, and to nobody else, however idle it
--          is. A job that asks and may not waits, and its page says why. Of the containers that do, the smallest is
--          taken.

local glob = require("lib.glob")

local affinity = { api = 1 }

---@param job Job
---@return integer
local function wanted(job) return job.estimate and job.estimate.gpus or 0 end

---@param job Job
---@return boolean
local function may_use(job)
  if glob.first(data.ml.repositories, job.repository) then return true end
  local image = job.definition and job.definition.container
  return image ~= nil and glob.first(data.ml.images, image) ~= nil
end

---@param job Job
---@param container Container
---@return boolean allowed
---@return string? why
function affinity.filter(job, container)
  if container.gpus == 0 then return true end
  if wanted(job) == 0 then return false, "its GPU is kept for machine learning" end
  if not may_use(job) then return false, job.repository .. " is not among data/ml.yaml" end
  return true
end

---@param job Job
---@param container Container
---@return number score
---@return string why
function affinity.score(job, container)
  local unused = math.max(0, container.gpus - wanted(job))
  local points = (container.is_new and 30 or 60) - math.min(30, 10 * unused)
  if container.repository == job.repository then points = points + 30 end
  return points, unused == 0 and "fits as it is" or unused .. " GPUs would lie idle"
end

return affinity
