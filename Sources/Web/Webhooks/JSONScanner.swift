/// Checks that bytes are one JSON object in UTF-8 (RFC 8259), without building anything from it, and finds members on the way.
///
/// One pass, no recursion, so neither size nor depth of hostile input costs more than its length.
package struct JSONScanner {
  /// What is wrong, and at which byte.
  package struct Fault: Error, Equatable, CustomStringConvertible {
    package var offset: Int
    package var problem: String
    package var description: String { "\(problem) at byte \(offset)" }
  }

  /// Objects and arrays within each other; GitHub's payloads have about ten.
  package static let maximumDepth = 512

  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  /// Closing brackets that are awaited, innermost last.
  private var open: [UInt8] = []
  private var members: JSONMembers

  private init(_ bytes: UnsafeRawBufferPointer, finding members: JSONMembers) {
    self.bytes = bytes
    self.members = members
  }

  /// What keeps the bytes from being exactly one well-formed object, or nil.
  package static func fault(in bytes: UnsafeRawBufferPointer) -> Fault? {
    do {
      var none = JSONMembers()
      try find(&none, in: bytes)
      return nil
    } catch {
      return error
    }
  }

  /// Checks the bytes as `fault(in:)` does, and tells `members` what it passes.
  static func find(_ members: inout JSONMembers, in bytes: UnsafeRawBufferPointer) throws(Fault) {
    guard String(validating: bytes, as: UTF8.self) != nil else { throw Fault(offset: 0, problem: "the text that begins is not UTF-8") }
    var scanner = JSONScanner(bytes, finding: members)
    try scanner.document()
    members = scanner.members
  }

  private mutating func document() throws(Fault) {
    skipSpace()
    guard current == UInt8(ascii: "{") else { throw fault("expected an object") }
    try value()
    while let close = open.last {
      skipSpace()
      if current == close {
        position += 1
        open.removeLast()
        members.leave(to: open.count)
      } else if current == UInt8(ascii: ",") {
        position += 1
        try member(of: close)
      } else {
        throw fault("expected ',' or the end of what was opened")
      }
    }
    skipSpace()
    if position < bytes.count { throw fault("unexpected text after the object") }
  }

  /// Reads a value; of an object or array only its start and, unless it is empty, the first member's start. The loop above does the rest.
  private mutating func value() throws(Fault) {
    while true {
      skipSpace()
      let start = position
      switch current {
      case UInt8(ascii: "{"):
        if try begin(closing: UInt8(ascii: "}")) { return }
        try key()
        continue
      case UInt8(ascii: "["):
        if try begin(closing: UInt8(ascii: "]")) { return }
        continue
      case UInt8(ascii: "\""): try string()
      case UInt8(ascii: "t"): try word("true")
      case UInt8(ascii: "f"): try word("false")
      case UInt8(ascii: "n"): try word("null")
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
      default: throw fault("expected a value")
      }
      return members.meet(scalarAt: start..<position)
    }
  }

  /// Opens an object or array. True when it is empty and already closed.
  private mutating func begin(closing: UInt8) throws(Fault) -> Bool {
    if open.count == Self.maximumDepth { throw fault("nested deeper than \(Self.maximumDepth)") }
    position += 1
    skipSpace()
    if current == closing {
      position += 1
      members.meet(scalarAt: nil)
      return true
    }
    if closing == UInt8(ascii: "}") { members.enterObject() } else { members.meet(scalarAt: nil) }
    open.append(closing)
    return false
  }

  private mutating func member(of close: UInt8) throws(Fault) {
    if close == UInt8(ascii: "}") { try key() }
    try value()
  }

  private mutating func key() throws(Fault) {
    skipSpace()
    guard current == UInt8(ascii: "\"") else { throw fault("expected a name in quotes") }
    let start = position + 1
    try string()
    members.meet(nameAt: start..<position - 1, in: bytes, depth: open.count)
    skipSpace()
    guard current == UInt8(ascii: ":") else { throw fault("expected ':'") }
    position += 1
  }

  private mutating func string() throws(Fault) {
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw fault("control character in a string")
      default: continue
      }
    }
    throw fault("string without an end")
  }

  private mutating func escape() throws(Fault) {
    switch current {
    case UInt8(ascii: "u"):
      position += 1
      for _ in 0..<4 {
        switch current {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
          position += 1
        default: throw fault("expected four hexadecimal digits")
        }
      }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"),
      UInt8(ascii: "t"):
      position += 1
    default: throw fault("unknown escape")
    }
  }

  private mutating func number() throws(Fault) {
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
    if current == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(Fault) {
    let start = position
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
    if position == start { throw fault("expected a digit") }
  }

  private mutating func word(_ word: StaticString) throws(Fault) {
    for index in 0..<word.utf8CodeUnitCount {
      guard current == word.utf8Start[index] else { throw fault("expected \(word)") }
      position += 1
    }
  }

  /// The next byte; 0 at the end, which no place of the grammar accepts.
  private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func skipSpace() {
    while current == 0x20 || current == 0x0A || current == 0x0D || current == 0x09 { position += 1 }
  }

  private func fault(_ problem: String) -> Fault {
    Fault(offset: position, problem: position < bytes.count ? problem : "the body ends early: \(problem)")
  }
}
