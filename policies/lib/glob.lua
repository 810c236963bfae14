-- Patterns for names: repositories, branches, images.
--
--   *   any text without a slash        acme/*          every repository of acme
--   **  any text                        release/**      release/2, release/2/hotfix
--   ?   one character                   acme/shop-?     acme/shop-a
--
-- Case does not matter, as it does not at GitHub for owners and repositories.

local glob = {}

local wild = { ["**"] = ".*", ["*"] = "[^/]*", ["?"] = "[^/]" }

--- The Lua pattern of a glob.
---@param pattern string
---@return string
local function translated(pattern)
  local parts = { "^" }
  local rest = pattern:lower()
  while rest ~= "" do
    local token = rest:match("^%*%*") or rest:sub(1, 1)
    parts[#parts + 1] = wild[token] or token:gsub("%W", "%%%0")
    rest = rest:sub(#token + 1)
  end
  parts[#parts + 1] = "$"
  return table.concat(parts)
end

--- Whether a name fits a pattern as a whole.
---@param pattern string
---@param name string
---@return boolean
function glob.matches(pattern, name)
  return name:lower():find(translated(pattern)) ~= nil
end

--- The first of the patterns that a name fits, or nil.
---@param patterns string[]
---@param name string
---@return string?
function glob.first(patterns, name)
  for _, pattern in ipairs(patterns) do
    if glob.matches(pattern, name) then return pattern end
  end
  return nil
end

return glob
