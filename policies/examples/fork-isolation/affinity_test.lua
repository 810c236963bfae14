local affinity = require("affinity")

local fork = { from_fork = true, trust = "fork", private = false }

test("a fork's job gets the isolated pool", function()
  expect(affinity.filter(job(fork), container({ pool = "forks" }))).equals(true)
end)

test("a fork's job gets no other", function()
  local allowed, why = affinity.filter(job(fork), container({ pool = "linux" }))
  expect(allowed).equals(false)
  expect(why).equals("a fork's job stays in pool forks")
end)

test("our own jobs stay out of it", function()
  expect(affinity.filter(job(), container({ pool = "linux" }))).equals(true)
  expect((affinity.filter(job(), container({ pool = "forks" })))).equals(false)
end)

test("a public job whose run is not known is treated like a fork's", function()
  local unknown = { trust = "unknown", private = false }
  expect((affinity.filter(job(unknown), container({ pool = "linux" })))).equals(false)
  expect(affinity.filter(job(unknown), container({ pool = "forks" }))).equals(true)
end)

test("a private job whose run is not known is not", function()
  expect(affinity.filter(job({ trust = "unknown", private = true }), container({ pool = "linux" }))).equals(true)
end)
