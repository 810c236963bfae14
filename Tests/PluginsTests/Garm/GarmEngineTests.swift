import Contracts
import Domain
import Foundation
import RunnerHub
import Testing

@testable import Plugins

@Suite("Machines of a GARM provider as containers") struct GarmEngineTests {
  private let marker = RunnerFile(path: ".runnerhub-go", contents: Data("1\n".utf8), mode: 0o600)

  private func log(_ engine: GarmEngine, _ id: ContainerID) async throws -> String {
    String(decoding: try await engine.log(of: id, use: 1, from: 0), as: UTF8.self)
  }

  private func made(_ bench: GarmBench, _ engine: GarmEngine) async throws -> ContainerID {
    let spec = bench.spec()
    try await engine.create(spec)
    try await engine.start(spec.id)
    return spec.id
  }

  /// The error of a call.
  private func failure(_ call: () async throws -> Void) async -> String? {
    do {
      try await call()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("a machine waits for its job, runs it with the files that were put, and tells its log and its end", .timeLimit(.minutes(1)))
  func life() async throws {
    let script = """
      for f in .credentials deep/er/plain; do stat -c '%a %s %n' $f; done; cat .credentials; mkdir -p _diag/pages
      echo 'a step' >_diag/pages/a_1.log; sleep 0.3; yes 0123456789abcde | head -c 400000; exit 3
      """
    try await GarmBench.serve(script) { bench, engine in
      let spec = bench.spec()
      try await engine.create(spec)
      try await engine.create(spec)
      try await engine.start(spec.id)
      #expect(bench.machines == [spec.id.rawValue])
      #expect(try await engine.list().map(\.status) == [.running])
      #expect(try await engine.inspect(spec.id)?.endedUse == nil)
      #expect(try await log(engine, spec.id) == "")
      let secret = RunnerFile(path: ".credentials", contents: Data("it's secret\n".utf8), mode: 0o400)
      try await engine.put([secret, RunnerFile(path: "deep/er/plain", contents: Data(count: 70_000), mode: 0o644)], into: spec.id)
      try await engine.put([marker], into: spec.id)
      let kept = "\(bench.path)/data/\(spec.id)/files.json"
      #expect(try FileManager.default.attributesOfItem(atPath: kept)[.posixPermissions] as? Int == 0o600)
      let end = try await eventually("the end of the machine") {
        if case .exited(let code) = try await engine.inspect(spec.id)?.status { return .some(code) }
        return nil
      }
      #expect(end == 3)
      let seen = try #require(try await engine.inspect(spec.id))
      #expect(seen.endedUse == 1 && seen.runnerExit == 3)
      let text = try await log(engine, spec.id)
      #expect(text.hasPrefix("400 12 .credentials\n644 70000 deep/er/plain\nit's secret\n"))
      #expect(text.contains("a step\n"))
      #expect(text.utf8.count == "400 12 .credentials\n644 70000 deep/er/plain\nit's secret\n".utf8.count + 7 + 400_000)
      #expect(!FileManager.default.fileExists(atPath: kept), "the secrets outlive the job")
      #expect(await failure { try await engine.start(spec.id) }?.hasPrefix("invalid") == true)
      try await engine.remove(spec.id)
      try await engine.remove(spec.id)
      #expect(bench.machines.isEmpty)
      #expect(try await engine.inspect(spec.id) == nil)
      #expect(!FileManager.default.fileExists(atPath: "\(bench.path)/data/\(spec.id)"))
    }
  }

  @Test("a restart loses neither a waiting machine nor the job that was put into one", .timeLimit(.minutes(1)))
  func restart() async throws {
    try await GarmBench.serve("cat word; while [ ! -e \"$HOME/go-on\" ]; do sleep 0.05; done; echo done") { bench, engine in
      let id = try await made(bench, engine)
      let second = try bench.engine()
      #expect(try await second.list().map(\.id) == [id])
      try await second.start(id)
      // What another process puts, the first one does not see: only a restart in between is meant.
      try await engine.put([RunnerFile(path: "word", contents: Data("kept\n".utf8), mode: 0o600), marker], into: id)
      let third = try bench.engine()
      #expect(await third.book.files(of: id).map(\.path) == ["word", ".runnerhub-go"])
      #expect(await third.book.machine(id)?.use == 1)
      _ = try await eventually("the output") { try await log(engine, id).contains("kept\n") ? true : nil }
      #expect(FileManager.default.createFile(atPath: "\(bench.path)/machines/\(id)/go-on", contents: nil))
      _ = try await eventually("the end") { try await engine.inspect(id)?.runnerExit }
      #expect(try await log(engine, id) == "kept\ndone\n")
      let fourth = try bench.engine()
      #expect(try await fourth.inspect(id)?.runnerExit == 0)
      #expect(try await fourth.log(of: id, use: 1, from: 5) == Data("done\n".utf8))
      try await fourth.remove(id)
      #expect(bench.machines.isEmpty)
    }
  }

  @Test("a creation that fails is cleaned up, tried again with patience, and given up after five tries", .timeLimit(.minutes(1)))
  func failures() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["fail": 1, "deaf": true])
      let engine = try bench.engine()
      let spec = bench.spec()
      let first = await failure { try await engine.create(spec) }
      #expect(first?.contains("InsufficientInstanceCapacity") == true)
      #expect(bench.machines.isEmpty, "a half of a machine was left")
      #expect(try await engine.list().map(\.status) == [.created])
      try await engine.create(spec)
      #expect(bench.machines == [spec.id.rawValue])
      try await engine.remove(spec.id)

      try bench.misbehave(["error": true])
      let faulty = bench.spec()
      let fault = await failure { try await engine.create(faulty) }
      #expect(fault?.contains("the machine's disk cannot be made") == true)
      #expect(bench.machines.isEmpty)
      // The second failure in a row makes the third wait.
      _ = await failure { try await engine.create(faulty) }
      let third = await failure { try await engine.create(faulty) }
      #expect(third?.contains("is tried again in") == true)
      try await engine.book.update(faulty.id) { $0.attempt = 5 }
      let last = await failure { try await engine.create(faulty) }
      #expect(last?.hasPrefix("invalid") == true && last?.contains("5 tries") == true)
    }
  }

  @Test("what a creation that was cut short has left is deleted before the next, and what is there already is taken on")
  func interrupted() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["slow": 30, "deaf": true])
      let spec = bench.spec()
      let engine = try bench.engine()
      let creation = Task { await failure { try await engine.create(spec) } }
      _ = try await eventually("the half of a machine") { bench.isThere(spec.id) ? true : nil }
      creation.cancel()
      #expect(await creation.value?.hasPrefix("engine unavailable") == true)
      let half = try #require(try await bench.client().list(bench.garmPool).first)
      try bench.misbehave(["deaf": true])
      let second = try bench.engine()
      try await second.create(spec)
      let whole = try #require(try await bench.client().list(bench.garmPool).first)
      #expect(half.id != whole.id)
      // Another host of the same installation, which has lost its records.
      try FileManager.default.removeItem(atPath: "\(bench.path)/data")
      let third = try bench.engine()
      try await third.create(spec)
      #expect(await third.book.machine(spec.id)?.providerID == whole.id)
      #expect(bench.machines.count == 1)
      try await third.remove(spec.id)
      #expect(bench.machines.isEmpty)
    }
  }

  @Test("a removal ends a creation under way and leaves nothing", .timeLimit(.minutes(1)))
  func removedMeanwhile() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["slow": 50, "deaf": true])
      let spec = bench.spec()
      let engine = try bench.engine()
      async let creation = failure { try await engine.create(spec) }
      _ = try await eventually("the half of a machine") { bench.isThere(spec.id) ? true : nil }
      try await engine.remove(spec.id)
      #expect(await creation != nil)
      #expect(bench.machines.isEmpty)
      #expect(try await engine.list().isEmpty)
    }
  }

  @Test("a machine that survives its deletion is found as nobody's and deleted again")
  func leaks() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["leak": 1, "deaf": true])
      let spec = bench.spec()
      let engine = try bench.engine()
      try await engine.create(spec)
      try await engine.remove(spec.id)
      #expect(bench.machines == [spec.id.rawValue])
      #expect(try await engine.inspect(spec.id) == nil)
      #expect(try await engine.list().map(\.id) == [spec.id])
      try await engine.remove(spec.id)
      #expect(bench.machines.isEmpty)
      #expect(try await engine.list().isEmpty)
    }
  }

  @Test("a machine that the cloud lists late is asked for by itself, and one that is gone is gone")
  func lostMachines() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["listing-lags": true, "deaf": true])
      let spec = bench.spec()
      let engine = try bench.engine()
      try await engine.create(spec)
      #expect(try await engine.list().map(\.id) == [spec.id])
      try FileManager.default.removeItem(atPath: "\(bench.path)/machines/\(spec.id)")
      #expect(try await engine.list().isEmpty)
      try await engine.remove(spec.id)
    }
  }

  @Test("a machine that never calls is given up when its time is over, first without blame", .timeLimit(.minutes(1)))
  func silent() async throws {
    try await GarmBench.run({ $0.bootstrapTimeout = .milliseconds(2500) }) { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["deaf": true])
      let spec = bench.spec()
      let engine = try bench.engine()
      try await engine.create(spec)
      let first = await failure { try await engine.start(spec.id) }
      #expect(first?.hasPrefix("engine unavailable") == true && first?.contains("has not called") == true)
      let second = await failure { try await engine.start(spec.id) }
      #expect(second?.hasPrefix("invalid") == true)
      try await engine.remove(spec.id)
    }
  }

  @Test("a machine that the cloud made but did not switch on is started", .timeLimit(.minutes(1)))
  func switchedOff() async throws {
    try await GarmBench.serve("echo ran") { bench, engine in
      try bench.misbehave(["stopped": true])
      let id = try await made(bench, engine)
      try await engine.put([marker], into: id)
      _ = try await eventually("the end") { try await engine.inspect(id)?.runnerExit }
      #expect(try await log(engine, id) == "ran\n")
      try await engine.remove(id)
    }
  }

  @Test("a machine is for one job: no reuse, no other size")
  func oneJob() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["deaf": true])
      let engine = try bench.engine()
      #expect(
        await failure { try await engine.create(bench.spec(reusable: true)) }?.contains("one job") == true)
      let spec = bench.spec()
      try await engine.create(spec)
      let refused: [@Sendable () async throws -> Void] = [
        { try await engine.recycle(spec.id) },
        { try await engine.update(spec.id, to: spec.resources) },
        { try await engine.put([], into: spec.id) },
        {
          var other = spec
          other.image = "/other"
          try await engine.create(other)
        },
      ]
      for call in refused { #expect(await failure(call)?.hasPrefix("invalid") == true) }
      #expect(
        await failure { try await engine.recycle(ContainerID(rawValue: "rh-nobody")) }?.hasPrefix(
          "not found") == true)
      #expect(
        await failure { try await engine.remove(ContainerID(rawValue: "../x")) }?.hasPrefix("invalid")
          == true)
      try await engine.remove(spec.id)
    }
  }
}
