local scaling = require("scaling")

local function scale(given)
  return scaling.scale(pool(given), fleet())
end

test("up at more than 5 pending and over 80% utilisation", function()
  local wanted, why = scale({ total = 6, busy = 6, idle = 0, active = 6, pending = 6, utilisation = 1.0, maximum = 50 })
  expect(wanted).equals(12)
  expect(why).equals("6 pending at 100% utilisation")
end)

test("five pending are not enough", function()
  expect((scale({ total = 6, busy = 6, idle = 0, active = 6, pending = 5, utilisation = 1.0 }))).equals(6)
end)

test("80% utilisation is not enough", function()
  expect((scale({ total = 5, busy = 4, idle = 1, active = 4, pending = 9, utilisation = 0.8 }))).equals(5)
end)

test("down by half of what is idle beyond the warm ones", function()
  local wanted, why = scale({ total = 9, busy = 0, idle = 9, active = 0, warm = 1, utilisation = 0.0 })
  expect(wanted).equals(5)
  expect(why).equals("0 active at 0% utilisation")
end)

test("down in steps, to the last one that is to spare", function()
  expect((scale({ total = 2, busy = 0, idle = 2, active = 0, warm = 1, utilisation = 0.0 }))).equals(1)
end)

test("two active jobs keep the pool as it is", function()
  expect((scale({ total = 10, busy = 2, idle = 8, active = 2, utilisation = 0.2 }))).equals(10)
end)

test("30% utilisation keeps the pool as it is", function()
  expect((scale({ total = 10, busy = 3, idle = 7, active = 1, utilisation = 0.3 }))).equals(10)
end)

test("never beyond minimum and maximum", function()
  expect((scale({ total = 9, busy = 9, idle = 0, active = 9, pending = 100, utilisation = 1.0, maximum = 10 }))).equals(10)
  expect((scale({ total = 3, busy = 0, idle = 3, active = 0, warm = 0, minimum = 3, utilisation = 0.0 }))).equals(3)
  expect((scale({ total = 0, busy = 0, idle = 0, active = 0, minimum = 2, utilisation = 0.0 }))).equals(2)
end)
