local affinity = require("affinity")

local function filter(repository, pool, waiting)
  return affinity.filter(job({ repository = repository, waiting_seconds = waiting or 0.0 }), container({ pool = pool }))
end

test("a noisy repository keeps to its own pool", function()
  expect(filter("acme/load-tests", "noisy")).equals(true)
  local allowed, why = filter("acme/fuzz-parser", "linux")
  expect(allowed).equals(false)
  expect(why).equals("acme/fuzz-* keeps to its own pool")
end)

test("others keep out of it", function()
  expect(filter("acme/storefront", "linux")).equals(true)
  local allowed, why = filter("acme/storefront", "noisy")
  expect(allowed).equals(false)
  expect(why).equals("a noisy place")
end)

test("after ten minutes a noisy place is better than none, and still the last choice", function()
  expect(filter("acme/storefront", "noisy", 600.0)).equals(true)
  local noisy = affinity.score(job(), container({ pool = "noisy" }))
  local new = affinity.score(job(), container({ is_new = true }))
  expect(noisy < new).equals(true)
end)

test("a noisy repository goes back to its own container", function()
  local served = container({ pool = "noisy", repository = "acme/load-tests" })
  local points, why = affinity.score(job({ repository = "acme/load-tests" }), served)
  expect(points).equals(80)
  expect(why).equals("has this repository's cache")
end)
