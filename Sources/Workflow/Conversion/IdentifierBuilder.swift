/// The ids of one scope: those that authors wrote, which must be valid and differ, and those that GitHub makes up for steps without one.
struct IdentifierBuilder {
  private static let maximumLength = 100
  private var taken: Set<String> = []

  /// Takes an author's id; nil, or what is wrong with it.
  mutating func add(_ id: String) -> String? {
    if id.isEmpty || !Self.isValid(id) || id.utf16.count >= Self.maximumLength {
      return "The identifier '\(id)' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. "
        + "IDs must start with a letter or '_' and and must be less than \(Self.maximumLength) characters."
    }
    if id.hasPrefix("__") { return "The identifier '\(id)' is invalid. IDs starting with '__' are reserved." }
    return taken.insert(id.expressionFolded).inserted ? nil : "The identifier '\(id)' may not be used more than once within the same scope."
  }

  /// Whether an id was taken before.
  func contains(_ id: String) -> Bool { taken.contains(id.expressionFolded) }

  /// `__` and the text, made an id and unlike all others.
  mutating func generate(from text: String) -> String {
    let safe = "__" + Self.safe(text)
    var candidate = String(safe.prefix(Self.maximumLength))
    var attempt = 1
    while !taken.insert(candidate.expressionFolded).inserted {
      attempt += 1
      let suffix = "_\(attempt)"
      candidate = safe.prefix(Self.maximumLength - suffix.count) + suffix
    }
    return candidate
  }

  /// The text with an underscore for each character that an id cannot have.
  private static func safe(_ text: String) -> String {
    // Where each byte is a character of its own, which a line feed after a carriage return is not.
    if text.utf8.allSatisfy({ $0 < 0x80 && $0 != 0x0D }) {
      return String(decoding: text.utf8.map { isInner($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }
    return String(text.map { character in character.utf8.count == 1 && isInner(character.utf8.first ?? 0) ? character : "_" })
  }

  private static func isValid(_ id: String) -> Bool {
    guard let first = id.utf8.first, isInner(first), !(0x30...0x39).contains(first), first != UInt8(ascii: "-") else { return false }
    return id.utf8.allSatisfy(isInner)
  }

  private static func isInner(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
