import Domain
import Policies
import RunnerHub
import Testing

/// The same input gives the same output, whatever was asked before.
@Suite("State between calls")
struct StateTests {
  private func check(_ source: String) throws -> String {
    BundleCheck(try PolicyBundle(files: ["routing.lua": Array(source.utf8)])).problems.map(\.description).joined(separator: "\n")
  }

  @Test(
    "is refused at check, with file and line",
    arguments: [
      ("local n = 0\nlocal m = { api = 1 }\nfunction m.route()\n  n = n + 1\nend\nreturn m", "routing.lua:4: 'n' would outlive the call"),
      ("local n\nreturn { api = 1, route = function() local function f() n = 1 end f() end }", "routing.lua:2: 'n' would outlive the call"),
      (
        "local function counter() local n = 0; return function() n = n + 1; return n end end\nreturn { api = 1, route = counter() }",
        "routing.lua:1: 'n' would outlive the call"
      ),
      ("local c = {}\nreturn { api = 1, route = function()\n  c.x = 1\nend }", "routing.lua:3: 'c' is read-only once its file has run"),
      ("local i = ('a b'):gmatch('%a')\nreturn { api = 1, route = function() return i() end }", "iterator of pairs or gmatch is kept"),
      ("local p = pairs({ 1 })\nreturn { api = 1, route = function() return p() end }", "iterator of pairs or gmatch is kept"),
    ])
  func refused(source: String, problem: String) throws {
    #expect(try check(source).contains(problem))
  }

  @Test(
    "is none where a variable belongs to the call",
    arguments: [
      "local m = { api = 1 }\nfunction m.route() local n = 0; local function f() n = n + 1 end f() f() return 'traditional', '' .. n end\nreturn m",
      "local f\nlocal function g() return f() end\nf = function() return 'traditional' end\nreturn { api = 1, route = g }",
      "local n = 0\nlocal function bump() n = n + 1; return n end\nbump()\nlocal k = n\nreturn { api = 1, route = function() return 'traditional', '' .. k end }",
    ])
  func allowed(source: String) throws {
    #expect(try check(source).isEmpty)
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let reasons = (1...3).map { _ in engine.route(PolicySamples.job, fleet: PolicySamples.fleet) }
    #expect(reasons.allSatisfy { $0.fallbackCause == nil && $0.reason == reasons[0].reason })
  }

  @Test("a table of the file reads as before, by every way")
  func reads() throws {
    let source = """
      local list, map = { "a", "b", { 1, 2 } }, { x = 1, y = { z = 2 } }
      return { api = 1, route = function()
        local parts = { #list, list[3][2], map.y.z, table.concat({ table.unpack(list, 1, 2) }), rawequal(list, list) and 1 or 0 }
        for k in pairs(map) do parts[#parts + 1] = k end
        for i in ipairs(list) do parts[#parts + 1] = i end
        return "traditional", table.concat(parts, " ")
      end }
      """
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    #expect(engine.route(PolicySamples.job, fleet: PolicySamples.fleet).reason == "3 2 2 ab 1 x y 1 2 3")
  }

  @Test("percent is the same everywhere, even, and tells its texts apart")
  func percent() throws {
    let source = """
      return { api = 1, route = function()
        local counts = {}
        for i = 1, 4 do counts[i] = 0 end
        for i = 1, 4000 do
          local p = percent("acme/shop" .. i, "salt")
          assert(p >= 0 and p < 100)
          counts[p // 25 + 1] = counts[p // 25 + 1] + 1
        end
        for i = 1, 4 do assert(counts[i] > 900 and counts[i] < 1100) end
        assert(percent("a", "b") ~= percent("ab") and percent("a", "b") == percent("a", "b") and percent(1) == percent("1"))
        return "traditional", ("%.6f"):format(percent("acme/shop"))
      end }
      """
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let verdict = engine.route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.fallbackCause == nil)
    #expect(verdict.reason == "97.556644")
  }

  @Test(
    "percent in Lua is the share that the host cuts a canary by",
    arguments: [["acme/shop", "CI"], ["acme/shop", ""], ["", ""], ["日本", "語 build (ü)"], [String(repeating: "x", count: 300), "y"]])
  func sharedPercent(texts: [String]) throws {
    let source = """
      return { api = 1, route = function(job) return "traditional", ("%.17g"):format(percent(job.repository, job.name)) end }
      """
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    var job = PolicySamples.job
    (job.repository, job.name) = (texts[0], texts[1])
    #expect(Double(engine.route(job, fleet: PolicySamples.fleet).reason) == StableHash.percent(texts))
  }
}
