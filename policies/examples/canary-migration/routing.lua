-- Workflows move to RunnerHub by percentages, group by group.
--
-- Needs:   data/migration.yaml. Raise a percentage, commit, and within seconds more workflows run here; lower it, and
--          they are back.
-- Does:    a workflow falls on a fixed number from 0 to 100 by its repository and path (`percent`), and moves once
--          its group's percentage is above it. So it does not flap: 40 % are the same 40 % in every run, and all of
--          them are among the later 60 %.
-- Safe:    jobs whose names are under `never` stay, whatever the percentage; while RunnerHub drains, everything
--          stays.

local glob = require("lib.glob")

local routing = { api = 1 }

local migration = data.migration

---@param job Job
local function group_of(job)
  for _, group in ipairs(migration.groups) do
    if glob.first(group.repositories, job.repository) then return group end
  end
  return nil
end

---@param job Job
---@return string? why
local function obstacle(job)
  for _, label in ipairs(migration.traditional) do
    if job.labels:has(label) then return "label " .. label end
  end
  for _, label in ipairs(migration.orchestrator) do
    if job.labels:has(label) then return nil end
  end
  return "no label of " .. table.concat(migration.orchestrator, ", ")
end

---@param job Job
---@param fleet Fleet
---@return "orchestrator"|"traditional" route
---@return string why
function routing.route(job, fleet)
  local why = obstacle(job)
  if why then return "traditional", why end
  if fleet.draining then return "traditional", "RunnerHub is draining" end
  local group = group_of(job)
  if not group then return "traditional", "of no group in data/migration.yaml" end
  local kept = group.never and glob.first(group.never, job.name)
  if kept then return "traditional", ("group %s keeps %s where it is"):format(group.name, kept) end
  -- A workflow moves as a whole: the path where it is known, else its name.
  local place = percent(job.repository, job.workflow_path or job.workflow or "")
  local told = ("group %s is at %g %%, this workflow at %.1f"):format(group.name, group.percent, place)
  return place < group.percent and "orchestrator" or "traditional", told
end

return routing
