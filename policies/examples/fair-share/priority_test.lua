local priority = require("priority")

-- payments has a share of 2 in 4, web and data 1 in 4 each.
local function prioritise(repository, uses, given)
  local total, repositories = 0, {}
  for name, active in pairs(uses) do
    total = total + active
    repositories[#repositories + 1] = { repository = name, active = active }
  end
  given = given or {}
  given.repository = repository
  return priority.prioritise(job(given), fleet({ active = total, repositories = repositories }))
end

test("a team that has nothing goes half an hour ahead", function()
  local level, why, weight = prioritise("acme/storefront", { ["acme/payroll"] = 20 })
  expect(level).equals("NORMAL")
  expect(why).equals("standard job, team web holds 0 of 20")
  expect(weight).equals(30)
end)

test("a team with twice its share goes half an hour behind", function()
  local _, _, weight = prioritise("acme/payroll", { ["acme/payroll"] = 15, ["acme/ledger"] = 5 })
  expect(weight).equals(-30)
end)

test("a team with its share is neither ahead nor behind", function()
  local _, _, weight = prioritise("acme/web-shop", { ["acme/web-shop"] = 5, ["acme/payroll"] = 10, ["acme/etl-x"] = 5 })
  expect(weight).equals(0)
end)

test("half of its share is a quarter of an hour", function()
  local _, _, weight = prioritise("acme/payroll", { ["acme/ledger"] = 5, ["acme/storefront"] = 15 })
  expect(weight).equals(15)
end)

test("an idle fleet makes no difference", function()
  local _, _, weight = prioritise("acme/payroll", {})
  expect(weight).equals(0)
end)

test("levels are everybody's", function()
  expect((prioritise("acme/payroll", { ["acme/payroll"] = 20 }, { environment = "production" }))).equals("CRITICAL")
  expect((prioritise("acme/storefront", {}, { event = "schedule" }))).equals("LOW")
end)

test("a repository of no team has no weight", function()
  local _, why, weight = prioritise("other/thing", { ["acme/payroll"] = 20 })
  expect(why).equals("standard job, of no team")
  expect(weight).equals(nil)
end)
