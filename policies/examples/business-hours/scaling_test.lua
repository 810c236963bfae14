local scaling = require("scaling")

local function scale(clock, given)
  return scaling.scale(pool(given), fleet({ clock = clock }))
end

-- 06:00 UTC is 07:00 in winter and 08:00 in summer where the data says.
test("five stand ready from half past seven on", function()
  local wanted, why = scale("2025-01-06 06:30", { total = 2, busy = 2, idle = 0 })
  expect(wanted).equals(7)
  expect(why).equals("5 ready in business hours")
end)

test("not a minute before", function()
  local _, why = scale("2025-01-06 06:29", { busy = 0, idle = 0 })
  expect(why).equals("outside business hours")
end)

test("an hour earlier by UTC in summer", function()
  local _, why = scale("2025-07-07 05:30", { busy = 0, idle = 0 })
  expect(why).equals("5 ready in business hours")
end)

test("what waits counts where it is more", function()
  expect((scale("2025-01-06 09:00", { busy = 1, idle = 0, pending = 8, maximum = 20 }))).equals(9)
  expect((scale("2025-01-06 09:00", { busy = 1, idle = 0, pending = 80, maximum = 20 }))).equals(20)
end)

test("in the evening the pool shrinks by halves to its minimum", function()
  expect((scale("2025-01-06 20:00", { busy = 1, idle = 6, minimum = 0 }))).equals(4)
  expect((scale("2025-01-06 20:00", { busy = 0, idle = 1, minimum = 0 }))).equals(0)
  expect((scale("2025-01-06 20:00", { busy = 0, idle = 1, minimum = 1 }))).equals(1)
end)

test("work at night still gets its containers", function()
  local wanted, why = scale("2025-01-06 23:00", { busy = 0, idle = 0, pending = 3, minimum = 0 })
  expect(wanted).equals(3)
  expect(why).equals("3 pending")
end)

test("the weekend is outside, and pools that are not named have no hours", function()
  local _, why = scale("2025-01-04 10:00", { busy = 0, idle = 0 })
  expect(why).equals("outside business hours")
  _, why = scale("2025-01-06 10:00", { name = "gpu", busy = 0, idle = 0 })
  expect(why).equals("outside business hours")
end)
