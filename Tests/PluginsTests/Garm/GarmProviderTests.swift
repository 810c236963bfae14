import Foundation
import Testing

@testable import Plugins

@Suite("A GARM provider as a process") struct GarmProviderTests {
  /// The failure of a call.
  private func failure(_ call: () async throws(GarmFailure) -> Void) async -> GarmFailure? {
    do throws(GarmFailure) {
      try await call()
      return nil
    } catch {
      return error
    }
  }

  @Test("the exit statuses 30 and 31 have their meaning, and a deletion of what is not there succeeds")
  func statuses() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      let provider = bench.client()
      let pool = bench.garmPool
      #expect(await provider.interfaceVersion() == .v011)
      #expect(try await provider.version() == "v1.0.0")
      #expect(try await provider.list(pool).isEmpty)
      if case .notFound = await failure({ () async throws(GarmFailure) in _ = try await provider.get("nobody", in: pool) }) {
      } else {
        Issue.record("expected not found")
      }
      try await provider.delete("nobody", in: pool)
    }
  }

  @Test("a provider that knows only the older interface is spoken to in it")
  func older() async throws {
    try await GarmBench.run { bench in
      let old = bench.folder.appending(path: "old.sh").path(percentEncoded: false)
      // As the library's v0.1.0: another version is refused.
      let script = """
        #!/bin/sh
        [ "$GARM_INTERFACE_VERSION" = v0.1.0 ] || { echo "unsupported interface version" >&2; exit 1; }
        [ -z "${GARM_POOL_EXTRASPECS:-}" ] || exit 1
        echo null
        """
      try Data(script.utf8).write(to: URL(filePath: old))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: old)
      let provider = GarmProvider(
        execution: bench.execution(old), settings: bench.settings, controllerID: "c", configFile: "/dev/null",
        hostEnvironment: [:])
      #expect(await provider.interfaceVersion() == .v010)
      #expect(try await provider.list(bench.garmPool).isEmpty)
    }
  }

  @Test("one that hangs is ended with everything that it started, when its time is over")
  func hangs() async throws {
    try await GarmBench.run({ $0.callTimeout = .milliseconds(600) }) { bench in
      try bench.misbehave(["hang": "ListInstances"])
      guard case .ended = await failure({ () async throws(GarmFailure) in _ = try await bench.client().list(bench.garmPool) }) else {
        Issue.record("expected an end by time")
        return
      }
      #expect(bench.processes.isEmpty)
    }
  }

  @Test("one that writes 100 MB is read to its end and not kept")
  func floods() async throws {
    try await GarmBench.run { bench in
      try bench.misbehave(["flood": "ListInstances"])
      guard case .malformed(let why) = await failure({ () async throws(GarmFailure) in _ = try await bench.client().list(bench.garmPool) })
      else {
        Issue.record("expected a refusal")
        return
      }
      #expect(why.contains("8 MiB"))
    }
  }

  @Test("one that writes no JSON is told so in the words that it wrote")
  func garbage() async throws {
    try await GarmBench.run { bench in
      try bench.misbehave(["garbage": "ListInstances"])
      guard case .malformed(let why) = await failure({ () async throws(GarmFailure) in _ = try await bench.client().list(bench.garmPool) })
      else {
        Issue.record("expected a refusal")
        return
      }
      #expect(why.contains("nil pointer"))
    }
  }

  @Test("one whose child keeps standard output open is not waited for, and the child ends too")
  func forks() async throws {
    try await GarmBench.run { bench in
      try bench.misbehave(["fork": "ListInstances"])
      let start = ContinuousClock.now
      #expect(try await bench.client().list(bench.garmPool).isEmpty)
      #expect(ContinuousClock.now - start < .seconds(60))
    }
  }

  @Test("one that is not there cannot be started, and one that refuses says why")
  func absent() async throws {
    try await GarmBench.run { bench in
      let nowhere = GarmProvider(
        execution: bench.execution("/nowhere/provider"), settings: bench.settings, controllerID: "c",
        configFile: "/dev/null")
      guard case .unstartable = await failure({ () async throws(GarmFailure) in _ = try await nowhere.version() }) else {
        Issue.record("expected that it cannot be started")
        return
      }
      let refused = await failure { () async throws(GarmFailure) in _ = try await bench.client(configFile: "/nowhere.toml").version() }
      #expect("\(refused.map { "\($0)" } ?? "")".contains("no such file"))
    }
  }

  @Test("the conformance suite is kept by a provider that behaves", .timeLimit(.minutes(1)))
  func conforms() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["deaf": true, "slow": 0.4])
      let suite = GarmConformance(
        provider: bench.client(), settings: bench.settings, pool: bench.garmPool, patience: .seconds(2), killAfter: .milliseconds(300))
      let findings = await suite.run()
      #expect(findings.filter { $0.outcome != .kept } == [])
      #expect(findings.count == 11)
      #expect(bench.machines.isEmpty)
    }
  }

  @Test("the conformance suite finds what a provider does wrong", .timeLimit(.minutes(1)))
  func deviates() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["deaf": true, "leak": 100, "listing-lags": true])
      let suite = GarmConformance(
        provider: bench.client(), settings: bench.settings, pool: bench.garmPool, patience: .milliseconds(100), killAfter: .seconds(5))
      let broken = await suite.run().filter { if case .broken = $0.outcome { true } else { false } }.map(\.sentence)
      #expect(
        broken == [
          "a second creation of the same name makes no second machine", "a list shows the pool's machines, and those of no other pool",
          "a deleted machine is not found, with exit status 30", "what a killed creation has left is deleted by its name",
          "nothing of the trial is left",
        ])
    }
  }

  @Test("the conformance suite leaves no machine where its creation ends in an error", .timeLimit(.minutes(1)))
  func leavesNothing() async throws {
    try await GarmBench.run { bench in
      try bench.runScript("exit 0")
      try bench.misbehave(["deaf": true, "error": true])
      let suite = GarmConformance(
        provider: bench.client(), settings: bench.settings, pool: bench.garmPool, patience: .seconds(2), killAfter: .seconds(5))
      let broken = await suite.run().filter { if case .broken = $0.outcome { true } else { false } }.map(\.sentence)
      #expect(broken == ["a creation answers with an id, its own name and a status"])
      #expect(bench.machines.isEmpty)
    }
  }
}
