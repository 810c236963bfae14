local priority = require("priority")

local own = { "self-hosted", "linux", "deploy" }
local function prioritise(given) return priority.prioritise(job(given), fleet()) end

test("a deployment with a label of its own overtakes, production first", function()
  local level, why, weight = prioritise({ environment = "production", labels = own })
  expect(level).equals("CRITICAL")
  expect(why).equals("deploys to production")
  expect(weight).equals(20)
  expect(select(3, prioritise({ environment = "staging", labels = own }))).equals(10)
  expect(select(3, prioritise({ environment = "preview", labels = own }))).equals(0)
end)

test("a hotfix goes before all", function()
  local _, why, weight = prioritise({ environment = "staging", labels = own, branch = "hotfix/cart" })
  expect(why).equals("deploys to staging for a hotfix")
  expect(weight).equals(30)
end)

test("one without a label of its own is told", function()
  local level, why = prioritise({ environment = "production" })
  expect(level).equals("CRITICAL")
  expect(why).contains("without a label of its own")
end)

test("the run's own label will do", function()
  local _, why = prioritise({ environment = "production", labels = { "linux", "run-8123" } })
  expect(why).equals("deploys to production")
end)

test("other jobs keep their place", function()
  expect((prioritise({}))).equals("NORMAL")
  expect((prioritise({ event = "schedule" }))).equals("LOW")
end)
