import Testing
import WorkflowFuzzing

@Suite("Random workflow files and expressions")
struct WorkflowFuzzTests {
  /// Finds of `make fuzz`, each with what it was.
  static let kept: [UInt64] = []

  @Test("cases that once failed hold, and some others", arguments: kept + (1...150).map { $0 })
  func cases(number: UInt64) throws { try WorkflowFuzzCase.run(number, seeds: .builtIn) }
}
