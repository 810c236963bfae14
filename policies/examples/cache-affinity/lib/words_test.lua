local words = require("lib.words")

test("names are split at everything that is no letter or digit", function()
  expect(words.split("Deploy to AKS (v2)")).equals({ "deploy", "to", "aks", "v2" })
  expect(words.split("release/2.1")).equals({ "release", "2", "1" })
  expect(words.split("--")).equals({})
end)

test("names are split where a capital follows a small letter", function()
  expect(words.split("deployApp")).equals({ "deploy", "app" })
  expect(words.split("CI")).equals({ "ci" })
end)

test("only whole words count", function()
  expect(words.has("hotfix/cart", "hotfix")).equals(true)
  expect(words.has("hotfixes", "hotfix")).equals(false)
end)

test("deployments and releases are recognised", function()
  for _, name in ipairs({ "deploy", "Deploy to Pages", "Build and deploy", "nightly-deployment", "Release", "release/v2", "Releases" }) do
    expect(name .. tostring(words.name_deployment(name))).equals(name .. "true")
  end
end)

test("what only resembles a deployment is none", function()
  local names = { "undeployed", "redeploy", "prerelease-notes", "Release notes", "release-drafter", "employ", "deployed", "" }
  for _, name in ipairs(names) do
    expect(name .. tostring(words.name_deployment(name))).equals(name .. "false")
  end
end)
