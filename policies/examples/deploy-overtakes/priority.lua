-- Deployments overtake, exactly.
--
-- Why:     GitHub hands the jobs of one label set to any runner that fits, roughly in their order. RunnerHub orders
--          classes, that is label sets, exactly: so a deployment that is to overtake needs a label of its own, which
--          the pool offers too:
--
--            runs-on: [self-hosted, linux, deploy]          pools.linux.labels: [self-hosted, linux, deploy]
--
-- Does:    deployments are CRITICAL. Within the level a weight orders them: production before staging before others,
--          a hotfix before all. A deployment without a label of its own is told so, in the reason that its page
--          shows; it still makes its whole class urgent.

local words = require("lib.words")

local priority = { api = 1 }

-- Minutes ahead within the level.
local weights = { production = 20, staging = 10 }

--- A label that no other kind of job carries.
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
---@return number? weight
function priority.prioritise(job, fleet) -- luacheck: ignore 212/fleet
  if not job.environment then
    if job.event == "schedule" then return "LOW", "scheduled run" end
    return "NORMAL", "standard job"
  end
  local weight = weights[job.environment] or 0
  local why = "deploys to " .. job.environment
  if job.branch and words.has(job.branch, "hotfix") then
    weight, why = 30, why .. " for a hotfix"
  end
  if not has_own_label(job) then why = why .. "; without a label of its own it may be overtaken by its class" end
  return "CRITICAL", why, weight
end

return priority
