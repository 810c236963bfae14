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
    let used = Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) })
    let free = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }.prefix(3)
    let marks = Array(free)
    guard marks.count == 3 else { return nil }
    alias = marks[0]
    key = marks[1]
    duplicate = marks[2]
  }

  func applied(to text: String) -> String { mapped(text) { $0 == "*" ? alias : $0 == "?" ? key : $0 } }

  func removed(from text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0 == alias || $0 == key }) else { return text }
    return mapped(text) { $0 == alias ? "*" : $0 == key ? "?" : $0 }
  }

  private func mapped(_ text: String, _ transform: (Unicode.Scalar) -> Unicode.Scalar) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map(transform)))
  }
}
