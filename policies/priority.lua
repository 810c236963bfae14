-- Which jobs go first.
--
--   CRITICAL  deployments and releases
--   HIGH      what is labelled urgent, or runs for a hotfix
--   LOW       scheduled and background jobs
--   NORMAL    everything else
--
-- After deployments and urgent labels, what the repository asks for in .github/runnerhub.yaml counts.
-- The first rule that fits decides, in this order.

local words = require("lib.words")

local priority = { api = 1 }

local urgent = { "high-priority", "urgent" }
local background = { "background", "low-priority", "nightly" }

--- The first of the names that is among the job's labels, or nil.
---@param job Job
---@param names string[]
---@return string?
local function label_among(job, names)
  for _, name in ipairs(names) do
    if job.labels:has(name) then return name end
  end
  return nil
end

--- Why a job deploys or releases, or nil. The surest sign comes first.
---@param job Job
---@return string?
local function deployment(job)
  if job.environment and job.environment ~= "" then return "deploys to " .. job.environment end
  if job.event == "release" or job.event == "deployment" then return job.event .. " event" end
  -- "build (ubuntu, release)" names a variant of a matrix, not a release.
  local name = job.name:match("^[^(]*"):match("^ *(.-) *$")
  if words.name_deployment(name) then return "deployment job " .. name end
  if job.workflow and words.name_deployment(job.workflow) then return "deployment workflow " .. job.workflow end
  return nil
end

--- Whether the job carries a label of its own. GitHub hands out the jobs of one label set roughly in order, so only a job with a label of
--- its own can be sure to overtake the others.
---@param job Job
---@return boolean
local function has_own_label(job)
  for _, label in ipairs(job.labels) do
    if words.name_deployment(label) or label:find("^run%-") then return true end
  end
  return false
end

---@param job Job
---@param fleet Fleet
---@return "CRITICAL"|"HIGH"|"NORMAL"|"LOW" level
---@return string why
function priority.prioritise(job, fleet) -- luacheck: ignore 212/fleet
  local deploys = deployment(job)
  if deploys then return "CRITICAL", deploys .. (has_own_label(job) and " (own label)" or "") end

  local label = label_among(job, urgent)
  if label then return "HIGH", "label " .. label end
  local asked = job.estimate and job.estimate.priority
  if asked then return asked, "asked for in .github/runnerhub.yaml" end
  if job.branch and words.has(job.branch, "hotfix") then return "HIGH", "hotfix branch " .. job.branch end

  if job.event == "schedule" then return "LOW", "scheduled run" end
  label = label_among(job, background)
  if label then return "LOW", "label " .. label end

  return "NORMAL", "standard job"
end

return priority
