local priority = require("priority")

local function level(given)
  return priority.prioritise(job(given), fleet())
end

test("a job with an environment deploys", function()
  local found, why = level({ environment = "production" })
  expect(found).equals("CRITICAL")
  expect(why).equals("deploys to production")
end)

test("a label of its own is told, since only then can it overtake its class", function()
  local _, why = level({ environment = "production", labels = { "self-hosted", "linux", "deploy" } })
  expect(why).equals("deploys to production (own label)")
  _, why = level({ environment = "production", labels = { "linux", "run-8123" } })
  expect(why).equals("deploys to production (own label)")
end)

test("release and deployment events are critical", function()
  expect((level({ event = "release" }))).equals("CRITICAL")
  expect((level({ event = "deployment" }))).equals("CRITICAL")
end)

test("workflow and job names tell a deployment", function()
  local found, why = level({ workflow = "Deploy to Pages" })
  expect(found).equals("CRITICAL")
  expect(why).equals("deployment workflow Deploy to Pages")
  found, why = level({ name = "deploy (eu, blue)" })
  expect(found).equals("CRITICAL")
  expect(why).equals("deployment job deploy")
end)

test("a matrix variant named release is no release", function()
  expect((level({ name = "build (ubuntu, release)" }))).equals("NORMAL")
end)

test("words that only resemble a deployment are none", function()
  expect((level({ workflow = "undeployed services" }))).equals("NORMAL")
  expect((level({ workflow = "prerelease-notes" }))).equals("NORMAL")
  expect((level({ workflow = "Release notes" }))).equals("NORMAL")
end)

test("urgent labels are high", function()
  local found, why = level({ labels = { "linux", "Urgent" } })
  expect(found).equals("HIGH")
  expect(why).equals("label urgent")
  expect((level({ labels = { "high-priority" } }))).equals("HIGH")
end)

test("what the repository asks for counts after deployments and urgent labels", function()
  local asks = { priority = "LOW" }
  local found, why = level({ branch = "hotfix/cart-total", estimate = asks })
  expect(found).equals("LOW")
  expect(why).equals("asked for in .github/runnerhub.yaml")
  expect((level({ labels = { "urgent" }, estimate = asks }))).equals("HIGH")
  expect((level({ environment = "production", estimate = asks }))).equals("CRITICAL")
end)

test("a hotfix branch is high", function()
  local found, why = level({ branch = "hotfix/cart-total" })
  expect(found).equals("HIGH")
  expect(why).equals("hotfix branch hotfix/cart-total")
  expect((level({ branch = "docs/hotfixes" }))).equals("NORMAL")
end)

test("scheduled and background jobs are low", function()
  expect((level({ event = "schedule" }))).equals("LOW")
  for _, label in ipairs({ "background", "low-priority", "nightly" }) do
    expect((level({ labels = { "linux", label } }))).equals("LOW")
  end
end)

test("the most urgent sign decides", function()
  expect((level({ event = "schedule", environment = "production" }))).equals("CRITICAL")
  expect((level({ event = "schedule", labels = { "urgent" } }))).equals("HIGH")
end)

test("everything else is normal", function()
  local found, why = level({})
  expect(found).equals("NORMAL")
  expect(why).equals("standard job")
end)
