import Policies
import Testing

@Suite("Traced lines")
struct TraceTests {
  private func runtime(_ tracing: LuaTracing) throws -> LuaRuntime {
    let source = """
      local m = {}
      local words = { "a", "b" }
      function m.count(n, name)
        local total = 0
        for i = 1, n do
          total = total + i
        end
        if n > 100 then
          return "many"
        end
        return total, #words
      end
      function m.fails()
        local reason = "why"
        error(reason)
      end
      return m
      """
    let runtime = try LuaRuntime(limits: .test)
    runtime.setTracing(tracing)
    try runtime.addSource(module: "counting", file: "counting.lua", text: Array(source.utf8))
    _ = try runtime.load("counting")
    return runtime
  }

  @Test("come in their order, each with the values that its variables held before it")
  func steps() throws {
    let runtime = try runtime(.steps(limit: 100))
    #expect(try runtime.call("count", [.integer(2), .text("x")]) == [.integer(3), .integer(2)])
    let steps = runtime.traceSteps
    #expect(steps.map(\.line) == [4, 5, 6, 5, 6, 5, 8, 11])
    #expect(steps.allSatisfy { $0.file == "counting.lua" })
    #expect(steps.last?.values.map { "\($0.name) = \($0.value)" } == ["n = 2", "name = \"x\"", "total = 3"])
  }

  @Test("are kept of a call that fails, and end at their limit")
  func bounded() throws {
    let failing = try runtime(.steps(limit: 100))
    #expect(throws: LuaFailure.self) { try failing.call("fails", []) }
    #expect(failing.traceSteps.map(\.line) == [14, 15])
    let short = try runtime(.steps(limit: 3))
    _ = try short.call("count", [.integer(1000)])
    #expect(short.traceSteps.count == 3)
    short.setTracing(.off)
    _ = try short.call("count", [.integer(1)])
    #expect(short.traceSteps.isEmpty)
  }

  @Test("show tables by their first items, and texts cut")
  func values() throws {
    let runtime = try runtime(.steps(limit: 10))
    let table = LuaValue.map(["b": .integer(1), "a": .list([.bool(true), .number(2)])])
    _ = try runtime.call("count", [.integer(0), table])
    #expect(runtime.traceSteps.first?.values.last?.value == "{a = {true, 2.0}, b = 1}")
    _ = try runtime.call("count", [.integer(0), .text(String(repeating: "x", count: 500))])
    #expect(runtime.traceSteps.first?.values.last?.value.count ?? 0 < 110)
  }

  @Test("as coverage are sets by file, against the lines that could be executed")
  func coverage() throws {
    let runtime = try runtime(.coverage)
    _ = try runtime.call("count", [.integer(2), .text("x")])
    let active = try #require(runtime.activeLines["counting.lua"])
    let covered = try #require(runtime.coveredLines["counting.lua"])
    #expect(active.subtracting(covered) == [9, 14, 15])
    #expect(active.isSuperset(of: [1, 2, 4, 5, 6, 8, 11, 17]))
    #expect(!active.contains(10))
  }
}
