import Foundation
import Policies
import RunnerHub
import Testing

/// SplitMix64: the same values in each run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Marshalling")
struct MarshallingTests {
  private func text(_ random: inout SeededGenerator) -> String {
    let letters = Array("abcXYZ 0189_-äß日🚀\0\n\"%")
    return String((0..<Int.random(in: 0...12, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
  }

  private func value(_ random: inout SeededGenerator, depth: Int = 0) -> LuaValue {
    switch Int.random(in: 0...(depth > 4 ? 4 : 6), using: &random) {
    case 0: return .bool(Bool.random(using: &random))
    case 1: return .integer(Int64.random(in: .min ... .max, using: &random))
    case 2: return .number(Double(bitPattern: UInt64.random(in: 0...0x7FEF_FFFF_FFFF_FFFF, using: &random)))
    case 3, 4: return .text(text(&random))
    case 5:
      var values: [LuaValue] = []
      for _ in 0..<Int.random(in: 0...5, using: &random) { values.append(value(&random, depth: depth + 1)) }
      return .list(values)
    default:
      var values: [String: LuaValue] = [:]
      for _ in 0..<Int.random(in: 1...5, using: &random) { values[text(&random)] = value(&random, depth: depth + 1) }
      return .map(values)
    }
  }

  private func echo() throws -> LuaRuntime {
    let runtime = try LuaRuntime(limits: .test, kinds: ["thing": ["x": "list"]])
    try runtime.addSource(module: "echo", file: "echo.lua", text: Array("return { echo = function(...) return ... end }".utf8))
    _ = try runtime.load("echo")
    return runtime
  }

  @Test("any value comes back as it went")
  func roundTrip() throws {
    var random = SeededGenerator(state: 42)
    let runtime = try echo()
    for _ in 0..<2000 {
      let values = (0..<Int.random(in: 0...4, using: &random)).map { _ in value(&random) }
      #expect(try runtime.call("echo", values) == values)
    }
  }

  @Test("the same holds for read-only tables, which come back plain")
  func sealed() throws {
    let runtime = try echo()
    let sealed: [LuaValue] = [.sealedList([.integer(1), .labels(["a", "b"])]), .object(kind: "thing", [LuaField("x", .sealedList([]))])]
    #expect(try runtime.call("echo", sealed) == sealed.map(\.plain))
  }

  @Test("values nested too deeply are an error of the call")
  func depth() throws {
    var deep = LuaValue.integer(1)
    for _ in 0..<40 { deep = .list([deep]) }
    let runtime = try echo()
    #expect(throws: LuaFailure.self) { try runtime.call("echo", [deep]) }
    #expect(try runtime.call("echo", [.integer(7)]) == [.integer(7)])
  }
}

@Suite("Policy commands")
struct PolicyCommandsTests {
  @Test("check shows place, message and line")
  func check() throws {
    let folder = try ScratchFolder()
    try folder.write("priority.lua", "local p = { api = 1 }\nfunction p.prioritise(job) if then end\nreturn p")
    let report = PolicyCommands.check(folder.path)
    #expect(!report.isSuccess)
    #expect(report.text.contains("priority.lua:2:31: error: "))
    #expect(report.text.contains("2 | function p.prioritise(job) if then end"))
    #expect(PolicyCommands.check(projectPolicies).isSuccess)
  }

  @Test("test counts by file")
  func test() {
    let report = PolicyCommands.test(projectPolicies)
    #expect(report.isSuccess)
    #expect(report.text.contains("routing ✓ 7"))
    #expect(report.values["failed"] == 0)
  }

  @Test("eval shows answer, reason, bundle and cost; a slip in the policy is shown with a suggestion")
  func eval() throws {
    let report = PolicyCommands.eval(.priority, job: job(environment: "production"), fleet: PolicySamples.fleet, folder: projectPolicies)
    #expect(report.isSuccess)
    #expect(report.text.hasPrefix("priority  CRITICAL\nreason    deploys to production\nbundle    "))
    let folder = try ScratchFolder()
    try folder.write("routing.lua", "return { api = 1, route = function(job) return job.enviroment end }")
    let broken = PolicyCommands.eval(.routing, job: job(), fleet: PolicySamples.fleet, folder: folder.path)
    #expect(!broken.isSuccess)
    #expect(broken.text.contains("did you mean 'job.environment'?"))
  }
}
