/// Hides `*` and `?`, and keys that stand twice, from libYAML behind private-use characters of the same width, so that places stay true.
///
/// Yams expands aliases before we see them, and hashes what explicit keys (`? key`) hold; both let a small file take hours. Disguised, an
/// alias is a plain scalar that begins with ``alias``, and an explicit key one that begins with ``key``. A key
/// that stands twice ends Yams' reading, so its second place is marked with ``duplicate`` and the text is read again.
struct YAMLDisguise {
  let alias: Unicode.Scalar
  let key: Unicode.Scalar
  let duplicate: Unicode.Scalar

  /// Nil where the text leaves no three private-use characters free.
  init?(for text: String) {
    // Private-use characters begin with one of these bytes.
    let mayHaveSome = text.utf8.contains { $0 == 0xEE || $0 == 0xEF }
    let used = mayHaveSome ? Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) }) : []
    let free = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }.prefix(3)
    let marks = Array(free)
    guard marks.count == 3 else { return nil }
    alias = marks[0]
    key = marks[1]
    duplicate = marks[2]
  }

  func applied(to text: String) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }) else { return text }
    let alias = Array(String(alias).utf8)
    let key = Array(String(key).utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 64)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "*"): bytes += alias
      case UInt8(ascii: "?"): bytes += key
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func removed(from text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0xEE || $0 == 0xEF }) else { return text }
    return mapped(text) { $0 == alias ? "*" : $0 == key ? "?" : $0 }
  }

  private func mapped(_ text: String, _ transform: (Unicode.Scalar) -> Unicode.Scalar) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map(transform)))
  }
}
