import Domain
import Policies
import RunnerHub
import Testing

/// One hostile routing policy, and what the host must say of it.
struct Attack: Sendable, CustomTestStringConvertible {
  let name: String
  /// The body of `route(job, fleet)`.
  let body: String
  /// Part of the fallback cause; nil: the policy must get on with it and answer `traditional` with "held".
  let refusal: String?
  var testDescription: String { name }

  init(_ name: String, _ refusal: String?, _ body: String) {
    self.name = name
    self.body = body
    self.refusal = refusal
  }
}

@Suite("Hostile policies")
struct AttackTests {
  static let held = "return 'traditional', 'held'"

  /// What the file of each attack has besides its function.
  static let prelude = """
    local counter, cache = 0, {}
    local Class = {}
    Class.__index = Class
    function Class:size() return self.n end
    local object = setmetatable({ n = 2 }, Class)
    local function first(random) return random(1 << 30) end

    """

  static let attacks: [Attack] = [
    // Time.
    Attack("an infinite loop", "budget", "while true do end"),
    Attack("a loop by goto", "budget", "::again:: goto again"),
    Attack("a loop inside pcall", "budget", "while true do pcall(function() while true do end end) end"),
    Attack(
      "a loop inside xpcall, whose handler loops too", "budget",
      "xpcall(function() while true do end end, function() while true do end end)"),
    Attack("pcall as the function of pcall", "budget", "local f = function() while true do end end; pcall(pcall, pcall, f); \(held)"),
    Attack("recursion by tail calls", "budget", "local function f() return f() end; f()"),
    Attack("an iterator that never ends", "budget", "for _ in function() return 1 end do end"),
    Attack("ipairs over a table without end", "budget", "for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do end"),
    Attack(
      "a closing variable that loops", "budget",
      "local x <close> = setmetatable({}, { __close = function() while true do end end }); \(held)"),
    Attack(
      "closing variables that go on when the budget is gone", "budget",
      "local function f() local x <close> = setmetatable({}, { __close = f }); while true do end end; local f2 = f; pcall(f2); f2()"),
    Attack("an __index that loops", "budget", "local t = setmetatable({}, { __index = function(t, k) while true do end end }); return t.x"),
    Attack("__index chains to itself", "loop", "local t = {}; setmetatable(t, { __index = t }); return t.x"),
    Attack(
      "a comparison that loops", "budget",
      "local m = { __lt = function() while true do end end }; return setmetatable({}, m) < setmetatable({}, m)"),
    // Patterns and other C functions.
    Attack("backtracking in find", "budget", #"return ("a"):rep(40):find(("a*"):rep(40) .. "b")"#),
    Attack("backtracking in match", "budget", #"return ("a"):rep(200):match((".-"):rep(20) .. "b")"#),
    Attack("backtracking in gsub", "budget", #"return ("a"):rep(60):gsub(("a*"):rep(30) .. "b", "")"#),
    Attack("backtracking in gmatch", "budget", #"for _ in ("a"):rep(60):gmatch(("a*"):rep(30) .. "b") do end"#),
    Attack("backtracking caught by pcall", "budget", #"while true do pcall(string.find, ("a"):rep(60), ("a*"):rep(30) .. "b") end"#),
    Attack("balance over and over", "budget", #"return ("("):rep(100000):find("%b()")"#),
    Attack("a pattern nested too deeply", "too complex", #"return ("a"):rep(400):match(("(a"):rep(20) .. ("a?"):rep(300))"#),
    Attack("a pattern that ends early", "malformed pattern", #"return ("a"):find("[a")"#),
    Attack("a plain find over and over", "budget", #"local s = ("a"):rep(500000); while true do s:find("b", 1, true) end"#),
    Attack("rep of nothing, very often", nil, "(''):rep(1 << 60); \(held)".replacing("(''):rep", with: "local _ = (''):rep")),
    Attack("a rep bomb", "longer than", "return ('x'):rep(1 << 40)"),
    Attack("a rep bomb with a separator", "longer than", "return (''):rep(1 << 40, 'xy')"),
    Attack("a format with a huge width", "invalid conversion", "return ('%99999d'):format(1)"),
    Attack("a format that shows an address", "address", "return ('%p'):format({})"),
    Attack("upper of a long text, over and over", "memory", "local s = ('x'):rep(1 << 20); while true do s:upper() end"),
    Attack("utf8.len of a long text, over and over", "budget", "local s = ('x'):rep(1 << 20); while true do utf8.len(s) end"),
    Attack("a table.concat bomb", "memory", "local t, x = {}, ('x'):rep(100000); for i = 1, 1000 do t[i] = x end; return table.concat(t)"),
    Attack("a table.move over a range without end", "budget", "table.move({}, 1, 1 << 50, 1, {})"),
    Attack("a table.unpack without end", "budget", "return table.unpack({}, 1, 1 << 40)"),
    Attack(
      "a length that lies to table.concat", "metatable", "return table.concat(setmetatable({}, { __len = function() return 1 << 50 end }))"),
    Attack(
      "a length that lies to table.insert", "metatable", "table.insert(setmetatable({}, { __len = function() return 1 << 50 end }), 1, 1)"),
    Attack(
      "a length that lies to table.sort", "metatable", "table.sort(setmetatable({}, { __len = function() return 1 << 30 end }), rawequal)"),
    Attack(
      "a sort whose comparator contradicts itself", nil,
      "local t = {}; for i = 1, 200 do t[i] = i % 7 end; table.sort(t, function() return true end); \(held)"),
    Attack(
      "a sort whose comparator empties the table", nil,
      "local t = { 3, 2, 1 }; table.sort(t, function(a, b) t[1], t[2], t[3] = nil, nil, nil; return a < b end); \(held)"),
    Attack("a sort whose comparator raises", "no order", "table.sort({ 3, 2, 1 }, function() error('no order') end)"),
    // Memory and depth.
    Attack("a memory bomb of tables", "memory", "local t = {}; while true do t = { t, {}, {} } end"),
    Attack("a memory bomb of text", "", "local s = 'x'; while true do s = s .. s end"),
    Attack("a memory bomb inside pcall", "", "while true do pcall(function() local s = 'x'; while true do s = s .. s end end) end"),
    Attack("garbage without end", "budget", "while true do local s = ('x'):rep(100000) .. 'y' end"),
    Attack("deep recursion", "", "local function f() return 1 + f() end; return f()"),
    Attack("deep recursion through C", "", "local function f() return pcall(f) end; f(); error('ended')"),
    Attack("recursion by gsub", "", "local function f(x) return (x:gsub('.', f)) end; return f('a')"),
    Attack(
      "recursion by __tostring", "", "local m = {}; m.__tostring = function(t) return tostring(t) end; return tostring(setmetatable({}, m))"
    ),
    // Errors.
    Attack("an error in the error handler", nil, "xpcall(error, function() error('again') end); \(held)"),
    Attack("an error that is a table", "table value", "error({ code = 1 })"),
    Attack("an error whose __tostring loops", "table value", "error(setmetatable({}, { __tostring = function() while true do end end }))"),
    Attack("an error that is nil", "nil value", "error(nil)"),
    Attack("an error that is a function", "function value", "error(print)"),
    Attack("an error of a million letters", "", "error(('x'):rep(1000000))"),
    // Escape.
    Attack("__gc", "__gc is not allowed", "setmetatable({}, { __gc = function() while true do end end })"),
    Attack(
      "__gc added to a metatable later", nil,
      "local m = {}; for i = 1, 100 do setmetatable({}, m) end; m.__gc = function() while true do end end; \(held)"),
    Attack("__mode", "__mode is not allowed", "setmetatable({}, { __mode = 'k' })"),
    Attack("os", "'os' is not available", "return os.execute('true')"),
    Attack("io", "'io' is not available", "return io.open('/etc/passwd')"),
    Attack("debug", "'debug' is not available", "return debug.getregistry()"),
    Attack("load", "'load' is not available", "return load('return 1')()"),
    Attack("dofile", "'dofile' is not available", "return dofile('/etc/passwd')"),
    Attack("package", "'package' is not available", "return package.loadlib"),
    Attack("collectgarbage", "'collectgarbage' is not available", "collectgarbage('stop')"),
    Attack("coroutine", "'coroutine' is not available", "return coroutine.wrap(function() while true do end end)()"),
    Attack("next", "'next' is not available", "return next({})"),
    Attack("_G", "'_G' is not available", "return _G.os"),
    Attack("string.dump", "unknown field 'string.dump'", "return string.dump(print)"),
    Attack("a new _ENV", "attempt to call a nil value", "local _ENV = {}; return load('x')"),
    Attack("require outside lib/", "no module", "return require('../../etc/passwd')"),
    Attack("require of an absolute path", "no module", "return require('/etc/passwd')"),
    Attack("require of a host module", "no module", "return require('host.harness')"),
    Attack("require of itself", nil, "local _ = require('routing'); \(held)"),
    // Budgets that end while something is still to be closed or handled.
    Attack(
      "a closing variable that loops when a budget's error unwinds", "budget",
      "local x <close> = setmetatable({}, { __close = function() while true do end end }); while true do end"),
    Attack(
      "a hundred closing variables that each loop when a budget's error unwinds", "budget",
      """
      local looping = setmetatable({}, { __close = function() while true do end end })
      local function nested(n) local x <close> = looping; if n > 0 then nested(n - 1) end; while true do end end
      nested(100)
      """),
    Attack(
      "a closing variable that opens another at each error", "",
      """
      local handler = {}
      handler.__close = function() local x <close> = setmetatable({}, handler); error('again') end
      for _ = 1, 1000000 do pcall(function() local x <close> = setmetatable({}, handler) end) end
      """),
    Attack(
      "a closing variable that answers in place of the budget's error", "budget",
      """
      local done
      local function f() local x <close> = setmetatable({}, { __close = function() done = true end }); while true do end end
      pcall(f)
      do return 'traditional', 'held' end
      """),
    Attack(
      "pcall inside xpcall inside pcall around a loop", "budget",
      "pcall(xpcall, pcall, print, function() while true do end end); while true do pcall(xpcall, pcall, pcall, function() while true do end end) end"
    ),
    Attack(
      "a loop in a for-loop's iterator under pcall", "budget",
      "for _ in function() return pcall(function() while true do end end) end do end"),
    Attack(
      "a loop in the comparator of a sort under pcall", "budget",
      "while true do pcall(table.sort, { 1, 2 }, function() while true do end end) end"),
    Attack(
      "a loop in the replacement of gsub under pcall", "budget",
      "while true do pcall(string.gsub, 'a', 'a', function() while true do end end) end"),
    Attack(
      "a loop in __tostring under format", "budget",
      "return ('%s'):format(setmetatable({}, { __tostring = function() while true do end end }))"),
    Attack("a loop in __concat", "budget", "return setmetatable({}, { __concat = function() while true do end end }) .. 'x'"),
    Attack(
      "a loop in __eq", "budget", "local m = { __eq = function() while true do end end }; return setmetatable({}, m) == setmetatable({}, m)"
    ),
    Attack("a loop in __call", "budget", "return setmetatable({}, { __call = function() while true do end end })()"),
    Attack("a loop in __len", "budget", "return #setmetatable({}, { __len = function() while true do end end })"),
    Attack("a loop in __newindex", "budget", "setmetatable({}, { __newindex = function() while true do end end }).x = 1"),
    Attack(
      "a loop in an error handler that ran for a budget's error", "budget",
      "xpcall(function() while true do end end, function() pcall(function() while true do end end) end); \(held)"),
    // Memory that no pcall gives back.
    Attack(
      "memory used up, caught, and used up again", "",
      "for _ = 1, 100 do pcall(function() local t = {}; while true do t[#t + 1] = ('x'):rep(1000) end end) end; \(held)"),
    Attack("a table that grows by its hash part", "", "local t = {}; for i = 1, 1 << 40 do t[i * 3.5] = i end"),
    Attack(
      "a hundred thousand arguments, over and over", "",
      "local t = {}; for i = 1, 100000 do t[i] = i end; local function f(...) return select('#', ...) end; while true do f(table.unpack(t)) end"
    ),
    Attack(
      "a text of zeros, compared over and over", "",
      "local z = ('\\0'):rep(1 << 20); local a, b = z .. 'a', z .. 'b'; while true do local _ = a < b end"),
    Attack(
      "texts of zeros, sorted over and over", "",
      "local z = ('\\0'):rep(1 << 20); local t = { z .. 'b', z .. 'a' }; while true do table.sort(t) end"),
    Attack(
      "keys of a hundred kilobytes, walked over and over", "",
      "local t = {}; for i = 1, 40 do t[('k'):rep(100000) .. i] = i end; while true do for _ in pairs(t) do end end"),
    Attack(
      "concat with a separator of a megabyte", "",
      "local t = {}; for i = 1, 1000 do t[i] = 'x' end; return table.concat(t, ('y'):rep(1 << 20))"),
    Attack("a format of the longest numbers, over and over", "", "while true do local _ = ('%99.99f'):rep(100):format(1e308) end"),
    Attack("%q of a long text, over and over", "", "local s = ('\\0'):rep(1 << 19); while true do local _ = ('%q'):format(s) end"),
    Attack(
      "utf8.char with a million arguments", "", "local t = {}; for i = 1, 1000000 do t[i] = 65 end; return utf8.char(table.unpack(t))"),
    Attack("string.byte of a whole megabyte", "", "return ('x'):rep(1 << 20):byte(1, -1)"),
    Attack("percent of a long text, over and over", "", "local s = ('x'):rep(1 << 20); while true do percent(s) end"),
    // Depth.
    Attack(
      "recursion through metamethods of C functions", "",
      "local m = {}; m.__index = function(t, k) return t[k + 1] end; return setmetatable({}, m)[1]"),
    Attack("recursion through sort", "", "local function f() table.sort({ 2, 1 }, f) end; f()"),
    Attack(
      "recursion through ipairs and __index", "",
      "local m = {}; m.__index = function() for _ in ipairs(setmetatable({}, m)) do end end; for _ in ipairs(setmetatable({}, m)) do end"),
    Attack(
      "recursion through closing variables", "",
      "local m = {}; m.__close = function() local x <close> = setmetatable({}, m) end; do local x <close> = setmetatable({}, m) end; error('ended')"
    ),
    Attack("recursion through require", nil, "local r = require('routing'); if r.route then \(held) end"),
    Attack(
      "a chain of __index a million long", "", "local t = {}; for _ = 1, 1000000 do t = setmetatable({}, { __index = t }) end; return t.x"),
    Attack("a pattern of thirty-three captures", "too many captures", "return ('x'):rep(40):match(('(x)'):rep(33))"),
    Attack(
      "a back-reference to a long capture, over and over", "budget", "while true do local _ = ('ab'):rep(100000):find('(.+)%1%1c') end"),
    Attack("a frontier over and over", "budget", "while true do local _ = ('a'):rep(10000):gsub('%f[b]', '') end"),
    Attack(
      "an error in the handler of an error in a handler", nil,
      "xpcall(xpcall, function() error('a') end, error, function() error('b') end); \(held)"),
    // What an object may claim to be.
    Attack("a hostile __name in an error message", "", "local x = setmetatable({}, { __name = ('%s'):rep(10000) }); return x + 1"),
    Attack(
      "a __name that is a table", nil,
      "local x = setmetatable({}, { __name = {} }); pcall(function() return x + 1 end); if tostring(x) == 'table' then \(held) end"),
    Attack("a __tostring that returns nothing", "must return a string", "print(setmetatable({}, { __tostring = function() end }))"),
    Attack(
      "a __tostring that raises", "from tostring",
      "return tostring(setmetatable({}, { __tostring = function() error('from tostring') end }))"),
    Attack(
      "a __metatable that hides another", nil,
      "local t = setmetatable({}, { __metatable = 'hidden' }); if getmetatable(t) == 'hidden' and not pcall(setmetatable, t, {}) then \(held) end"
    ),
    Attack("a __close that is no function", "", "local x <close> = setmetatable({}, { __close = 1 }); \(held)"),
    Attack(
      "__mode added to a metatable later", nil,
      "local m = {}; local t = setmetatable({}, m); m.__mode = 'k'; t[{}] = 1; for i = 1, 1000 do local _ = { i } end; \(held)"),
    Attack("coroutine.wrap reached through a text", "nil value", "return ('').wrap(function() end)"),
    Attack("debug reached through a function", "attempt to index a function", "return print.debug"),
    Attack(
      "the registry reached through a light key", nil,
      "local n = 0; for k in pairs(job) do if type(k) ~= 'string' then n = n + 1 end end; if n == 0 then \(held) end"),
    Attack("bytecode through require", "no module", "return require('\\27Lua')"),
    Attack("a module name with a zero in it", nil, "local ok = pcall(require, 'lib.words\\0.x'); if not ok then \(held) end"),
    Attack("a module name that climbs", "no module", "return require('lib...routing')"),
    Attack("a module name that is a number", "no module", "return require(7)"),
    Attack("a library loaded within a call", "at the top of the file", "return require('lib.late')"),
    // State between calls.
    Attack("a counter in a variable of the file", "keep no state", "counter = counter + 1; \(held)"),
    Attack("a cache in a table of the file", "keep no state", "cache[job.id] = true; \(held)"),
    Attack("a cache written by table.insert", "keep no state", "table.insert(cache, 1); \(held)"),
    Attack("a field of the policy's own table", "keep no state", "local own = require('routing'); own.seen = true; \(held)"),
    Attack("state in the metatable of a table of the file", "keep no state", "getmetatable(object).seen = true; \(held)"),
    Attack(
      "a class of the file, used as it is meant", nil,
      "local o = setmetatable({ n = 1 }, getmetatable(object)); o.n = o.n + object:size(); if o.n == 3 and o:size() == 3 then \(held) end"),
    Attack("random numbers that remember", nil, "if math.random(1 << 30) == first(math.random) then error('again') end; \(held)"),
    Attack("a write to data", "read-only", "data.teams = 1"),
    Attack("an unknown data file", "unknown field 'data.teams'", "return data.teams.payments"),
    // Results.
    Attack("a table of a million items", "", "local t = {}; for i = 1, 1000000 do t[i] = i end; return t"),
    Attack(
      "tables that share one another, sixteen deep", "", "local t = { 'x' }; for _ = 1, 14 do t = { t, t, t, t, t, t, t, t } end; return t"),
    Attack("a result whose __index loops", "returned {}", "return setmetatable({}, { __index = function() while true do end end })"),
    Attack("a result whose __len lies", "returned {}", "return setmetatable({}, { __len = function() return 1 << 60 end })"),
    Attack("a result whose __tostring loops", "returned {}", "return setmetatable({}, { __tostring = function() while true do end end })"),
    Attack("a result that is the job", "returned", "return job"),
    Attack("a result that is the environment", "", "return data, string"),
    Attack("a result with a function inside", "returned", "return { print }"),
    Attack("not a number", "returned nan", "return 0/0"),
    // What is sealed.
    Attack("the string metatable", "sealed", "local m = getmetatable(''); if m == 'sealed' then error('sealed') end; m.__index = nil"),
    Attack("setmetatable on a text", "table expected", "setmetatable('', {})"),
    Attack("a library table", "string is read-only", "string.find = function() end"),
    Attack("a library table reached through a text", "attempt to", "('').find.x = 1"),
    Attack("a new global", "write 'local leak'", "leak = 1"),
    Attack("a global of the host", "read-only", "print = nil"),
    Attack("rawset on an input", "'rawset' is not available", "rawset(job, 'name', 'x')"),
    Attack("a write to an input", "job is read-only", "job.name = 'x'"),
    Attack("a write to the labels", "labels is read-only", "job.labels[1] = 'windows'"),
    Attack("a write to the pools", "list is read-only", "fleet.pools[1] = nil"),
    Attack("table.insert into the labels", "read-only", "table.insert(job.labels, 'windows')"),
    Attack("table.sort of the labels", "read-only", "table.sort(job.labels)"),
    Attack("setmetatable on an input", "protected metatable", "setmetatable(job, {})"),
    Attack("an unknown field", "did you mean 'job.environment'?", "return job.enviroment"),
    Attack("an unknown name", "did you mean 'ipairs'?", "return ipair({})"),
    Attack("a field by a table as key", "named fields only", "return job[{}]"),
    Attack("has without a colon", "colon", "return job.labels.has('linux')"),
    Attack("has stolen for another table", "colon", "local has = job.labels.has; return has({}, 'x')"),
    Attack("pairs over keys without order", "no order", "for _ in pairs({ [{}] = 1 }) do end"),
    Attack("__pairs is not asked", nil, "for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end; \(held)"),
    Attack("tostring shows no address", nil, "if tostring({}) == 'table' and tostring(print) == 'function' then \(held) end"),
    Attack("__name shows no address", nil, "if tostring(setmetatable({}, { __name = 'x' })) == 'table' then \(held) end"),
    Attack(
      "a __tostring that returns a table", "must return a string",
      "return tostring(setmetatable({}, { __tostring = function() return {} end }))"),
    Attack("printing without end", "", "while true do print(('x'):rep(10000)) end"),
    // Results.
    Attack("no result", "returned nil", "return"),
    Attack("an unknown route", "expected \"orchestrator\"", "return 'elsewhere'"),
    Attack("a number", "returned 7", "return 7"),
    Attack("a function", "returned a function", "return print"),
    Attack("a table that holds itself", "hold itself", "local t = {}; t.t = t; return t"),
    Attack("a huge text", "", "return ('x'):rep(1 << 20) .. ('y'):rep(1 << 20)"),
    Attack("a huge reason", "at most 500", "return 'traditional', ('x'):rep(501)"),
    Attack("a reason that is no text", "expected a text", "return 'traditional', {}"),
    Attack("three values", "3 values", "return 'traditional', 'why', 1"),
    Attack("a thousand values", "1000 values", "local t = {}; for i = 1, 1000 do t[i] = 'traditional' end; return table.unpack(t)"),
    Attack("a table with keys of many kinds", "neither a list nor a map", "return { 1, x = 1 }"),
    Attack("text that is not UTF-8", "returned", "return '\\xff\\xfe'"),
  ]

  @Test("cannot crash, hang, exhaust, read or write the host, and the next question is answered", arguments: attacks)
  func attack(_ attack: Attack) throws {
    let source =
      Self.prelude
      + "local routing = { api = 1 }\nfunction routing.route(job, fleet)\n\(attack.body.hasPrefix("return") ? "do \(attack.body) end" : attack.body)\nend\nreturn routing"
    let files = ["routing.lua": Array(source.utf8), "lib/words.lua": Array("return {}".utf8), "lib/late.lua": Array("return {}".utf8)]
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: files), builtIn: BuiltInPolicy())
    for _ in 1...2 {
      let verdict = engine.route(PolicySamples.job, fleet: PolicySamples.fleet)
      if let refusal = attack.refusal {
        let cause = try #require(verdict.fallbackCause)
        #expect(refusal.isEmpty || cause.contains(refusal))
        #expect(verdict.value == .orchestrator)
        #expect(verdict.bundle == "built-in")
        #expect(cause.utf8.count < 10_000)
        #expect(verdict.microseconds < 5_000_000)
      } else {
        #expect(verdict.fallbackCause == nil)
        #expect(verdict.reason == "held")
      }
    }
  }

  static let files: [(String, String)] = [
    ("\u{1B}Lua bytecode", "binary chunk"), ("return 1", "not a table"), ("", "returns nothing"), ("return {", "expected"),
    ("while true do end", "budget"), ("return {}", "no 'api'"), ("return { api = 2 }", "api = 2"), ("return { api = 1 }", "no function"),
    ("return { api = 1, route = 'x' }", "no function"), ("return require('lib.a')", "requires itself"), ("error('at load')", "at load"),
    ("return setmetatable({}, { __index = { api = 1, route = print } })", "no 'api'"),
    (String(repeating: "(", count: 5000), "overflow"), ("local x <close> = 1", "non-closable"),
  ]

  @Test("that do not load leave the built-in rule", arguments: files)
  func load(source: String, cause: String) throws {
    let files = [
      "routing.lua": Array(source.utf8), "lib/a.lua": Array("return require('lib.b')".utf8),
      "lib/b.lua": Array("return require('lib.a')".utf8),
    ]
    let bundle = try PolicyBundle(files: files)
    let verdict = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy()).route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.value == .orchestrator)
    #expect(verdict.fallbackCause?.contains(cause) == true, "\(verdict.fallbackCause ?? "")")
    #expect(!BundleCheck(bundle).isFit)
  }

  static let scores = ["0/0", "1e308", "-1", "100.5", "math.huge", "-math.huge", "'80'", "nil", "{}", "print", "1 << 62", "true"]

  @Test("with a score out of range are refused as a whole", arguments: scores)
  func score(_ value: String) throws {
    let source = "local a = { api = 1 }\nfunction a.score(job, container) return \(value), 'why' end\nreturn a"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let verdict = engine.place(PolicySamples.job, candidates: [PolicySamples.container, PolicySamples.container], now: PolicySamples.now)
    #expect(verdict.value.candidates.map(\.score) == [50, 50])
    #expect(verdict.fallbackCause?.contains("affinity.score returned") == true)
  }

  @Test(
    "with a wanted size that is no whole number from 0 are refused",
    arguments: ["0/0", "-1", "2.5", "1e308", "'3'", "nil", "math.maxinteger"])
  func scale(_ value: String) throws {
    let source = "return { api = 1, scale = function() return \(value) end }"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["scaling.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let verdict = engine.scale(PolicySamples.pool, fleet: PolicySamples.fleet)
    #expect(verdict.fallbackCause?.contains("scaling.scale returned") == true)
    #expect(verdict.value == 2)
  }

  @Test("get the same random numbers in each call")
  func random() throws {
    let source = "return { api = 1, route = function() return 'traditional', tostring(math.random(1000000)) .. math.random() end }"
    let bundle = try PolicyBundle(files: ["routing.lua": Array(source.utf8)])
    let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    let reasons = Set((1...5).map { _ in engine.route(PolicySamples.job, fleet: PolicySamples.fleet).reason })
    #expect(reasons.count == 1)
    #expect(reasons.first?.isEmpty == false)
  }
}
