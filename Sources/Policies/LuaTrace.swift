internal import CLuaShim

/// One line that was executed, with what its variables held before it.
package struct TraceStep: Hashable, Sendable {
  /// As the bundle names it: `routing.lua`, `lib/words.lua`.
  package var file: String
  package var line: Int
  /// Local variables in the order of their declaration, each as text (bounded).
  package var values: [(name: String, value: String)]

  package init(file: String, line: Int, values: [(name: String, value: String)]) {
    self.file = file
    self.line = line
    self.values = values
  }

  package static func == (left: TraceStep, right: TraceStep) -> Bool {
    left.file == right.file && left.line == right.line && left.values.elementsEqual(right.values, by: ==)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(file)
    hasher.combine(line)
    for value in values { hasher.combine(value.value) }
  }
}

/// What is noted of the lines that calls execute. It costs several times the call.
package enum LuaTracing: Hashable, Sendable {
  case off
  /// The lines of one call in their order with the values of variables, `limit` lines at most (and a megabyte).
  case steps(limit: Int)
  /// Which lines were executed, over all calls, the running of the files included: set it before files are loaded.
  case coverage
}

extension LuaRuntime {
  /// Of the calls that follow. Only files of the bundle are noted, not the host's harness.
  package func setTracing(_ tracing: LuaTracing) {
    switch tracing {
    case .off: rh_set_tracing(state, RH_TRACE_OFF, 0)
    case .steps(let limit): rh_set_tracing(state, RH_TRACE_STEPS, max(0, limit))
    case .coverage: rh_set_tracing(state, RH_TRACE_COVERAGE, 0)
    }
  }

  /// Lines that the last call executed, also where it failed.
  package var traceSteps: [TraceStep] {
    var reader = LuaDecoder(bytes(rh_trace))
    var steps: [TraceStep] = []
    while !reader.isAtEnd {
      // The shim writes whole steps only; bytes that are none end the list.
      guard let step = try? reader.traceStep() else { return steps }
      steps.append(step)
    }
    return steps
  }

  /// Lines that were executed, by file.
  package var coveredLines: [String: Set<Int>] { lines(\.covered) }
  /// Lines that can be executed, by file: of the files that were loaded under `coverage`.
  package var activeLines: [String: Set<Int>] { lines(\.active) }

  private func lines(_ set: KeyPath<rh_lines, UnsafePointer<UInt8>?>) -> [String: Set<Int>] {
    var found: [String: Set<Int>] = [:]
    var index = 0
    while case let source = rh_lines_of(state, index), let file = source.file {
      index += 1
      guard let bits = source[keyPath: set] else { continue }
      found[String(cString: file)] = Set((0..<source.bytes * 8).filter { bits[$0 / 8] & (1 << ($0 % 8)) != 0 })
    }
    return found
  }
}
