local schedule = require("lib.schedule")

local berlin = { hours = 1, summer = "eu" }
local office = { { days = "mon-fri", from = "08:00", to = "18:00" } }

local function clock(text) return fleet({ clock = text }).clock end
local function at(text, zone)
  local here = schedule.at(clock(text), zone)
  return ("%04d-%02d-%02d %02d:%02d %d"):format(here.year, here.month, here.day, here.hour, here.minute, here.weekday)
end

test("without a zone it is UTC", function()
  expect(at("2025-01-06 09:00")).equals("2025-01-06 09:00 1")
end)

test("winter and summer differ by an hour, from one minute to the next", function()
  expect(at("2025-03-30 00:59", berlin)).equals("2025-03-30 01:59 7")
  expect(at("2025-03-30 01:00", berlin)).equals("2025-03-30 03:00 7")
  expect(at("2025-10-26 00:59", berlin)).equals("2025-10-26 02:59 7")
  expect(at("2025-10-26 01:00", berlin)).equals("2025-10-26 02:00 7")
end)

test("in America clocks change at two in the morning of each place", function()
  local new_york = { hours = -5, summer = "us" }
  expect(at("2025-03-09 06:59", new_york)).equals("2025-03-09 01:59 7")
  expect(at("2025-03-09 07:00", new_york)).equals("2025-03-09 03:00 7")
  expect(at("2025-11-02 05:59", new_york)).equals("2025-11-02 01:59 7")
  expect(at("2025-11-02 06:00", new_york)).equals("2025-11-02 01:00 7")
end)

test("south of the equator summer is around the new year", function()
  local sydney = { hours = 10, summer = "au" }
  expect(at("2025-01-01 00:00", sydney)).equals("2025-01-01 11:00 3")
  expect(at("2025-07-01 00:00", sydney)).equals("2025-07-01 10:00 2")
end)

test("half hours, and the day before", function()
  expect(at("2025-01-06 20:00", { hours = 5.5 })).equals("2025-01-07 01:30 2")
  expect(at("2025-01-01 01:00", { hours = -8 })).equals("2024-12-31 17:00 2")
end)

test("office hours are open from the first minute to before the last", function()
  expect(schedule.is_open(clock("2025-01-06 08:00"), office)).equals(true)
  expect(schedule.is_open(clock("2025-01-06 17:59"), office)).equals(true)
  expect(schedule.is_open(clock("2025-01-06 18:00"), office)).equals(false)
  expect(schedule.is_open(clock("2025-01-05 10:00"), office)).equals(false)
  expect(schedule.is_open(clock("2025-01-06 07:30"), office, berlin)).equals(true)
end)

test("a window over midnight belongs to the day on which it begins", function()
  local night = { { days = "fri", from = "22:00", to = "06:00" } }
  expect(schedule.is_open(clock("2025-01-10 22:00"), night)).equals(true)
  expect(schedule.is_open(clock("2025-01-11 05:59"), night)).equals(true)
  expect(schedule.is_open(clock("2025-01-11 06:00"), night)).equals(false)
  expect(schedule.is_open(clock("2025-01-10 05:00"), night)).equals(false)
end)

test("days may be named one by one, and around the week's end", function()
  expect(schedule.is_open(clock("2025-01-06 10:00"), { { days = "sat-mon", from = "00:00", to = "24:00" } })).equals(true)
  expect(schedule.is_open(clock("2025-01-07 10:00"), { { days = "mon, wed", from = "00:00", to = "24:00" } })).equals(false)
  expect(schedule.is_open(clock("2025-01-07 10:00"), { { from = "09:00", to = "11:00" } })).equals(true)
end)

test("a span begins and ends at its minute, in local time", function()
  local spans = { { from = "2025-12-20 18:00", to = "2026-01-02 06:00", name = "holidays" } }
  expect(schedule.span(clock("2025-12-20 16:59"), spans, berlin)).equals(nil)
  expect(schedule.span(clock("2025-12-20 17:00"), spans, berlin).name).equals("holidays")
  expect(schedule.span(clock("2026-01-02 05:00"), spans, berlin)).equals(nil)
end)

test("a slip in the data is told", function()
  expect(function() schedule.is_open(clock("2025-01-06 08:00"), { { days = "mo", from = "08:00", to = "9:00" } }) end).fails("unknown day")
  expect(function() schedule.is_open(clock("2025-01-06 08:00"), { { from = 480, to = "9:00" } }) end).fails("write an hour")
  expect(function() schedule.is_open(clock("2025-01-06 08:00"), { { from = "25:00", to = "9:00" } }) end).fails("no hour")
  expect(function() schedule.at(clock("2025-01-06 08:00"), { summer = "mars" }) end).fails("unknown rule")
  expect(function() schedule.span(clock("2025-01-06 08:00"), { { from = "soon", to = "later" } }) end).fails("write a time")
end)
