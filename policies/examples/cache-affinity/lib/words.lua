-- What the policies share: the words of a name.

local words = {}

--- The words of a name, in lower case: "Deploy to AKS" → deploy, to, aks; "release/v2" → release, v2; "deployApp" → deploy, app.
---@param name string
---@return string[]
function words.split(name)
  local spaced = name:gsub("([%l%d\128-\255])(%u)", "%1 %2")
  local found = {}
  for word in spaced:gmatch("[%w\128-\255]+") do
    found[#found + 1] = word:lower()
  end
  return found
end

--- Whether a name has a word, as a whole: "hotfix/cart" has "hotfix", "hotfixes" has not.
---@param name string
---@param word string
---@return boolean
function words.has(name, word)
  for _, one in ipairs(words.split(name)) do
    if one == word then return true end
  end
  return false
end

local deployment = { deploy = true, deploys = true, deployment = true, deployments = true }
local release = { release = true, releases = true }
-- "release notes" and "release drafter" only write about a release.
local about_release = { notes = true, note = true, drafter = true, draft = true }

--- Whether a name speaks of a deployment or a release. Only whole words count: "undeployed", "redeploy" and "prerelease" do not.
---@param name string
---@return boolean
function words.name_deployment(name)
  local list = words.split(name)
  for index, word in ipairs(list) do
    if deployment[word] then return true end
    if release[word] and not about_release[list[index + 1] or ""] then return true end
  end
  return false
end

return words
