internal import Domain

/// Text of a plugin as people and logs may see it.
enum PluginText {
  /// One printable line of at most so many characters.
  static func line(_ text: String, limit: Int = 1000) -> String {
    let line = PrintableText.line(String(text.prefix(limit)))
    return text.count > limit ? line + "…" : line
  }
}
