/// Guards against collections as keys of flow mappings (`{ {…} }`), nested: Yams hashes a key whole, at every level again.
enum KeyNesting {
  /// Levels times bytes; two seconds of hashing in a debug build.
  private static let maximumWork = 120_000_000

  /// The line in which collections nested as bare keys could cost more than the bound: openers after `{` or `,`, times the text's length.
  ///
  /// Knows no quotes and no block texts, so it may count too many, never too few: a comment, anchor or tag between the two does not hide them.
  static func lineBeyondBound(in text: String) -> Int? {
    text.utf8.withContiguousStorageIfAvailable(lineBeyondBound) ?? Array(text.utf8).withUnsafeBufferPointer(lineBeyondBound)
  }

  private static func lineBeyondBound(in text: UnsafeBufferPointer<UInt8>) -> Int? {
    enum Hidden { case nothing, untilSpace, untilLineEnd }
    let expressionBrace: UInt8 = 1
    let length = text.count
    var suspects = 0
    var line = 1
    var previous: UInt8 = 0
    var hidden = Hidden.nothing
    for byte in text {
      let mayNest = previous == UInt8(ascii: "{") || previous == UInt8(ascii: ",")
      switch byte {
      case 0x0A, 0x0D, 0x20, 0x09:
        if byte == 0x0A { line += 1 }
        if hidden == .untilSpace || (hidden == .untilLineEnd && byte == 0x0A) {
          previous = UInt8(ascii: ",")
          hidden = .nothing
        }
      case UInt8(ascii: "#") where mayNest:
        hidden = .untilLineEnd
        previous = byte
      case UInt8(ascii: "&") where mayNest, UInt8(ascii: "!") where mayNest:
        if hidden == .nothing { hidden = .untilSpace }
        previous = byte
      case UInt8(ascii: "{") where previous == UInt8(ascii: "$"):
        previous = expressionBrace
      case UInt8(ascii: "{") where previous == expressionBrace:
        previous = 0
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        suspects += mayNest ? 1 : 0
        if min(suspects, 1_000) * length > maximumWork { return line }
        previous = byte
      default:
        previous = byte
      }
    }
    return nil
  }
}
