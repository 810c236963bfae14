import Fuzzing
import PolicyFuzzing
import Testing

@Suite("Fuzzing")
struct FuzzTests {
  /// Cases that once failed; `make fuzz` prints them.
  static let kept: [UInt64] = []

  @Test("the first cases of a fixed seed, and all that once failed, hold")
  func cases() throws {
    let echo = try FuzzCase.makeEcho()
    var numbers = CaseGenerator(5)
    for number in Self.kept + (0..<150).map({ _ in numbers.next() }) {
      do {
        try FuzzCase.run(number, echo: echo)
      } catch {
        Issue.record("case \(number): \(error)")
      }
    }
  }
}
