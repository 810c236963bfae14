import Foundation

/// The steps of a verification as they happen, a line for whatever was seen, and how they ended.
actor Checklist {
  /// A step that has been told of already.
  struct StepFailed: Error {}

  private let total: Int
  private let secrets: [String]
  private let write: @Sendable (String) -> Void
  private(set) var passed = 0
  private(set) var failed = 0

  /// - Parameter secrets: texts that no line shows, whoever put them there.
  init(total: Int, secrets: [String], write: @escaping @Sendable (String) -> Void = { Terminal.write($0 + "\n") }) {
    self.total = total
    self.secrets = secrets
    self.write = write
  }

  /// Shows a line of what was seen.
  func see(_ text: String) { put("      ", text) }

  /// Runs a step and tells how it ended.
  /// - Parameter number: its place in the list, from 1: the last step may follow an earlier one that failed.
  /// - Throws: `StepFailed`, or `CancellationError` where it was interrupted.
  func step<Value>(
    _ number: Int, _ title: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
  ) async throws -> Value {
    let start = ContinuousClock.now
    await put("\n\(number)/\(total)   ", title)
    do {
      let value = try await body()
      await end(.passed, after: ContinuousClock.now - start)
      return value
    } catch is CancellationError {
      await end(.failed("it was ended before it was done", advice: nil), after: ContinuousClock.now - start)
      throw CancellationError()
    } catch let failure as VerifyFailure {
      await end(.failed(failure.seen, advice: failure.advice), after: ContinuousClock.now - start)
    } catch {
      await end(.failed("\(error)", advice: nil), after: ContinuousClock.now - start)
    }
    throw StepFailed()
  }

  /// How many steps passed, failed and were never begun.
  var summary: String { "\(total) steps, \(passed) passed, \(failed) failed, \(total - passed - failed) not run" }
  var isWhole: Bool { passed == total }

  private enum Ending {
    case passed
    case failed(String, advice: String?)
  }

  private func end(_ ending: Ending, after time: Duration) {
    switch ending {
    case .passed:
      passed += 1
      put("    ✓ ", Self.text(time))
    case .failed(let what, let advice):
      failed += 1
      put("    ✗ ", what)
      if let advice { put("    → ", advice) }
    }
  }

  private func put(_ head: String, _ text: String) {
    let safe = secrets.reduce(text) { $0.replacing($1, with: "***") }
    write(head + TextTable.printable(safe))
  }

  static func text(_ time: Duration) -> String {
    JobTable.duration(Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
  }
}

/// What a step saw instead of what it needed, and what can be done about it.
struct VerifyFailure: Error {
  var seen: String
  var advice: String?
}
