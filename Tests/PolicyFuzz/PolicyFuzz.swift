import Fuzzing
import PolicyFuzzing

/// The border between Swift and Lua under random cases; a find is kept in `FuzzTests.kept`.
@main
enum PolicyFuzz {
  static func main() throws {
    let echo = try FuzzCase.makeEcho()
    try FuzzRun.main("PolicyFuzz") { try FuzzCase.run($0, echo: echo) }
  }
}
