/// Hides `*` and `?`, and keys that stand twice, from libYAML behind private-use characters of the same width, so that places stay true.
///
/// Yams expands aliases before we see them, and hashes the collections that explicit keys (`? [a, b]`) hold; both let a small file take hours.
/// Disguised, an alias is a plain scalar that begins with ``alias``, and an explicit key one that begins with ``key``. An explicit key that is
/// plainly one text (`? key` alone on its line) is left as it is. A key
/// that stands twice ends Yams' reading, so its second place is marked with ``duplicate`` and the text is read again.
struct YAMLDisguise {
  let alias: Unicode.Scalar
  let key: Unicode.Scalar
  let duplicate: Unicode.Scalar

  /// Nil where the text leaves no three private-use characters free.
  init?(for text: String) {
    // Private-use characters begin with one of these bytes.
    let mayHaveSome = text.hasByte(0xEE, or: 0xEF)
    let used = mayHaveSome ? Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) }) : []
    let free = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }.prefix(3)
    let marks = Array(free)
    guard marks.count == 3 else { return nil }
    alias = marks[0]
    key = marks[1]
    duplicate = marks[2]
  }

  func applied(to text: String) -> String {
    guard text.hasByte(UInt8(ascii: "*"), or: UInt8(ascii: "?")) else { return text }
    let alias = Array(String(alias).utf8)
    let key = Array(String(key).utf8)
    let source = Array(text.utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.count + 64)
    var lineStart = 0
    for (index, byte) in source.enumerated() {
      switch byte {
      case UInt8(ascii: "*"): bytes += alias
      case UInt8(ascii: "?"):
        if Self.isTextKey(source[lineStart...], at: index) { bytes.append(byte) } else { bytes += key }
      case UInt8(ascii: "\n"):
        lineStart = index + 1
        bytes.append(byte)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether a `?` begins an explicit key that is one text without indicators, so that nothing but a scalar can come of it.
  /// - Parameter line: from the beginning of its line on.
  private static func isTextKey(_ line: ArraySlice<UInt8>, at index: Int) -> Bool {
    let isIndented = line[..<index].allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "-") }
    let rest = line[(index + 1)...]
    guard isIndented, rest.first == UInt8(ascii: " ") else { return false }
    let word = rest.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    // A dash could begin a sequence.
    return word.first.map { $0 != UInt8(ascii: "-") && isPlainByte($0) } == true && word.allSatisfy(isPlainByte)
  }

  /// Letters, digits, and what stands between them in names.
  private static func isPlainByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "): true
    default: false
    }
  }

  func removed(from text: String) -> String {
    guard text.hasByte(0xEE, or: 0xEF) else { return text }
    return mapped(text) { $0 == alias ? "*" : $0 == key ? "?" : $0 }
  }

  private func mapped(_ text: String, _ transform: (Unicode.Scalar) -> Unicode.Scalar) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map(transform)))
  }
}

extension String {
  /// Whether either byte stands in its UTF-8. Looks at all of it without a branch, which the compiler makes many bytes at once.
  fileprivate func hasByte(_ first: UInt8, or second: UInt8) -> Bool {
    utf8.withContiguousStorageIfAvailable { bytes in
      var found: UInt8 = 0
      for byte in bytes { found |= (byte == first ? 1 : 0) | (byte == second ? 1 : 0) }
      return found != 0
    } ?? utf8.contains { $0 == first || $0 == second }
  }
}
