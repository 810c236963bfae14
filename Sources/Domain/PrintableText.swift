/// Text from outside, fit for one line of a terminal or a plain page.
package enum PrintableText {
  /// Control characters could move the cursor or change its colours, and others break the line or turn its direction (Unicode UAX #9): each
  /// becomes a blank.
  package static func line(_ text: String) -> String {
    // Most texts are plain ASCII, and every decision writes some.
    if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.value {
          case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: " "
          default: scalar
          }
        }))
  }
}
