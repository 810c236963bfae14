/// Assignments that a POSIX shell takes in with `.`: how the runner service speaks to the stand-in runner.
/// Every value stands in single quotes, so nothing in it is ever expanded.
struct ShellFragment: Sendable, Equatable {
  private(set) var text = ""

  mutating func set(_ name: String, _ value: String) { text += "\(name)=\(Self.quoted(value))\n" }

  mutating func export(_ name: String, _ value: String) { text += "export \(name)=\(Self.quoted(value))\n" }

  /// A shell has no way to hold a NUL character, so it is left out.
  static func quoted(_ value: String) -> String {
    "'" + value.replacing("\0", with: "").replacing("'", with: "'\\''") + "'"
  }

  /// Whether a POSIX shell can hold a variable of that name.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}
