local routing = require("routing")

local function route(repository, given, of)
  given = given or {}
  given.repository = repository
  return routing.route(job(given), fleet(of))
end

test("a group at 100 moves as a whole, its deployments too", function()
  expect((route("acme/storefront"))).equals("orchestrator")
  expect((route("acme/tools-lint", { name = "deploy" }))).equals("orchestrator")
end)

test("of a group at 40, about 40 of 100 workflows move", function()
  local moved = 0
  for number = 1, 200 do
    local where = route("acme/payroll", { workflow_path = ".github/workflows/" .. number .. ".yml" })
    if where == "orchestrator" then moved = moved + 1 end
  end
  expect(moved).between(60, 100)
end)

test("a workflow does not flap between runs, branches and jobs", function()
  for number = 1, 20 do
    local path = ".github/workflows/" .. number .. ".yml"
    local first = route("acme/payroll", { workflow_path = path })
    local other = { workflow_path = path, name = "test", branch = "topic", run_id = number, commit = "0", labels = { "docker" } }
    expect((route("acme/payroll", other))).equals(first)
  end
end)

test("the reason tells group, percentage and place", function()
  local _, why = route("acme/payroll", { workflow_path = ".github/workflows/ci.yml" })
  expect(why).contains("group payments is at 40 %, this workflow at ")
end)

test("names under never stay", function()
  local where, why = route("acme/payroll", { name = "deploy-eu" })
  expect(where).equals("traditional")
  expect(why).equals("group payments keeps deploy* where it is")
end)

test("labels decide first", function()
  local where, why = route("acme/storefront", { labels = { "self-hosted", "Windows" } })
  expect(where).equals("traditional")
  expect(why).equals("label windows")
  where, why = route("acme/storefront", { labels = { "ubuntu-latest" } })
  expect(where).equals("traditional")
  expect(why).equals("no label of linux, docker")
end)

test("a repository of no group stays, and so does everything while RunnerHub drains", function()
  local where, why = route("other/thing")
  expect(where).equals("traditional")
  expect(why).equals("of no group in data/migration.yaml")
  where, why = route("acme/storefront", {}, { draining = true })
  expect(where).equals("traditional")
  expect(why).equals("RunnerHub is draining")
end)
