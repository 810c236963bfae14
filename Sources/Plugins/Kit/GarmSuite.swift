internal import Domain
internal import Foundation
internal import JSON

/// What a provider of GARM must do: its contract, tried as the host uses it, with machines of its own.
struct GarmSuite {
  private let bench: PluginBench
  private let settings: GarmSettings
  private let values: [String: String]

  static func run(folder: URL, hostVersion: String, record: URL?) async -> PluginTestReport {
    var report = PluginTestReport(name: folder.lastPathComponent)
    report.kind = .garmProvider
    do {
      guard record == nil else {
        throw KitFailure("a garm-provider is called anew each time: there is no session to record, so leave --record out")
      }
      let bench = try PluginBench(folder: folder, hostVersion: hostVersion)
      do {
        try await run(bench, into: &report.checks)
      } catch {
        report.checks.append(PluginSuite.Check(name: "start", isOwn: false, outcome: .failed("\(error)"), seconds: 0))
      }
      try bench.tearDown()
    } catch {
      report.checks.append(PluginSuite.Check(name: "start", isOwn: false, outcome: .failed("\(error)"), seconds: 0))
    }
    return report
  }

  private static func run(_ bench: PluginBench, into checks: inout [PluginSuite.Check]) async throws {
    guard bench.tests.steps.isEmpty else {
      throw KitFailure("\(PluginTestFile.name(of: bench.manifest.name)) has tests, which call methods: a garm-provider has none")
    }
    let values = bench.values(try await directory(of: bench.program))
    var suite: GarmSuite?
    let start = ContinuousClock.now
    var outcome = PluginSuite.Check.Outcome.passed
    do {
      suite = try GarmSuite(bench, values)
    } catch {
      outcome = .failed("\(error)")
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    checks.append(PluginSuite.Check(name: "configuration", isOwn: false, outcome: outcome, seconds: seconds))
    if let suite { checks += await suite.contract() }
  }

  /// Where the program sees its private directory: it is its working directory.
  private static func directory(of program: PluginProgram) async throws -> String {
    var program = program
    program.command = ["/bin/pwd"]
    let run = try await PluginRun.run(program, limit: .seconds(10))
    guard run.exitCode == 0 else {
      let why = PluginText.line(String(decoding: run.error, as: UTF8.self))
      throw KitFailure("/bin/pwd cannot be run in the plugin's private directory: \(why)")
    }
    return String(decoding: run.output, as: UTF8.self).trimmingCharacters(in: .newlines)
  }

  /// - Throws: where the test file's configuration is not valid, or one that it calls invalid is.
  private init(_ bench: PluginBench, _ values: [String: String]) throws {
    self.bench = bench
    self.values = values
    let file = PluginTestFile.name(of: bench.manifest.name)
    settings = try Self.settings(bench.tests.configuration, bench, values, "the configuration in \(file)")
    for (index, invalid) in bench.tests.invalid.enumerated() {
      let what = "number \(index + 1) of 'invalid' in \(file)"
      if case .success = Result(catching: { try Self.settings(invalid, bench, values, what) }) {
        throw KitFailure("\(what) is valid: RunnerHub would take it")
      }
    }
  }

  /// As the host reads it: under the manifest's schema, and as what it says of every provider.
  private static func settings(_ given: JSONValue?, _ bench: PluginBench, _ values: [String: String], _ what: String) throws -> GarmSettings
  {
    let value = (given ?? .object([:])).filled(values)
    if let schema = bench.manifest.configuration, let problem = try JSONSchema(schema).problems(in: value).first {
      throw KitFailure("\(what) is not valid under that of plugin.yaml: \(problem)")
    }
    do {
      return try GarmSettings(value)
    } catch {
      throw KitFailure("\(what) is not valid: \(error)")
    }
  }

  private func contract() async -> [PluginSuite.Check] {
    guard let image = bench.tests.image.flatMap({ JSONValue.string($0).filled(values).string }) else {
      let reason = "the test file names no image to make machines of: image: …"
      return [PluginSuite.Check(name: "contract", isOwn: false, outcome: .skipped(reason), seconds: 0)]
    }
    var program = bench.program
    program.leavesChildren = settings.hasLocalMachines
    let provider = GarmProvider(
      execution: ProviderProcess(program), settings: settings, controllerID: GarmIdentity.uuid(of: "controller", "kit"),
      configFile: settings.providerConfig ?? "/dev/null")
    let conformance = GarmConformance(
      provider: provider, settings: settings, pool: settings.pool("kit", image: image, installation: "kit"))
    var checks: [PluginSuite.Check] = []
    for finding in await conformance.run() {
      let outcome: PluginSuite.Check.Outcome =
        switch finding.outcome {
        case .kept: .passed
        case .broken(let why): .failed(why)
        case .skipped(let why): .skipped(why)
        }
      checks.append(PluginSuite.Check(name: finding.sentence, isOwn: false, outcome: outcome, seconds: finding.seconds))
    }
    return checks
  }
}
