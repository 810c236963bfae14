local scaling = require("scaling")

local function scale(clock, given)
  given.maximum = given.maximum or 20
  return scaling.scale(pool(given), fleet({ clock = clock }))
end

-- 02:00 UTC is 21:00 of the day before in winter where the data says.
test("at night an idle pool goes to zero", function()
  local wanted, why = scale("2025-01-07 02:00", { total = 6, idle = 6, busy = 0, pending = 0 })
  expect(wanted).equals(0)
  expect(why).equals("night: down to zero")
end)

test("whoever works at night gets a container", function()
  expect((scale("2025-01-07 04:00", { total = 0, idle = 0, busy = 0, pending = 2 }))).equals(2)
  expect((scale("2025-01-07 04:00", { total = 3, idle = 0, busy = 3, pending = 0 }))).equals(3)
end)

test("by day it keeps the last ten minutes' peak and a quarter", function()
  local history = { { busy = 8, total = 8, pending = 0, utilisation = 1.0 }, { busy = 2, total = 8, pending = 0, utilisation = 0.25 } }
  expect((scale("2025-01-07 01:59", { total = 8, idle = 8, busy = 0, pending = 0, history = history }))).equals(10)
  expect((scale("2025-01-06 15:00", { total = 0, idle = 0, busy = 0, pending = 0 }))).equals(0)
  expect((scale("2025-01-06 15:00", { total = 9, idle = 0, busy = 9, pending = 30 }))).equals(20)
end)

test("where starts fail it does not grow", function()
  local wanted, why = scale("2025-01-06 15:00", { total = 2, idle = 0, busy = 2, pending = 9, start_failures = 5 })
  expect(wanted).equals(2)
  expect(why).equals("5 starts failed lately: no growth")
end)
