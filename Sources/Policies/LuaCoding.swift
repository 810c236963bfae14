/// Writes values in the form that the shim reads. The format stands in `CLuaShim/marshal.c`.
package struct LuaEncoder {
  package private(set) var bytes: [UInt8] = []
  /// Of each kind, by its number, the fields that are sent of its objects: a bit each, in the order of their names.
  private let wanted: [UInt64]

  /// - Parameter wanted: for objects that are kept; others are sent whole.
  package init(wanted: [UInt64] = []) {
    self.wanted = wanted
    bytes.reserveCapacity(2048)
  }

  func wanted(_ kind: PolicyKindName) -> UInt64 { Int(kind.rawValue) < wanted.count ? wanted[Int(kind.rawValue)] : 0 }

  package mutating func encode(_ value: LuaValue) {
    switch value {
    case .none, .other: bytes.append(0)
    case .bool(let value): bytes.append(value ? 2 : 1)
    case .integer(let value):
      bytes.append(3)
      append(UInt64(bitPattern: value))
    case .number(let value):
      bytes.append(4)
      append(value.bitPattern)
    case .text(let text):
      bytes.append(5)
      append(text)
    case .list(let values): encode(values, tag: 6)
    case .sealedList(let values): encode(values, tag: 10)
    case .map(let values):
      bytes.append(7)
      append(count: values.count)
      for (key, value) in values {
        append(key)
        encode(value)
      }
    case .object(let kind, let fields):
      bytes.append(8)
      append(kind)
      append(count: fields.count)
      for field in fields {
        append(field.name)
        encode(field.value)
      }
    case .labels(let labels):
      bytes.append(9)
      append(count: labels.count)
      for label in labels { append(label) }
    }
  }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// An object that the state keeps.
  package mutating func encodeKept(_ slot: UInt32) {
    bytes.append(11)
    append(count: Int(slot))
  }

  /// An object that the state is to keep; its fields follow.
  package mutating func encodeKeep(_ slot: UInt32) {
    bytes.append(12)
    append(count: Int(slot))
  }

  /// An object within one that is kept; its fields follow.
  package mutating func encodePart() { bytes.append(17) }

  /// Which fields of a kind follow, each a value, in the order of their names.
  package mutating func encodeFields(_ fields: UInt64, of kind: PolicyKindName) {
    bytes.append(kind.rawValue)
    append(fields)
  }

  /// A list within an object that is kept; its elements follow.
  package mutating func encodeParts(_ count: Int) {
    bytes.append(18)
    append(count: count)
  }

  /// In place of a value within an object that is kept: the one that is there.
  package mutating func encodeSame() { bytes.append(19) }

  /// What follows is only to be kept, and is no argument.
  package mutating func encodeNote() { bytes.append(13) }

  /// In place of a field's value: the moment that it counts from.
  package mutating func encodeMoment(_ seconds: Double) {
    bytes.append(14)
    append(seconds.bitPattern)
  }

  private mutating func encode(_ values: [LuaValue], tag: UInt8) {
    bytes.append(tag)
    append(count: values.count)
    for value in values { encode(value) }
  }

  private mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      append(count: utf8.count)
      bytes.append(contentsOf: utf8)
    }
  }

  /// A count that does not fit fails in the shim, which then finds the buffer too short.
  private mutating func append(count: Int) {
    withUnsafeBytes(of: UInt32(clamping: count).littleEndian) { bytes.append(contentsOf: $0) }
  }
  private mutating func append(_ word: UInt64) {
    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
  }
}

/// Reads the values that the shim wrote.
package struct LuaDecoder {
  /// The bytes are not what the shim writes: a defect of one of the two.
  package struct Malformed: Error {}

  private let bytes: [UInt8]
  private var position = 0
  /// Texts of a placement's answers so far, to which later ones refer by number.
  private var texts: [String] = []
  /// As many as the shim numbers.
  static let mostTexts = 16
  package init(_ bytes: [UInt8]) { self.bytes = bytes }
  package var isAtEnd: Bool { position == bytes.count }
  private var left: Int { bytes.count - position }

  /// - Parameter depth: how deeply nested this value is; bounded, since bytes may be wrong.
  package mutating func decode(depth: Int = 0) throws(Malformed) -> LuaValue {
    guard depth <= 32, !isAtEnd else { throw Malformed() }
    let tag = bytes[position]
    position += 1
    switch tag {
    case 0: return .none
    case 1: return .bool(false)
    case 2: return .bool(true)
    case 3: return .integer(Int64(bitPattern: try word(bytes: 8)))
    case 4: return .number(Double(bitPattern: try word(bytes: 8)))
    case 5: return .text(try text())
    case 6:
      let size = try count()
      var values: [LuaValue] = []
      values.reserveCapacity(size)
      for _ in 0..<size { values.append(try decode(depth: depth + 1)) }
      return .list(values)
    case 7:
      var values: [String: LuaValue] = [:]
      for _ in 0..<(try count()) {
        let key = try text()
        values[key] = try decode(depth: depth + 1)
      }
      return .map(values)
    case 15: return .other(try text())
    default: throw Malformed()
    }
  }

  /// What was returned for one candidate.
  package enum Answer {
    /// It was let through without a reason, with a score from 0 to 100 and a reason that came before, told by its number.
    case scored(Double, reason: Int)
    /// It was filtered out for a reason that came before.
    case refused(reason: Int)
    /// Anything else: the values are in the array that was passed.
    case values
  }

  /// A reason that came before.
  package func reason(_ number: Int) -> String { texts[number] }

  /// - Parameter values: replaced by the values that were returned, unless the answer is short.
  @inline(__always)
  package mutating func answer(into values: inout [LuaValue]) throws(Malformed) -> Answer {
    // Most are of this form, and there are many.
    if left >= 10, bytes[position] == 0xF0 {
      let number = Int(bytes[position + 9])
      guard number < texts.count else { throw Malformed() }
      let score = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position + 1, as: UInt64.self)) }
      position += 10
      return .scored(Double(bitPattern: score), reason: number)
    }
    return try longAnswer(into: &values)
  }

  private mutating func longAnswer(into values: inout [LuaValue]) throws(Malformed) -> Answer {
    switch try word(bytes: 1) {
    case 0xF0: throw Malformed()
    case 0xF1: return .refused(reason: try knownText())
    case let count:
      values.removeAll(keepingCapacity: true)
      for _ in 0..<count { values.append(try answerPart()) }
      return .values
    }
  }

  private mutating func answerPart() throws(Malformed) -> LuaValue {
    guard !isAtEnd else { throw Malformed() }
    switch bytes[position] {
    case 5:
      position += 1
      let text = try text()
      if texts.count < Self.mostTexts { texts.append(text) }
      return .text(text)
    case 16:
      position += 1
      return .text(texts[try knownText()])
    default: return try decode()
    }
  }

  private mutating func knownText() throws(Malformed) -> Int {
    let number = Int(try word(bytes: 1))
    guard number < texts.count else { throw Malformed() }
    return number
  }

  /// One step of a trace, which has a form of its own (see `CLuaShim/trace.c`).
  package mutating func traceStep() throws(Malformed) -> TraceStep {
    var step = TraceStep(file: try text(), line: Int(try word(bytes: 4)), values: [])
    for _ in 0..<(try count()) { step.values.append((try text(), try text())) }
    return step
  }

  /// Each element takes a byte at least, so a larger count cannot be true.
  private mutating func count() throws(Malformed) -> Int {
    let count = Int(try word(bytes: 4))
    guard count <= left else { throw Malformed() }
    return count
  }

  private mutating func text() throws(Malformed) -> String {
    let length = try count()
    defer { position += length }
    return bytes.withUnsafeBufferPointer {
      String(decoding: UnsafeBufferPointer(rebasing: $0[position..<position + length]), as: UTF8.self)
    }
  }

  private mutating func word(bytes count: Int) throws(Malformed) -> UInt64 {
    guard left >= count else { throw Malformed() }
    defer { position += count }
    return bytes.withUnsafeBytes { buffer in
      switch count {
      case 1: UInt64(buffer[position])
      case 4: UInt64(UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
      default: UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      }
    }
  }
}
