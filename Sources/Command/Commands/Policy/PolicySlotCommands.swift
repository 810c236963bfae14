import ArgumentParser
import Foundation
import Policies
import RunnerHub
import Web

/// What is to be in a slot, as `shadow` and `canary` take it.
struct SlotArguments: ParsableArguments {
  @Argument(help: "A folder of policies, or the first digits of a bundle that came before.") var bundle: String?
  @Flag(help: "Empty the slot.") var off = false
  @Option(help: "Why, for the history.") var note: String?

  func validate() throws {
    if (bundle == nil) != off { throw ValidationError("expected a folder or a digest, or --off") }
  }

  /// A folder is sent as it is here: the host need not see it.
  func wish(percent: Double? = nil) throws -> RehearsalRoutes.SlotWish {
    guard let bundle else { return .init(off: true, note: note) }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: bundle, isDirectory: &isFolder), isFolder.boolValue else {
      return .init(bundle: bundle, percent: percent, note: note)
    }
    do {
      return .init(files: try PolicyBundle(folder: bundle).files.mapValues { Data($0) }, percent: percent, note: note)
    } catch {
      throw ValidationError("\(error)")
    }
  }
}

/// `runnerhub policy shadow`
struct PolicyShadowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shadow", abstract: "Ask a second bundle about the same jobs; nothing acts on it.",
    discussion: """
      The bundle is checked and tested by the running serve. What it would have decided is beside each decision:
        runnerhub policy shadow ./next
        runnerhub policy differences
        runnerhub policy shadow --off
      """)
  @OptionGroup var host: JobCommand.Host
  @OptionGroup var slot: SlotArguments
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let change: PolicyChange = try await host.client().post("/api/v1/policies/shadow", try slot.wish())
    try SlotChangeReport(slot: .shadow, change: change).show(json: json)
  }
}

/// `runnerhub policy canary`
struct PolicyCanaryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "canary", abstract: "Have a second bundle decide for a share of the jobs.",
    discussion: """
      Which jobs is told by a hash of repository and workflow, so that a workflow stays on its side:
        runnerhub policy canary ./next --percent 10
        runnerhub policy canary --off
      """)
  @OptionGroup var host: JobCommand.Host
  @OptionGroup var slot: SlotArguments
  @Option(help: "The share of jobs, 0 to 100.") var percent: Double?
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    if let percent, !(0...100 ~= percent) { throw ValidationError("--percent is \(percent): expected a number from 0 to 100") }
    if !slot.off, percent == nil { throw ValidationError("--percent is missing: expected a number from 0 to 100") }
  }

  func run() async throws {
    let change: PolicyChange = try await host.client().post("/api/v1/policies/canary", try slot.wish(percent: percent))
    try SlotChangeReport(slot: .canary, change: change).show(json: json)
  }
}

/// `runnerhub policy promote`
struct PolicyPromoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promote", abstract: "Make the shadow's or the canary's bundle the live one.",
    discussion: """
      It acts until the policies folder changes, as after a rollback: bring the folder to the same state. The slot is emptied.
      Example: runnerhub policy promote canary
      """)
  @OptionGroup var host: JobCommand.Host
  @Argument(help: "shadow or canary (default: the one that is filled).") var slot: PolicySlot?
  @Option(help: "Why, for the history.") var note: String?
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    if slot == .live { throw ValidationError("the live bundle is live: expected shadow or canary") }
  }

  func run() async throws {
    let change: PolicyChange = try await host.client().post(
      "/api/v1/policies/promote", RehearsalRoutes.PromoteWish(slot: slot, note: note))
    try SlotChangeReport(slot: .live, change: change).show(json: json)
  }
}

extension PolicySlot: ExpressibleByArgument {}

/// What came of a change of a slot, and the exit code for it.
struct SlotChangeReport {
  var slot: PolicySlot
  var change: PolicyChange

  var text: String {
    if let problem = change.problem, change.outcome == .refused {
      return "refused: \(TextTable.printable(problem))\n\(slot.rawValue): \(change.bundle) stays"
    }
    let tests = change.tests.map { ", \($0) tests passed" } ?? ""
    return change.outcome == .unchanged
      ? "\(slot.rawValue): \(change.bundle), nothing to change" : "\(slot.rawValue): \(change.bundle)\(tests); before: \(change.previous)"
  }

  func show(json: Bool) throws {
    print(json ? String(decoding: try WireJSON.encoder.encode(change), as: UTF8.self) : text)
    if change.outcome == .refused { throw ExitCode.failure }
  }
}
