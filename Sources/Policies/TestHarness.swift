/// The functions that `_test.lua` files can use, in Lua. They exist in test runs only.
///
/// `test(name, body)` registers a test; `expect(value)` checks; `job{…}`, `pool{…}`, `fleet{…}` and `container{…}` build the inputs that the
/// host would build, with fields that a test does not care for already filled; `moment(text)` reads a time.
enum TestHarness {
  static let module = "host.harness"

  static let source = #"""
    local seal = ...
    local kinds, samples, tests = {}, {}, {}
    local harness = { names = {} }
    local lua_types = { text = "string", integer = "number", number = "number", boolean = "boolean", labels = "table" }

    local function show(value)
      if type(value) == "string" then return '"' .. value .. '"' end
      if type(value) ~= "table" then return tostring(value) end
      local parts = {}
      for key, item in pairs(value) do
        parts[#parts + 1] = (type(key) == "string" and key .. " = " or "") .. (type(item) == "table" and "{…}" or show(item))
      end
      return "{" .. table.concat(parts, ", ") .. "}"
    end

    local function same(a, b)
      if type(a) ~= "table" or type(b) ~= "table" then return a == b end
      for key, value in pairs(a) do if not same(value, b[key]) then return false end end
      for key in pairs(b) do if a[key] == nil then return false end end
      return true
    end

    -- Days since 1970 of a date, by eras of 400 years that begin on 1 March; PolicyClock.swift goes the other way.
    local function days_of(year, month, day)
      if month <= 2 then year = year - 1 end
      local era = year // 400
      local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
      local year_of_era = year - era * 400
      return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
    end

    local function moment(text)
      local pattern = "^(%d%d%d%d)%-(%d%d)%-(%d%d)[ T](%d%d):(%d%d)$"
      local year, month, day, hour, minute = tostring(text):match(pattern)
      if not year then error("write a time as '2025-01-06 09:00' (UTC), not " .. show(text), 3) end
      year, month, day, hour, minute = tonumber(year), tonumber(month), tonumber(day), tonumber(hour), tonumber(minute)
      local next_month = month == 12 and days_of(year + 1, 1, 1) or month <= 12 and days_of(year, month + 1, 1) or 0
      if month < 1 or month > 12 or day < 1 or day > next_month - days_of(year, month, 1) or hour > 23 or minute > 59 then
        error("there is no time " .. show(text), 3)
      end
      return days_of(year, month, day) * 86400 + hour * 3600 + minute * 60
    end

    local function clock_of(seconds)
      seconds = seconds // 1 | 0
      local days = seconds // 86400
      local year = 1970 + days // 366
      while days_of(year + 1, 1, 1) <= days do year = year + 1 end
      local month = 1
      while month < 12 and days_of(year, month + 1, 1) <= days do month = month + 1 end
      return {
        seconds = seconds, year = year, month = month, day = days - days_of(year, month, 1) + 1, hour = seconds % 86400 // 3600,
        minute = seconds % 3600 // 60, weekday = (days + 3) % 7 + 1,
      }
    end

    local build

    local function made(type_name, value, place)
      local optional = type_name:match("^(.*)%?$")
      if optional then
        if value == nil then return nil end
        type_name = optional
      end
      local element = type_name:match("^(.*)%[%]$")
      local named = type_name:match("^(.*){}$")
      local wanted = (element or named) and "table" or kinds[type_name] and "table" or lua_types[type_name]
      if type(value) ~= wanted then error(place .. " is a " .. type(value) .. "; it should be a " .. type_name, 4) end
      if element then
        local list = {}
        for index, item in ipairs(value) do list[index] = made(element, item, place) end
        return seal("list", list)
      end
      if named then
        local map = {}
        for name, item in pairs(value) do map[name] = made(named, item, place .. "." .. tostring(name)) end
        return seal("map", map)
      end
      if kinds[type_name] then return build(type_name, value) end
      if type_name == "labels" then
        local labels = {}
        for index, label in ipairs(value) do labels[index] = label:lower() end
        table.sort(labels)
        return seal("labels", labels)
      end
      return value
    end

    -- A time may be given as text, and a fleet's clock and its `now` are one.
    local function with_time(kind, given)
      if kind ~= "fleet" and kind ~= "job" then return given end
      local clock = given.clock
      if type(clock) == "string" then clock = clock_of(moment(clock)) end
      if kind == "fleet" and given.now and not clock then clock = clock_of(given.now) end
      if type(clock) ~= "table" then return given end
      local timed = {}
      for name, value in pairs(given) do timed[name] = value end
      timed.clock = clock
      if kind == "fleet" and not given.now then timed.now = clock.seconds end
      return timed
    end

    function build(kind, given)
      local object = {}
      for name, value in pairs(samples[kind]) do object[name] = value end
      for name, value in pairs(with_time(kind, given or {})) do
        if kinds[kind][name] == nil then error("a " .. kind .. " has no field '" .. tostring(name) .. "'", 3) end
        object[name] = value
      end
      local filled = {}
      for name, type_name in pairs(kinds[kind]) do filled[name] = made(type_name, object[name], kind .. "." .. name) end
      return seal(kind, filled)
    end

    function harness.prepare(host_kinds, host_samples)
      kinds, samples = host_kinds, host_samples
    end

    function harness.tests()
      local names = {}
      for index, one in ipairs(tests) do names[index] = one.name end
      return names
    end

    function harness.run(index)
      tests[index].body()
    end

    local names = harness.names
    names.job = function(given) return build("job", given) end
    names.pool = function(given) return build("pool", given) end
    names.fleet = function(given) return build("fleet", given) end
    names.container = function(given) return build("container", given) end
    names.moment = moment

    function names.test(name, body)
      if type(name) ~= "string" or type(body) ~= "function" then error("write test(name, function() … end)", 2) end
      for _, one in ipairs(tests) do
        if one.name == name then error("two tests are named '" .. name .. "'", 2) end
      end
      tests[#tests + 1] = { name = name, body = body }
    end

    function names.expect(value)
      local checks = {}
      function checks.equals(wanted)
        if not same(value, wanted) then error("expected " .. show(wanted) .. ", got " .. show(value), 2) end
      end
      function checks.contains(part)
        if type(value) ~= "string" or not value:find(part, 1, true) then
          error("expected a text with " .. show(part) .. ", got " .. show(value), 2)
        end
      end
      function checks.between(low, high)
        if type(value) ~= "number" or not (value >= low and value <= high) then
          error("expected a number from " .. low .. " to " .. high .. ", got " .. show(value), 2)
        end
      end
      function checks.fails(part)
        local succeeded, message = pcall(value)
        if succeeded then error("expected an error, got none", 2) end
        if part and not tostring(message):find(part, 1, true) then
          error("expected an error with " .. show(part) .. ", got " .. show(message), 2)
        end
      end
      return checks
    end

    return harness
    """#
}
