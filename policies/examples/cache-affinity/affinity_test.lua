local affinity = require("affinity")

local function score(given, of)
  given.repository = given.repository or "acme/storefront"
  if given.idle_seconds == nil then given.idle_seconds = 0.0 end
  return affinity.score(job(of or { name = "build (ubuntu, debug)" }), container(given))
end

test("the same job, then a variant, then the workflow, then the repository, then any warm one, then a new one", function()
  local same, why = score({ last_workflow = "CI", last_job = "build (ubuntu, debug)" })
  expect(why).equals("ran this job last")
  local variant = score({ last_workflow = "CI", last_job = "build (alpine, release)" })
  local workflow = score({ last_workflow = "CI", last_job = "lint" })
  local repository = score({ last_workflow = "Nightly", last_job = "build (ubuntu, debug)" })
  local warm = score({ repository = "acme/other" })
  local new = score({ is_new = true })
  local order = { same, variant, workflow, repository, warm, new }
  for index = 2, #order do expect(order[index - 1] > order[index]).equals(true) end
end)

test("a cache cools: half of it after an hour", function()
  expect((score({ last_workflow = "CI", last_job = "build (ubuntu, debug)", idle_seconds = 3600.0 }))).equals(60.0)
end)

test("the same branch is better", function()
  local given = { last_workflow = "CI", last_job = "lint", last_branch = "main" }
  local here = score(given, { name = "lint", branch = "main" })
  expect(here - score(given, { name = "lint", branch = "topic" })).between(7.9, 8.1)
end)

test("a worn or ailing container counts less", function()
  local fresh = score({})
  expect(fresh - score({ uses = 4 })).equals(4.0)
  expect(fresh - score({ failed_checks = 2 })).equals(10.0)
end)

test("scores stay within bounds", function()
  local best = { last_workflow = "CI", last_job = "lint", last_branch = "main" }
  expect((score(best, { name = "lint", branch = "main" }))).between(0, 100)
  expect((score({ uses = 99, failed_checks = 9, idle_seconds = 1e9 }))).between(0, 100)
end)

test("jobs that build break ties by score, others as configured", function()
  expect(affinity.strategy(job({ name = "Build image" }))).equals("affinity")
  expect(affinity.strategy(job({ name = "announce" }))).equals(nil)
end)
