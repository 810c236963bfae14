import Domain
import RunnerHub
import Testing

@testable import Policies

/// What stays beyond a call or escapes its budget by way of metatables, finalisers and long texts.
@Suite("Hostile metatables and texts")
struct SealingAttackTests {
  private func verdict(_ source: String) throws -> Verdict<Route> {
    LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
      .route(PolicySamples.job, fleet: PolicySamples.fleet)
  }

  @Test(
    "no table of the host serves as a metatable, which would hand out what is behind it",
    arguments: ["string", "math", "table", "utf8", "data", "_ENV", "job", "job.labels", "fleet", "fleet.pools", "fleet.pools[1]"])
  func hostMetatable(table: String) throws {
    let said = try verdict(
      "return { api = 1, route = function(job, fleet) getmetatable(setmetatable({}, \(table))).n = 1 return 'traditional', 'reached' end }")
    #expect(said.fallbackCause?.contains("a table of the host cannot be a metatable") == true, "\(said.fallbackCause ?? said.reason)")
  }

  @Test("nor at load")
  func hostMetatableAtLoad() throws {
    let said = try verdict("setmetatable({}, math)\nreturn { api = 1, route = function() return 'traditional', 'reached' end }")
    #expect(said.fallbackCause?.contains("a table of the host cannot be a metatable") == true)
  }

  @Test("a field that no metatable may have is refused where it came in after setmetatable", arguments: ["__gc", "__mode"])
  func lateField(name: String) throws {
    let source = """
      local m = {}
      local t = setmetatable({}, m)
      m.\(name) = function() while true do end end
      return { api = 1, route = function() return "traditional", tostring(t == nil) end }
      """
    let check = BundleCheck(try PolicyBundle(files: ["routing.lua": Array(source.utf8)]))
    #expect(check.problems.contains { $0.message.contains("a metatable with \(name) is not allowed") }, "\(check.problems)")
  }

  @Test("a text that one instruction would look at for long is not kept")
  func longText() throws {
    let source = "local z = ('\\0'):rep(1 << 17)\nreturn { api = 1, route = function() return 'traditional', tostring(z < z) end }"
    #expect(try verdict(source).fallbackCause?.contains("a text of 131072 bytes") == true)
  }

  @Test("a score that neither loops nor calls, and compares long texts, ends in time")
  func slowScore() throws {
    let comparisons = String(repeating: "  if a < b then n = n + 1 end\n", count: 40)
    let source = """
      local z = ("\\0"):rep(60000)
      local a, b = z .. "a", z .. "b"
      return { api = 1, score = function(job, container)
        local n = 0
      \(comparisons)  return 50, "same"
      end }
      """
    let engine = LuaPolicyEngine(
      bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy(),
      limits: LuaLimits(time: .milliseconds(100)))
    let candidates = (0..<200).map { number in
      var container = PolicySamples.container
      container.id = "rh-linux-\(number)"
      return container
    }
    let verdict = engine.place(PolicySamples.job, candidates: candidates, now: PolicySamples.now)
    #expect(verdict.fallbackCause?.contains("time limit") == true)
  }

  @Test("a file that takes long to load is refused before its first decision waits for it")
  func slowLoad() throws {
    let source = "local n = 0\nfor i = 1, 9000000 do n = n + 1 end\nreturn { api = 1, route = function() return 'traditional', 'x' end }"
    #expect(!BundleCheck(try PolicyBundle(files: ["routing.lua": Array(source.utf8)])).isFit)
  }
}
