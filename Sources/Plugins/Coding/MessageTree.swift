/// A text of JSON, checked as a whole, and where its values stand. One pass, no recursion; nothing is copied out of it before somebody asks.
final class MessageTree {
  enum Kind: UInt8 { case null, no, yes, number, plainText, text, list, object }

  /// A value, or the name of a member, which stands before its value.
  struct Node {
    var kind: Kind
    /// Of texts without the quotes.
    var start: Int32
    var end: Int32
    /// The node after it and all that is in it.
    var next: Int32
  }

  struct Fault: Error, CustomStringConvertible {
    var description: String
  }

  static let maximumDepth = 512

  let bytes: [UInt8]
  private(set) var nodes: [Node] = []

  /// - Throws: `Fault` where it is no JSON of RFC 8259 in UTF-8, is nested deeper than 512, or is larger than 2 GiB.
  init(_ bytes: [UInt8]) throws(Fault) {
    self.bytes = bytes
    guard bytes.count < Int32.max else { throw Fault(description: "too large") }
    nodes.reserveCapacity(16)
    var fault: Fault?
    bytes.withUnsafeBytes { bytes in
      var parser = Parser(bytes)
      do throws(Fault) { try parser.document(&nodes) } catch { fault = error }
    }
    if let fault { throw fault }
  }

  /// The characters of a text. It was checked that they are.
  func text(_ node: Node) -> String {
    bytes.withUnsafeBytes { bytes in
      let place = UnsafeRawBufferPointer(rebasing: bytes[Int(node.start)..<Int(node.end)])
      return node.kind == .plainText ? String(decoding: place, as: UTF8.self) : String(decoding: Self.unescaped(place), as: UTF8.self)
    }
  }

  /// Whether a text is this one.
  func isText(_ node: Node, _ text: String) -> Bool {
    guard node.kind == .plainText else { return self.text(node) == text }
    var text = text
    return bytes.withUnsafeBytes { bytes in
      text.withUTF8 { characters in
        characters.count == Int(node.end - node.start)
          && UnsafeRawBufferPointer(rebasing: bytes[Int(node.start)..<Int(node.end)]).elementsEqual(characters)
      }
    }
  }

  private static func unescaped(_ place: UnsafeRawBufferPointer) -> [UInt8] {
    var characters: [UInt8] = []
    characters.reserveCapacity(place.count)
    var at = 0
    while at < place.count {
      let end = MessageText.plainEnd(place, from: at)
      characters.append(contentsOf: UnsafeRawBufferPointer(rebasing: place[at..<end]))
      guard end + 1 < place.count else { break }
      at = end + 2
      switch place[end + 1] {
      case UInt8(ascii: "b"): characters.append(0x08)
      case UInt8(ascii: "t"): characters.append(0x09)
      case UInt8(ascii: "n"): characters.append(0x0A)
      case UInt8(ascii: "f"): characters.append(0x0C)
      case UInt8(ascii: "r"): characters.append(0x0D)
      case UInt8(ascii: "u"):
        var code = Parser.unit(place, at)
        at += 4
        if code & 0xFC00 == 0xD800 {
          code = 0x10000 + (code & 0x3FF) << 10 + Parser.unit(place, at + 2) & 0x3FF
          at += 6
        }
        // Halves that stand alone were refused.
        if let scalar = Unicode.Scalar(code) { characters.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter) }
      case let itself: characters.append(itself)
      }
    }
    return characters
  }
}

private struct Parser {
  typealias Fault = MessageTree.Fault
  typealias Node = MessageTree.Node

  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  /// Lists and objects that have not ended, by their nodes.
  private var open: [Int] = []

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private func fault(_ what: String) -> Fault { Fault(description: "\(what) at byte \(position)") }

  private mutating func skipSpace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  mutating func document(_ nodes: inout [Node]) throws(Fault) {
    skipSpace()
    try value(&nodes)
    while let container = open.last {
      skipSpace()
      let isObject = nodes[container].kind == .object
      let isFirst = nodes.count == container + 1
      if current == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
        position += 1
        nodes[container].end = Int32(position)
        nodes[container].next = Int32(nodes.count)
        open.removeLast()
        continue
      }
      if !isFirst {
        guard current == UInt8(ascii: ",") else { throw fault("expected ',' or the end of \(isObject ? "an object" : "a list")") }
        position += 1
        skipSpace()
      }
      if isObject {
        guard current == UInt8(ascii: "\"") else { throw fault("expected a name in quotes") }
        try text(&nodes)
        skipSpace()
        guard current == UInt8(ascii: ":") else { throw fault("expected ':'") }
        position += 1
        skipSpace()
      }
      try value(&nodes)
    }
    skipSpace()
    guard position == bytes.count else { throw fault("something after the end") }
  }

  private mutating func value(_ nodes: inout [Node]) throws(Fault) {
    switch current {
    case UInt8(ascii: "\""): try text(&nodes)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard open.count < MessageTree.maximumDepth else { throw fault("nested deeper than \(MessageTree.maximumDepth)") }
      open.append(nodes.count)
      nodes.append(Node(kind: current == UInt8(ascii: "{") ? .object : .list, start: Int32(position), end: 0, next: 0))
      position += 1
    case UInt8(ascii: "t"): try word("true", .yes, &nodes)
    case UInt8(ascii: "f"): try word("false", .no, &nodes)
    case UInt8(ascii: "n"): try word("null", .null, &nodes)
    default: try number(&nodes)
    }
  }

  private mutating func add(_ kind: MessageTree.Kind, _ start: Int, _ end: Int, _ nodes: inout [Node]) {
    nodes.append(Node(kind: kind, start: Int32(start), end: Int32(end), next: Int32(nodes.count + 1)))
  }

  private mutating func word(_ word: StaticString, _ kind: MessageTree.Kind, _ nodes: inout [Node]) throws(Fault) {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[position..<end].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    else { throw fault("expected a value") }
    add(kind, position, end, &nodes)
    position = end
  }

  private mutating func digits() throws(Fault) {
    let start = position
    while isDigit(current) { position += 1 }
    if position == start { throw fault("expected a digit") }
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  private mutating func number(_ nodes: inout [Node]) throws(Fault) {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    guard isDigit(current) else { throw fault("expected a value") }
    if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
    if current == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if current | 0x20 == UInt8(ascii: "e") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    add(.number, start, position, &nodes)
  }

  private mutating func text(_ nodes: inout [Node]) throws(Fault) {
    let start = position + 1
    guard let end = MessageText.quote(in: bytes, from: start) else { throw fault("a text without an end") }
    let characters = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    let contents = MessageText.contents(of: characters)
    if contents.contains(.control) { throw fault("a control character in a text") }
    if contents.contains(.backslash) {
      position = start
      while position < end {
        position = MessageText.plainEnd(bytes, from: position)
        if position < end { position = try escaped() }
      }
    }
    if contents.contains(.beyondASCII), String(validating: characters, as: UTF8.self) == nil { throw fault("a text that is not UTF-8") }
    add(contents.contains(.backslash) ? .text : .plainText, start, end, &nodes)
    position = end + 1
  }

  /// Returns where an escape ends.
  private func escaped() throws(Fault) -> Int {
    let name = position + 1 < bytes.count ? bytes[position + 1] : 0
    guard name == UInt8(ascii: "u") else {
      guard "\"\\/bfnrt".utf8.contains(name) else { throw fault("an unknown escape") }
      return position + 2
    }
    let first = try unit(at: position + 2)
    switch first & 0xFC00 {
    case 0xD800:
      guard position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"), bytes[position + 7] == UInt8(ascii: "u"),
        try unit(at: position + 8) & 0xFC00 == 0xDC00
      else { throw fault("half a character") }
      return position + 12
    case 0xDC00: throw fault("half a character")
    default: return position + 6
    }
  }

  private func unit(at place: Int) throws(Fault) -> UInt32 {
    guard place + 4 <= bytes.count, bytes[place..<place + 4].allSatisfy({ Self.digit($0) != nil }) else {
      throw fault("expected four hexadecimal digits")
    }
    return Self.unit(bytes, place)
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 0x30
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 0x57
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 0x37
    default: nil
    }
  }

  /// Four digits that were checked.
  static func unit(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt32 {
    bytes[place..<place + 4].reduce(0) { $0 << 4 | (digit($1) ?? 0) }
  }
}
