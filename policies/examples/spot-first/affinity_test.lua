local affinity = require("affinity")

local spot = { pool = "spot", is_new = true }
local warm_linux = { pool = "linux" }

test("a new spot container is preferred to a warm one that costs more", function()
  local points, why = affinity.score(job(), container(spot))
  expect(points > affinity.score(job(), container(warm_linux))).equals(true)
  expect(why).equals("new at 0.02 an hour")
end)

test("at the same price, warm and cached come first", function()
  local new = affinity.score(job(), container({ pool = "linux", is_new = true }))
  local warm = affinity.score(job(), container({ pool = "linux" }))
  local cached = affinity.score(job(), container({ pool = "linux", repository = "acme/storefront" }))
  expect(warm - new).equals(10)
  expect(cached - warm).equals(10)
end)

test("scores stay within bounds, for a pool that is not named too", function()
  for _, pool in ipairs({ "spot", "linux", "unheard-of" }) do
    expect((affinity.score(job(), container({ pool = pool, repository = "acme/storefront" })))).between(0, 100)
  end
end)

test("a deployment is not interrupted", function()
  local allowed, why = affinity.filter(job({ environment = "production" }), container(spot))
  expect(allowed).equals(false)
  expect(why).equals("deploys to production: not on spot")
  expect(affinity.filter(job({ environment = "production" }), container(warm_linux))).equals(true)
end)

test("long jobs, and those that failed to start, are not either", function()
  expect((affinity.filter(job({ estimate = { duration_seconds = 1801.0 } }), container(spot)))).equals(false)
  expect(affinity.filter(job({ estimate = { duration_seconds = 1800.0 } }), container(spot))).equals(true)
  expect((affinity.filter(job({ tries = 2 }), container(spot)))).equals(false)
end)
