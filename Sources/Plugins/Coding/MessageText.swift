internal import Glibc

/// Text of JSON as bytes: what both directions share.
enum MessageText {
  // Eight bytes at once: a byte is under a bound, or is another byte, where its highest bit stays (Hacker's Delight, 6-1).
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Whether one of eight bytes is zero.
  private static func hasZero(_ word: UInt64) -> Bool { (word &- ones) & ~word & highs != 0 }

  private static func hasSpecial(_ word: UInt64) -> Bool {
    (word &- 0x20 &* ones) & ~word & highs != 0 || hasZero(word ^ 0x22 &* ones) || hasZero(word ^ 0x5C &* ones)
  }

  /// Where the first byte from a place on stands that cannot be part of a text as it is: a quote, a backslash, a control character.
  /// - Returns: the end, where there is none.
  static func plainEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var at = start
    while at + 8 <= bytes.count, !hasSpecial(bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) { at += 8 }
    while at < bytes.count, !isSpecial(bytes[at]) { at += 1 }
    return at
  }

  /// What stands in a text, found out in one pass that the compiler turns into instructions over many bytes.
  struct Contents: OptionSet {
    let rawValue: UInt8
    static let control = Contents(rawValue: 1)
    static let backslash = Contents(rawValue: 2)
    static let quote = Contents(rawValue: 4)
    /// It is to be looked at whether it is UTF-8.
    static let beyondASCII = Contents(rawValue: 0x80)
    static let special: Contents = [.control, .backslash, .quote]
  }

  // Not into its callers: there the compiler does not always make these instructions of it.
  @inline(never)
  static func contents(of bytes: UnsafeRawBufferPointer) -> Contents {
    var found: UInt8 = 0
    for byte in bytes { found |= (byte < 0x20 ? 1 : 0) | (byte == 0x5C ? 2 : 0) | (byte == 0x22 ? 4 : 0) | (byte & 0x80) }
    return Contents(rawValue: found)
  }

  /// Where the quote stands that ends a text.
  /// - Parameter start: behind the quote that begins it.
  /// - Returns: nil: there is none.
  static func quote(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var at = start
    while at < bytes.count, let found = memchr(base + at, 0x22, bytes.count - at) {
      let place = UnsafeRawPointer(found) - base
      var slashes = 0
      while place - slashes > start, bytes[place - slashes - 1] == 0x5C { slashes += 1 }
      if slashes.isMultiple(of: 2) { return place }
      at = place + 1
    }
    return nil
  }

  private static func isSpecial(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

  /// Appends a text in quotes.
  static func append(_ text: String, to line: inout [UInt8]) {
    var text = text
    line.append(0x22)
    text.withUTF8 { characters in
      let bytes = UnsafeRawBufferPointer(characters)
      guard !contents(of: bytes).isDisjoint(with: .special) else {
        line.append(contentsOf: bytes)
        return
      }
      var start = 0
      while true {
        let end = plainEnd(bytes, from: start)
        line.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        if end == bytes.count { break }
        escape(bytes[end], &line)
        start = end + 1
      }
    }
    line.append(0x22)
  }

  private static func escape(_ byte: UInt8, _ line: inout [UInt8]) {
    switch byte {
    case 0x08: line.append(contentsOf: "\\b".utf8)
    case 0x09: line.append(contentsOf: "\\t".utf8)
    case 0x0A: line.append(contentsOf: "\\n".utf8)
    case 0x0C: line.append(contentsOf: "\\f".utf8)
    case 0x0D: line.append(contentsOf: "\\r".utf8)
    case 0x22, 0x5C:
      line.append(0x5C)
      line.append(byte)
    default:
      line.append(contentsOf: "\\u00".utf8)
      line.append(byte < 0x10 ? 0x30 : 0x31)
      let digit = byte & 0xF
      line.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  static func append(_ number: some FixedWidthInteger, to line: inout [UInt8]) {
    guard let small = UInt64(exactly: number) else { return line.append(contentsOf: String(number).utf8) }
    var rest = small
    let start = line.count
    repeat {
      line.append(0x30 + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    line[start...].reverse()
  }
}
