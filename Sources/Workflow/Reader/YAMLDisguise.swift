/// Hides `*` and `?` from libYAML behind private-use characters of the same width, so that places stay true.
///
/// Yams expands aliases before we see them, and hashes what explicit keys (`? key`) hold; both let a small file take hours. Disguised, an
/// alias is a plain scalar that begins with ``alias``, and an explicit key one that begins with ``key``.
struct YAMLDisguise {
  let alias: Unicode.Scalar
  let key: Unicode.Scalar

  /// Nil where the text leaves no two private-use characters free.
  init?(for text: String) {
    let used = Set(text.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) })
    let free = (UInt32(0xE000)...0xF8FF).lazy.compactMap(Unicode.Scalar.init).filter { !used.contains($0) }.prefix(2)
    let marks = Array(free)
    guard marks.count == 2 else { return nil }
    alias = marks[0]
    key = marks[1]
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
