-- Which jobs run here, and which stay on traditional runners.
--
-- The rule: a job comes here if it has one of `orchestrator` among its labels and none of `traditional`.

local routing = { api = 1 }

-- One of these is needed. Labels are compared without case.
local orchestrator = { "self-hosted", "linux", "docker" }

-- One of these keeps the job where it is, whatever else it asks for.
local traditional = { "macos", "windows" }

---@param job Job
---@param fleet Fleet
---@return "orchestrator"|"traditional" route
---@return string why
function routing.route(job, fleet) -- luacheck: ignore 212/fleet
  for _, label in ipairs(traditional) do
    if job.labels:has(label) then return "traditional", "label " .. label end
  end
  if job.labels:has("linux") or job.labels:has("docker") then return "orchestrator", "linux container job" end
  for _, label in ipairs(orchestrator) do
    if job.labels:has(label) then return "orchestrator", label .. " job" end
  end
  return "traditional", "no label of docker, linux, self-hosted"
end

return routing
