import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// What came of a reload or rollback, for people and programs.
struct PolicyChangeReport {
  private let change: PolicyChange

  init(_ change: PolicyChange) { self.change = change }

  /// - Throws: `ExitCode.failure` for a refused bundle.
  func show(json: Bool) throws {
    print(json ? String(decoding: try WireJSON.encoder.encode(change), as: UTF8.self) : text)
    if change.outcome == .refused { throw ExitCode.failure }
  }

  var text: String {
    let tests = change.tests.map { $0 == 1 ? ", 1 test passed" : ", \($0) tests passed" } ?? ""
    let problem = change.problem.map(PrintableText.line)
    return switch change.outcome {
    case .activated: "bundle \(change.bundle) acts now\(tests); before: \(change.previous)"
    case .rolledBack: "rolled back: bundle \(change.bundle) acts again until the folder changes; before: \(change.previous)"
    case .unchanged: "bundle \(change.bundle) acts already" + (problem.map { "; \($0)" } ?? "")
    case .refused: "refused: \(problem ?? "no reason")\nbundle \(change.bundle) stays"
    }
  }
}
