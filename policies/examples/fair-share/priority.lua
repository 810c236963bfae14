-- Teams share the fleet: who has less than its share goes first.
--
-- Needs:   data/teams.yaml. For an exact order each team's jobs need a label of their own (`team-web`), since within
--          one class GitHub and not RunnerHub hands out the jobs.
-- Does:    a job is weighed by what its team holds at the moment when it arrives, against the team's share of all
--          that runs: half an hour ahead for a team that has nothing, half an hour behind for one that has twice its
--          share or more. So a hundred jobs of one team do not keep another team's first job waiting: it goes ahead
--          of those that came up to an hour before.
-- Level:   only the weight is the team's: deployments are CRITICAL and scheduled jobs LOW whoever runs them.

local glob = require("lib.glob")

local priority = { api = 1 }

local shares = 0
for _, team in pairs(data.teams) do shares = shares + team.share end

--- The team of a repository, or nil.
---@param repository string
---@return string?
local function team_of(repository)
  for name, team in pairs(data.teams) do
    if glob.first(team.repositories, repository) then return name end
  end
  return nil
end

---@param job Job
---@return string level
---@return string why
local function level(job)
  if job.environment then return "CRITICAL", "deploys to " .. job.environment end
  if job.event == "schedule" then return "LOW", "scheduled run" end
  return "NORMAL", "standard job"
end

---@param job Job
---@param fleet Fleet
---@return "CRITICAL"|"HIGH"|"NORMAL"|"LOW" level
---@return string why
---@return number? weight
function priority.prioritise(job, fleet)
  local urgency, why = level(job)
  local team = team_of(job.repository)
  if not team then return urgency, why .. ", of no team" end
  local held = 0
  for _, use in ipairs(fleet.repositories) do
    if team_of(use.repository) == team then held = held + use.active end
  end
  -- 1: exactly its share of what runs.
  local part = fleet.active == 0 and 1 or held * shares / (fleet.active * data.teams[team].share)
  local weight = 30 * math.max(-1, 1 - part)
  return urgency, ("%s, team %s holds %d of %d"):format(why, team, held, fleet.active), math.floor(weight + 0.5)
end

return priority
