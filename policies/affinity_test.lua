local affinity = require("affinity")

local function score(given)
  return affinity.score(job({ repository = "acme/storefront" }), container(given))
end

test("a container that served this repository fits best", function()
  local points, why = score({ repository = "acme/storefront", uses = 1 })
  expect(points).equals(80)
  expect(why).equals("has this repository's cache")
end)

test("a warm container comes next", function()
  local points, why = score({})
  expect(points).equals(50)
  expect(why).equals("warm container")
end)

test("a container of another repository has no cache for this one", function()
  expect((score({ repository = "acme/website", uses = 1 }))).equals(50)
end)

test("a new container comes last: it has to start first", function()
  local points, why = score({ is_new = true, id = "" })
  expect(points).equals(20)
  expect(why).equals("new container")
end)

test("nothing is left out", function()
  expect(affinity.filter(job(), container())).equals(true)
end)
