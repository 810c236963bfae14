package import Domain
internal import Foundation
internal import Glibc
package import RunnerHub

/// What a contract suite needs of one kind of engine. Each promise gets a bench of its own.
package protocol ContractBench: Sendable {
  /// A new engine over the same place each time: the second one made finds what the first one did, as after a restart.
  func makeEngine() async throws -> any ContainerEngine
  /// Makes an image whose `run.sh` is this POSIX shell script, and gives its name.
  func makeImage(runScript: String) async throws -> String
  /// Ends PID 1 of a container with SIGKILL, from outside.
  func killFirstProcess(of id: ContainerID) async throws
  /// Takes all of it down again.
  func tearDown() async throws
}

/// A promise was broken: what was expected and what was found.
package struct BrokenPromise: Error, CustomStringConvertible {
  package let description: String
}

/// Fails with the text unless the condition holds.
func expect(_ condition: Bool, _ text: @autoclosure () -> String, line: Int = #line, file: String = #fileID) throws {
  if !condition { throw BrokenPromise(description: "\(file):\(line): \(text())") }
}

/// Fails unless both are equal.
func expect<Value: Equatable>(_ found: Value, is wanted: Value, _ what: String, line: Int = #line, file: String = #fileID) throws {
  try expect(found == wanted, "\(what): expected \(wanted), found \(found)", line: line, file: file)
}

/// Fails unless the call throws an engine error of the wanted kind.
func expectError(
  _ kind: EngineErrorKind, _ what: String, line: Int = #line, file: String = #fileID, _ body: () async throws -> Void
) async throws {
  do {
    try await body()
  } catch let error as EngineError {
    try expect(EngineErrorKind(error), is: kind, "\(what) (\(error))", line: line, file: file)
    return
  }
  throw BrokenPromise(description: "\(file):\(line): \(what): expected \(kind), but it succeeded")
}

/// The case of an engine error, without its text.
enum EngineErrorKind: Equatable {
  case notFound, invalid, unavailable

  init(_ error: EngineError) {
    switch error {
    case .notFound: self = .notFound
    case .invalid: self = .invalid
    case .unavailable: self = .unavailable
    }
  }
}

/// Waits until the value is there; fails with what was waited for when the time is over.
package func eventually<Value>(
  _ what: String, within limit: Duration = .seconds(20), line: Int = #line, file: String = #fileID, _ value: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + limit
  while true {
    if let value = try await value() { return value }
    if ContinuousClock.now > deadline { throw BrokenPromise(description: "\(file):\(line): waited \(limit) for \(what)") }
    try await Task.sleep(for: .milliseconds(20))
  }
}

/// Processes of this machine that a test's script has left, also inside containers: found by an argument that nothing else has.
package enum HostProcesses {
  /// The pids of living processes with this argument.
  package static func living(withArgument argument: String) -> [Int32] { living { $0.contains(Substring(argument)) } }

  /// Ends what a broken promise has left: every process in whose arguments the text stands.
  static func end(mentioning text: String) {
    for pid in living(where: { $0.contains { $0.contains(text) } }) { kill(pid, SIGKILL) }
  }

  private static func living(where isMeant: ([Substring]) -> Bool) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap(Int32.init).filter { pid in
      guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
      // A zombie has no arguments left.
      return isMeant(String(decoding: line, as: UTF8.self).split(separator: "\0"))
    }
  }
}
