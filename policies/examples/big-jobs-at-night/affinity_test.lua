local affinity = require("affinity")

local big = { cpus = 16.0, memory_mb = 32768 }
local function filter(clock, given)
  given.clock = clock
  return affinity.filter(job(given), container())
end

-- 18:59 UTC is 19:59 in winter where the data says, and 20:59 in summer.
test("a big job waits by day, and says how big it is", function()
  local allowed, why = filter("2025-01-06 18:59", { estimate = big })
  expect(allowed).equals(false)
  expect(why).equals("big (16 CPUs): waits for the night")
end)

test("it starts with the night, by local time", function()
  expect(filter("2025-01-06 19:00", { estimate = big })).equals(true)
  expect(filter("2025-01-07 04:59", { estimate = big })).equals(true)
  expect((filter("2025-01-07 05:00", { estimate = big }))).equals(false)
  expect(filter("2025-07-07 18:00", { estimate = big })).equals(true)
end)

test("the weekend counts as night", function()
  expect(filter("2025-01-04 12:00", { estimate = big })).equals(true)
end)

test("memory and time make a job big too", function()
  local _, why = filter("2025-01-06 12:00", { estimate = { memory_mb = 16384 } })
  expect(why).contains("16 GiB")
  _, why = filter("2025-01-06 12:00", { estimate = { duration_seconds = 7200.0 } })
  expect(why).contains("120 min")
end)

test("others go on", function()
  expect(filter("2025-01-06 12:00", {})).equals(true)
  expect(filter("2025-01-06 12:00", { estimate = { cpus = 4.0 } })).equals(true)
end)

test("a deployment does not wait, and nobody for more than twenty hours", function()
  expect(filter("2025-01-06 12:00", { estimate = big, environment = "production" })).equals(true)
  expect(filter("2025-01-06 12:00", { estimate = big, waiting_seconds = 72000.0 })).equals(true)
end)
