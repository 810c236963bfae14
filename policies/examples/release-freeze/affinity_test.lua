local affinity = require("affinity")

local function filter(clock, given)
  given.clock = clock
  return affinity.filter(job(given), container())
end

test("a deployment waits while the freeze lasts", function()
  local allowed, why = filter("2026-12-24 12:00", { environment = "production" })
  expect(allowed).equals(false)
  expect(why).equals("release freeze until 2027-01-04 08:00: holidays")
end)

test("it goes on with the first minute after, by local time", function()
  expect((filter("2027-01-04 06:59", { environment = "production" }))).equals(false)
  expect(filter("2027-01-04 07:00", { environment = "production" })).equals(true)
end)

test("other environments and other jobs go on", function()
  expect(filter("2026-12-24 12:00", { environment = "staging" })).equals(true)
  expect(filter("2026-12-24 12:00", {})).equals(true)
  expect((filter("2026-12-24 12:00", { environment = "production-eu" }))).equals(false)
end)

test("the override's label deploys all the same", function()
  expect(filter("2026-12-24 12:00", { environment = "production", labels = { "linux", "Freeze-Override" } })).equals(true)
end)
