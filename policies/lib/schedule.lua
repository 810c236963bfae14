-- Weekly hours and spans of time, in a place's own time.
--
-- A policy knows UTC only (`fleet.clock`, and `job.clock` in affinity). Local time is computed here, from what the policies' own
-- data says of a zone, so that the same question has the same answer on every machine and in every replay:
--
--   zone: { hours: 1, summer: eu }         hours ahead of UTC in winter; the rule of summer time: eu, us, au, or none
--
--   Berlin, Paris, Madrid   { hours: 1, summer: eu }        New York       { hours: -5, summer: us }
--   London, Lisbon          { hours: 0, summer: eu }        San Francisco  { hours: -8, summer: us }
--   Helsinki, Athens        { hours: 2, summer: eu }        Sydney         { hours: 10, summer: au }
--   Bengaluru               { hours: 5.5 }                  Tokyo          { hours: 9 }

local schedule = {}

local names = { mon = 1, tue = 2, wed = 3, thu = 4, fri = 5, sat = 6, sun = 7 }

--- Days from 1 January 1970 to a date. Years begin in March, so that a leap day is the last of its year.
local function days_of(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = year // 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  local year_of_era = year - era * 400
  return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
end

--- The date of days since 1970.
local function date_of(days)
  local shifted = days + 719468
  local era = shifted // 146097
  local day_of_era = shifted - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local part = (5 * day_of_year + 2) // 153
  local month = part < 10 and part + 3 or part - 9
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month, day_of_year - (153 * part + 2) // 5 + 1
end

--- 1 is Monday.
local function weekday_of(days) return (days + 3) % 7 + 1 end

--- The n-th Sunday of a month, or the last one for -1, as days since 1970.
local function sunday(year, month, n)
  if n > 0 then
    local first = days_of(year, month, 1)
    return first + (7 - weekday_of(first)) + 7 * (n - 1)
  end
  local last = (month == 12 and days_of(year + 1, 1, 1) or days_of(year, month + 1, 1)) - 1
  return last - weekday_of(last) % 7
end

-- Whether it is summer time, by rule: seconds since 1970, the year, and the zone's seconds ahead of UTC in winter.
local summer = {
  -- Everywhere at 01:00 UTC, on the last Sundays of March and October.
  eu = function(seconds, year)
    return seconds >= sunday(year, 3, -1) * 86400 + 3600 and seconds < sunday(year, 10, -1) * 86400 + 3600
  end,
  -- At 02:00 of each place, on the second Sunday of March and the first of November.
  us = function(seconds, year, ahead)
    return seconds >= sunday(year, 3, 2) * 86400 + 7200 - ahead and seconds < sunday(year, 11, 1) * 86400 + 3600 - ahead
  end,
  -- At 02:00 winter time, on the first Sundays of October and April: south of the equator summer is around the new year.
  au = function(seconds, year, ahead)
    return seconds < sunday(year, 4, 1) * 86400 + 7200 - ahead or seconds >= sunday(year, 10, 1) * 86400 + 7200 - ahead
  end,
  none = function() return false end,
}

---@class Zone
---@field hours? number Hours ahead of UTC in winter; 0 if it is left out.
---@field summer? "eu"|"us"|"au"|"none"

--- A moment as the clocks of a zone show it.
---@param clock Clock|{ seconds: integer }
---@param zone? Zone UTC if it is left out.
---@return { seconds: integer, year: integer, month: integer, day: integer, hour: integer, minute: integer, weekday: integer } clock
function schedule.at(clock, zone)
  zone = zone or {}
  local rule = summer[zone.summer or "none"]
  if not rule then error("unknown rule of summer time '" .. tostring(zone.summer) .. "': eu, us, au or none") end
  local ahead = ((zone.hours or 0) * 3600) // 1 | 0
  local year = date_of((clock.seconds + ahead) // 86400)
  if rule(clock.seconds, year, ahead) then ahead = ahead + 3600 end
  local there = clock.seconds + ahead
  local days = there // 86400
  local month, day
  year, month, day = date_of(days)
  return {
    seconds = clock.seconds, year = year, month = month, day = day, hour = there % 86400 // 3600, minute = there % 3600 // 60,
    weekday = weekday_of(days),
  }
end

--- Minutes since midnight of "18:30"; "24:00" is the end of a day.
local function minutes_of(text)
  local hour, minute = tostring(text):match("^(%d%d?):(%d%d)$")
  if not hour then error("write an hour as \"18:30\", not " .. tostring(text)) end
  local minutes = tonumber(hour) * 60 + tonumber(minute)
  if minutes > 1440 or tonumber(minute) > 59 then error("there is no hour \"" .. text .. "\"") end
  return minutes
end

--- The days of "mon-fri", "sat", "fri-mon" or "mon, wed", as a set of numbers.
local function days_in(text)
  local found = {}
  for part in text:lower():gmatch("[^,%s]+") do
    local from, to = part:match("^(%a+)%-(%a+)$")
    local first, last = names[from or part], names[to or part]
    if not first or not last then error("unknown day in \"" .. text .. "\": mon, tue, wed, thu, fri, sat, sun") end
    local day = first
    found[day] = true
    while day ~= last do
      day = day % 7 + 1
      found[day] = true
    end
  end
  return found
end

---@class Window
---@field days? string `mon-fri`, `sat, sun`; every day if it is left out. A window over midnight belongs to the day on which it begins.
---@field from string `08:00`
---@field to string `18:00`; at or before `from`, it is that hour of the next day.

--- Whether a moment lies in one of the weekly windows.
---@param clock Clock
---@param windows Window[]
---@param zone? Zone
---@return boolean
function schedule.is_open(clock, windows, zone)
  local here = schedule.at(clock, zone)
  local minute = here.hour * 60 + here.minute
  local yesterday = (here.weekday + 5) % 7 + 1
  for _, window in ipairs(windows) do
    local days = days_in(window.days or "mon-sun")
    local from, to = minutes_of(window.from), minutes_of(window.to)
    if from < to then
      if days[here.weekday] and minute >= from and minute < to then return true end
    elseif (days[here.weekday] and minute >= from) or (days[yesterday] and minute < to) then
      return true
    end
  end
  return false
end

--- A local time such as "2025-12-20 18:00" as one number that grows with time: for comparing two of the same zone.
local function ordinal(text)
  local year, month, day, hour, minute = tostring(text):match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[ T](%d%d):(%d%d)")
  if not year then error("write a time as \"2025-12-20 18:00\", not " .. tostring(text)) end
  return days_of(tonumber(year), tonumber(month), tonumber(day)) * 1440 + tonumber(hour) * 60 + tonumber(minute)
end

--- The first of the spans in which a moment lies, or nil. `from` belongs to a span, `to` does not.
---@generic Span: { from: string, to: string }
---@param clock Clock
---@param spans Span[]
---@param zone? Zone
---@return Span?
function schedule.span(clock, spans, zone)
  local here = schedule.at(clock, zone)
  local now = days_of(here.year, here.month, here.day) * 1440 + here.hour * 60 + here.minute
  for _, span in ipairs(spans) do
    if now >= ordinal(span.from) and now < ordinal(span.to) then return span end
  end
  return nil
end

return schedule
