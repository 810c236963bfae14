internal import CLuaShim
package import Foundation

/// What one call into Lua may use.
package struct LuaLimits: Hashable, Sendable {
  /// Bytes that a call may leave lying, garbage included: nothing is collected within one.
  package var memory: Int
  /// Bytes allocated in one call, freed or not.
  package var churn: Int
  /// Instructions and library work.
  package var steps: Int
  /// Wall time: a backstop, since steps decide.
  package var time: Duration
  /// Bytes of a result, and of printed text.
  package var output: Int

  package init(memory: Int = 8 << 20, churn: Int = 64 << 20, steps: Int = 1_000_000, time: Duration = .seconds(2), output: Int = 1 << 20) {
    self.memory = memory
    self.churn = churn
    self.steps = steps
    self.time = time
    self.output = output
  }

  /// For one decision: about 10 ms of Lua at most.
  package static let decision = LuaLimits()
  /// For running a policy file once, before its first decision: that decision waits for it.
  package static let loading = LuaLimits(steps: 2_000_000, time: .seconds(1))
  /// For looking at a file's text, and for one test of it.
  package static let test = LuaLimits(memory: 64 << 20, churn: 256 << 20, steps: 20_000_000, time: .seconds(5))

  var shim: rh_limits {
    let (seconds, attoseconds) = time.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let nanoseconds = overflow ? Int64.max / 4 : min(whole, Int64.max / 4) + attoseconds / 1_000_000_000
    return rh_limits(
      memory: max(0, memory), churn: max(0, churn), steps: Int64(steps), nanoseconds: nanoseconds, output: max(0, output))
  }
}

/// An error of Lua code, or of a limit that it reached.
package struct LuaFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case syntax, runtime, memory, budget
    /// The call read a field of an input that was not sent, and can be made again with it.
    case unsent
    /// The host's own defect: a state that could not be made, bytes that could not be read.
    case host
  }
  package var kind: Kind
  /// `routing.lua:12: …` where a place is known.
  package var message: String
  /// The calls that led there; empty where none were running.
  package var traceback: String

  package init(kind: Kind, message: String, traceback: String = "") {
    self.kind = kind
    self.message = message
    self.traceback = traceback
  }
  package var description: String { message }
}

/// One sandboxed Lua state. Owned by one consumer at a time and not shared.
///
/// No Lua function is called from Swift: values cross as bytes, and everything else happens inside the shim's protected calls.
package final class LuaRuntime {
  /// What a file offers once it has run.
  package struct Module: Hashable, Sendable {
    /// Its field `api`.
    package var api: LuaValue
    /// Names of its functions, sorted.
    package var functions: [String]
  }

  let state: OpaquePointer
  private let kinds: Int

  /// - Parameter kinds: the input objects, each with its fields and their types.
  /// - Throws: `host` where memory for a state is short, or limits are too small for one.
  package init(limits: LuaLimits = .decision, kinds: [String: [String: String]] = [:]) throws(LuaFailure) {
    var encoder = LuaEncoder()
    encoder.encode(.map(kinds.mapValues { .map($0.mapValues(LuaValue.text)) }))
    guard let state = rh_open(limits.shim, encoder.bytes, encoder.bytes.count) else {
      throw LuaFailure(kind: .host, message: "no Lua state could be made within \(limits.memory) bytes")
    }
    self.state = state
    self.kinds = kinds.count
  }

  deinit { rh_close(state) }

  /// Limits of the calls that follow.
  package func setLimits(_ limits: LuaLimits) { rh_set_limits(state, limits.shim) }

  /// Makes a source known to `require` and the loading functions.
  /// - Parameters:
  ///   - module: `routing`, `lib.words`.
  ///   - file: what error positions show.
  package func addSource(module: String, file: String, text: [UInt8]) throws(LuaFailure) {
    guard rh_add_source(state, module, file, text, text.count) != 0 else {
      throw LuaFailure(kind: .host, message: "no memory for the source of \(file)")
    }
  }

  /// The tables that all files find under the name `data`, in place of those before. Set them before files are loaded.
  package func setData(_ tables: [String: LuaValue]) throws(LuaFailure) {
    var encoder = LuaEncoder()
    encoder.encode(.map(tables))
    try check(rh_set_data(state, encoder.bytes, encoder.bytes.count))
  }

  /// Only looks at the syntax.
  package func compile(_ module: String) throws(LuaFailure) { try check(rh_compile(state, module)) }

  /// Runs a module and keeps its table for `call`.
  package func load(_ module: String) throws(LuaFailure) -> Module {
    try check(rh_load(state, module))
    let values = try result()
    guard values.count == 2, case .list(let names) = values[1] else { throw malformed }
    return Module(api: values[0], functions: names.compactMap { if case .text(let name) = $0 { name } else { nil } })
  }

  /// Runs the host's harness, whose names all files loaded later can use, and keeps its table for `call`.
  package func loadHarness(_ module: String) throws(LuaFailure) { try check(rh_load_harness(state, module)) }

  /// Runs a module for its effect on the harness.
  package func run(_ module: String) throws(LuaFailure) { try check(rh_run(state, module)) }

  /// Calls a function of the kept table and gives what it returned.
  package func call(_ function: String, _ arguments: [LuaValue]) throws(LuaFailure) -> [LuaValue] {
    var encoder = LuaEncoder()
    for argument in arguments { encoder.encode(argument) }
    return try call(function, bytes: encoder.bytes)
  }

  func call(_ function: String, _ arguments: LuaEncoder, turn: Date) throws(LuaFailure) -> [LuaValue] {
    try call(function, bytes: arguments.bytes, turn: turn)
  }

  /// - Parameters:
  ///   - bytes: the arguments as `LuaEncoder` writes them; others are an error of the call.
  ///   - turn: the time by which spans are reckoned.
  package func call(_ function: String, bytes: [UInt8], turn: Date = .distantPast) throws(LuaFailure) -> [LuaValue] {
    try check(rh_call(state, function, turn.timeIntervalSinceReferenceDate, bytes, bytes.count))
    guard let first = try result().first, case .list(let values) = first else { throw malformed }
    return values
  }

  /// Filters and scores all candidates inside one protected call.
  /// - Parameters:
  ///   - turn: the time by which spans are reckoned.
  ///   - arguments: what is to be kept, and the job.
  ///   - slots: where the candidates are kept.
  /// - Returns: an answer for each candidate, what `filter` and then `score` returned, and then what `strategy` returned.
  func place(turn: Date, _ arguments: LuaEncoder, slots: [UInt32]) throws(LuaFailure) -> LuaDecoder {
    try check(
      rh_place(state, turn.timeIntervalSinceReferenceDate, arguments.bytes, arguments.bytes.count, slots, slots.count))
    return LuaDecoder(bytes(rh_result))
  }

  /// The fields that are to be sent of kept objects, by the number of their kind. Grows with the loading of files, and where a call was
  /// `unsent`.
  package var wanted: [UInt64] { (0..<kinds).map { rh_wanted(state, $0) } }

  /// Drops all objects that the state keeps.
  func forget() throws(LuaFailure) { try check(rh_forget(state)) }

  /// What the last call printed.
  package var printed: String { String(decoding: bytes(rh_printed), as: UTF8.self) }
  /// Steps that the last call used: instructions to the nearest hundred, and library work.
  package var steps: Int { Int(rh_steps(state)) }
  /// Bytes that the state holds now.
  package var memory: Int { rh_memory(state) }

  var malformed: LuaFailure { LuaFailure(kind: .host, message: "the result of Lua could not be read") }

  private func result() throws(LuaFailure) -> [LuaValue] {
    var decoder = LuaDecoder(bytes(rh_result))
    var values: [LuaValue] = []
    do {
      while !decoder.isAtEnd { values.append(try decoder.decode()) }
    } catch {
      throw malformed
    }
    return values
  }

  private func check(_ status: rh_status) throws(LuaFailure) {
    let kind: LuaFailure.Kind
    switch status {
    case RH_OK: return
    case RH_SYNTAX: kind = .syntax
    case RH_MEMORY: kind = .memory
    case RH_BUDGET: kind = .budget
    case RH_UNSENT: kind = .unsent
    default: kind = .runtime
    }
    throw LuaFailure(
      kind: kind, message: String(decoding: bytes(rh_error), as: UTF8.self),
      traceback: String(decoding: bytes(rh_traceback), as: UTF8.self))
  }

  func bytes(_ view: (OpaquePointer, UnsafeMutablePointer<Int>) -> UnsafePointer<UInt8>?) -> [UInt8] {
    var length = 0
    guard let start = view(state, &length) else { return [] }
    return Array(UnsafeBufferPointer(start: start, count: length))
  }
}
