/// The functions that `_test.lua` files can use, in Lua. They exist in test runs only.
///
/// `test(name, body)` registers a test; `expect(value)` checks; `job{…}`, `pool{…}`, `fleet{…}` and `container{…}` build the inputs that the
/// host would build, with fields that a test does not care for already filled.
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

    local build

    local function made(type_name, value, place)
      local optional = type_name:match("^(.*)%?$")
      if optional then
        if value == nil then return nil end
        type_name = optional
      end
      local element = type_name:match("^(.*)%[%]$")
      local wanted = element and "table" or kinds[type_name] and "table" or lua_types[type_name]
      if type(value) ~= wanted then error(place .. " is a " .. type(value) .. "; it should be a " .. type_name, 4) end
      if element then
        local list = {}
        for index, item in ipairs(value) do list[index] = made(element, item, place) end
        return seal("list", list)
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

    function build(kind, given)
      local object = {}
      for name, value in pairs(samples[kind]) do object[name] = value end
      for name, value in pairs(given or {}) do
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
