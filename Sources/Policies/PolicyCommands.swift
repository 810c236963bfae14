internal import Domain
internal import Foundation
package import RunnerHub

/// The bodies of `runnerhub policy …`: values in, a report out. Printing and exit codes are the caller's.
package enum PolicyCommands {
  /// What a command found, for people and for programs.
  package struct Report: Hashable, Sendable {
    /// Lines to print.
    package var text: String
    /// Whether everything was as it should be: the exit code.
    package var isSuccess: Bool
    /// For `--json`: names and values, flat.
    package var values: [String: String]
  }

  package enum Decision: String, Sendable, CaseIterable {
    case routing, priority
  }

  /// `policy check`: syntax, version and functions, with place and excerpt.
  package static func check(_ folder: String) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let check = BundleCheck(bundle, runsTests: false)
      var lines = check.problems.flatMap { describe($0, folder: folder, bundle: bundle) }
      lines += check.missing.map { "\(folder)/\($0.fileName): missing; the built-in rule answers" }
      let files = count(bundle.files.count, "file")
      lines.append(
        check.problems.isEmpty ? "\(files), bundle \(bundle.digest): fit" : "\(count(check.problems.count, "error")) in \(files)")
      return Report(
        text: lines.joined(separator: "\n"), isSuccess: check.problems.isEmpty,
        values: ["bundle": bundle.digest, "errors": "\(check.problems.count)"])
    }
  }

  /// `policy test`: runs every `_test.lua`.
  package static func test(_ folder: String) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let clock = ContinuousClock()
      let start = clock.now
      let check = BundleCheck(bundle)
      let (seconds, attoseconds) = (clock.now - start).components
      let milliseconds = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
      var lines = (check.problems + check.failures).flatMap { describe($0, folder: folder, bundle: bundle) }
      let byFile = Dictionary(grouping: check.tests, by: \.file)
      let counts = byFile.keys.sorted().map { file -> String in
        let results = byFile[file] ?? []
        let failed = results.count { $0.failure != nil }
        let name = file.replacing("_test.lua", with: "").replacing("lib/", with: "")
        return "\(name) ✓ \(results.count - failed)" + (failed == 0 ? "" : " ✗ \(failed)")
      }
      let failed = check.failures.count
      let passed = check.tests.count - failed
      lines.append(counts.joined(separator: "   "))
      lines.append("\(passed) passed" + (failed == 0 ? "" : ", \(failed) failed") + " in \(milliseconds) ms")
      return Report(
        text: lines.joined(separator: "\n"), isSuccess: check.isFit,
        values: ["bundle": bundle.digest, "passed": "\(passed)", "failed": "\(failed)", "errors": "\(check.problems.count)"])
    }
  }

  /// `policy eval`: what the folder's policy says of a job. A policy that breaks is shown with the built-in answer, and is no success.
  package static func eval(_ decision: Decision, job: PolicyJob, fleet: PolicyFleet, folder: String) -> Report {
    switch read(folder) {
    case .failure(let error): return refusal(error)
    case .success(let bundle):
      let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
      switch decision {
      case .routing:
        let verdict = engine.route(job, fleet: fleet)
        return show("route", verdict.value.rawValue, verdict)
      case .priority:
        let verdict = engine.prioritise(job, fleet: fleet)
        return show("priority", verdict.value.word, verdict)
      }
    }
  }

  private static func show<Value>(_ name: String, _ word: String, _ verdict: Verdict<Value>) -> Report {
    var rows = [(name, word), ("reason", verdict.reason)]
    var values = [name: word, "reason": verdict.reason, "bundle": verdict.bundle]
    if let cause = verdict.fallbackCause {
      rows.append(("bundle", verdict.bundle))
      rows.append(("because", cause))
      values["fallback_cause"] = cause
    } else {
      let steps = verdict.instructions ?? 0
      rows.append(("bundle", "\(verdict.bundle) · \(Int(verdict.microseconds.rounded())) µs · \(steps) instructions"))
      values["microseconds"] = "\(Int(verdict.microseconds.rounded()))"
      values["instructions"] = "\(steps)"
    }
    let text = rows.map { row in row.0 + String(repeating: " ", count: max(1, 10 - row.0.count)) + row.1 }.joined(separator: "\n")
    return Report(text: text, isSuccess: verdict.fallbackCause == nil, values: values)
  }

  private static func read(_ folder: String) -> Result<PolicyBundle, BundleError> {
    Result { () throws(BundleError) in try PolicyBundle(folder: folder) }
  }

  private static func refusal(_ error: BundleError) -> Report {
    Report(text: "error: \(error)", isSuccess: false, values: ["error": error.description])
  }

  /// A problem with the line of the file that it is about.
  private static func describe(_ problem: BundleCheck.Problem, folder: String, bundle: PolicyBundle) -> [String] {
    let place = problem.line.map { "\(problem.file):\($0)" } ?? problem.file
    var lines = ["\(folder)/\(place): error: \(problem.message)"]
    if let line = problem.line, let text = bundle.files[problem.file] {
      let source = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      if source.indices.contains(line - 1) { lines.append("   \(line) | \(source[line - 1])") }
    }
    return lines
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
