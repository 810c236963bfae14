internal import Domain
internal import Foundation
internal import RunnerHub
internal import Synchronization

/// Where one promise is tried: an engine, and containers that are gone afterwards whatever happens.
final class ContractRoom: Sendable {
  let bench: any ContractBench
  let engine: any ContainerEngine
  private let made = Mutex<[ContainerID]>([])
  /// Seconds for a `sleep` that only this room starts, so that the host's process table shows whose it is.
  let nap = String(400_000_000 + Int.random(in: 0..<100_000_000))

  init(bench: any ContractBench) async throws {
    self.bench = bench
    engine = try await bench.makeEngine()
  }

  /// Tries a promise on a bench, and cleans up.
  static func with(_ bench: any ContractBench, _ body: @Sendable (ContractRoom) async throws -> Void) async throws {
    do {
      let room = try await ContractRoom(bench: bench)
      do {
        try await body(room)
      } catch {
        try await room.empty()
        HostProcesses.end(mentioning: room.nap)
        throw error
      }
      try await room.empty()
    } catch {
      try await bench.tearDown()
      throw error
    }
    try await bench.tearDown()
  }

  private func empty() async throws {
    for id in made.withLock({ $0 }) { try await engine.remove(id) }
  }

  /// A spec under a fresh name. Its container is removed at the end.
  func spec(_ script: String, reusable: Bool = false, environment: [String: String] = [:]) async throws -> ContainerSpec {
    let id = ContainerID(rawValue: "rh-contract-\(RandomIdentitySource().token(digits: 10))")
    made.withLock { $0.append(id) }
    return ContainerSpec(
      id: id, pool: "contract", image: try await bench.makeImage(runScript: "#!/bin/sh\n" + script),
      resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 256), disk: ByteCount(mebibytes: 256)), isReusable: reusable,
      environment: environment)
  }

  /// A started container whose `run.sh` is this script.
  func container(_ script: String, reusable: Bool = false, environment: [String: String] = [:]) async throws -> ContainerID {
    let spec = try await spec(script, reusable: reusable, environment: environment)
    try await engine.create(spec)
    try await engine.start(spec.id)
    return spec.id
  }

  /// Puts the files and then the marker that starts the use.
  func go(_ id: ContainerID, use: Int = 1, files: [RunnerFile] = []) async throws {
    let marker = RunnerFile(path: ".runnerhub-go", contents: Data("\(use)\n".utf8), mode: 0o644)
    try await engine.put(files + [marker], into: id)
  }

  /// Waits for the end of a use and gives the exit status of its `run.sh`.
  func end(of id: ContainerID, use: Int = 1) async throws -> Int32? {
    try await eventually("the end of use \(use) of \(id)") {
      guard let seen = try await self.engine.inspect(id), seen.endedUse == use else { return nil }
      return .some(seen.runnerExit)
    }
  }

  func status(of id: ContainerID) async throws -> ContainerObservation.Status? { try await engine.inspect(id)?.status }

  func exit(of id: ContainerID) async throws -> Int32? {
    try await eventually("the exit of \(id)") {
      if case .exited(let code) = try await self.status(of: id) { return .some(code) }
      return nil
    }
  }

  /// The whole log of a use as it is now.
  func log(of id: ContainerID, use: Int = 1) async throws -> String {
    var bytes = Data()
    while true {
      let more = try await engine.log(of: id, use: use, from: Int64(bytes.count))
      if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
      bytes += more
    }
  }

  func logLines(of id: ContainerID, use: Int = 1) async throws -> [String] {
    try await log(of: id, use: use).split(separator: "\n").map(String.init)
  }

  /// Waits until a line is in the log.
  func line(_ line: String, in id: ContainerID, use: Int = 1) async throws {
    _ = try await eventually("the line '\(line)' in use \(use) of \(id)") {
      try await self.logLines(of: id, use: use).contains(line) ? true : nil
    }
  }
}

/// One sentence of the port's documentation, as a test.
package struct Promise: Sendable, CustomStringConvertible {
  package let description: String
  private let body: @Sendable (ContractRoom) async throws -> Void

  init(_ description: String, _ body: @escaping @Sendable (ContractRoom) async throws -> Void) {
    self.description = description
    self.body = body
  }

  /// Tries it on a fresh bench. Throws `BrokenPromise`, or what the engine threw.
  package func keep(on bench: any ContractBench) async throws { try await ContractRoom.with(bench, body) }
}

/// What every `ContainerEngine` promises. Run all of it over each engine:
///
/// ```swift
/// @Test("the process engine keeps the contract", arguments: ContainerEngineContract.promises)
/// func keeps(_ promise: Promise) async throws { try await promise.keep(on: ProcessBench()) }
/// ```
package enum ContainerEngineContract {
  package static let promises = lives + uses + reuse + ends
}
