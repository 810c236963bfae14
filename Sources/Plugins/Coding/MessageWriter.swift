internal import Foundation

/// Writes values as JSON onto the end of a line, as `PluginJSON.encoder` does and several times as fast where they are small: containers are written
/// as they come, without a tree of what is in them.
final class MessageWriter {
  /// A value that cannot be written as it comes: `PluginJSON.encoder` does it, or says what is wrong with it.
  private struct Unsuited: Error {}

  private struct Container {
    var number: Int
    var end: UInt8
    var isEmpty = true
  }

  private var line: [UInt8]
  private var open: [Container] = []
  private var lastNumber = 0
  /// Somebody went back into a container that was left, or wrote nothing where a value was to be.
  private var isUnsuited = false

  private init(_ line: [UInt8]) { self.line = line }

  /// Appends the JSON of a value.
  /// - Throws: as `JSONEncoder` does; the line is then as it was.
  static func append(_ value: some Encodable, to line: inout [UInt8]) throws {
    let start = line.count
    let writer = MessageWriter(line)
    // The writer alone has it, so that nothing is copied.
    line = []
    var isWritten = false
    do {
      try writer.write(value, [])
      isWritten = !writer.isUnsuited
    } catch {
      // Said below, if it was no fault of this writer.
      isWritten = false
    }
    line = writer.line
    writer.line = []
    guard !isWritten else { return }
    line.removeSubrange(start...)
    line.append(contentsOf: try PluginJSON.encoder.encode(value))
  }

  // MARK: - Values

  fileprivate func write<Value: Encodable>(_ value: Value, _ path: [any CodingKey]) throws {
    let start = line.count
    let depth = open.count
    // Types are compared, which is faster than a cast.
    if Value.self == Date.self, let date = value as? Date {
      write(text: date.formatted(PluginJSON.dateStyle))
    } else if Value.self == Data.self, let data = value as? Data {
      write(text: data.base64EncodedString())
    } else if Value.self == URL.self || Value.self == Decimal.self {
      throw Unsuited()
    } else {
      try value.encode(to: Encoding(writer: self, codingPath: path))
    }
    close(downTo: depth)
    if line.count == start { isUnsuited = true }
  }

  fileprivate func write(text: String) { MessageText.append(text, to: &line) }
  fileprivate func write(number: some FixedWidthInteger) { MessageText.append(number, to: &line) }
  fileprivate func write(word: String) { line.append(contentsOf: word.utf8) }

  fileprivate func write(real: some BinaryFloatingPoint & CustomStringConvertible) throws {
    guard real.isFinite else { throw Unsuited() }
    let text = real.description
    write(word: text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
  }

  // MARK: - Containers

  /// Begins an object or a list.
  fileprivate func begin(isObject: Bool) -> Int {
    lastNumber += 1
    open.append(Container(number: lastNumber, end: isObject ? 0x7D : 0x5D))
    line.append(isObject ? 0x7B : 0x5B)
    return lastNumber
  }

  /// Goes to the next place in a container, which ends those within it.
  fileprivate func next(in number: Int, key: (any CodingKey)?) {
    guard let index = open.lastIndex(where: { $0.number == number }) else {
      isUnsuited = true
      return
    }
    close(downTo: index + 1)
    if open[index].isEmpty { open[index].isEmpty = false } else { line.append(0x2C) }
    guard let key else { return }
    write(text: key.stringValue)
    line.append(0x3A)
  }

  private func close(downTo depth: Int) {
    while open.count > depth { line.append(open.removeLast().end) }
  }

  fileprivate func refuse() { isUnsuited = true }
}

/// One value being written.
private final class Encoding: Encoder {
  let writer: MessageWriter
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  /// The container that it has asked for: another wish for one means the same.
  private var container: Int?

  init(writer: MessageWriter, codingPath: [any CodingKey]) {
    self.writer = writer
    self.codingPath = codingPath
  }

  private func begin(isObject: Bool) -> Int {
    if let container { return container }
    let number = writer.begin(isObject: isObject)
    container = number
    return number
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Members(writer: writer, number: begin(isObject: true), codingPath: codingPath))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    Elements(writer: writer, number: begin(isObject: false), codingPath: codingPath)
  }
  func singleValueContainer() -> any SingleValueEncodingContainer { Single(writer: writer, codingPath: codingPath) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let writer: MessageWriter
  let number: Int
  let codingPath: [any CodingKey]

  func encodeNil(forKey key: Key) {
    writer.next(in: number, key: key)
    writer.write(word: "null")
  }
  func encode(_ value: Bool, forKey key: Key) {
    writer.next(in: number, key: key)
    writer.write(word: value ? "true" : "false")
  }
  func encode(_ value: String, forKey key: Key) {
    writer.next(in: number, key: key)
    writer.write(text: value)
  }
  func encode(_ value: Double, forKey key: Key) throws {
    writer.next(in: number, key: key)
    try writer.write(real: value)
  }
  func encode(_ value: Float, forKey key: Key) throws {
    writer.next(in: number, key: key)
    try writer.write(real: value)
  }
  func encode<Value: FixedWidthInteger & Encodable>(_ value: Value, forKey key: Key) {
    writer.next(in: number, key: key)
    writer.write(number: value)
  }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    writer.next(in: number, key: key)
    try writer.write(value, codingPath + [key])
  }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
    writer.next(in: number, key: key)
    return KeyedEncodingContainer(
      Members<Nested>(writer: writer, number: writer.begin(isObject: true), codingPath: codingPath + [key]))
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    writer.next(in: number, key: key)
    return Elements(writer: writer, number: writer.begin(isObject: false), codingPath: codingPath + [key])
  }
  func superEncoder() -> any Encoder {
    writer.refuse()
    return Encoding(writer: writer, codingPath: codingPath)
  }
  func superEncoder(forKey key: Key) -> any Encoder { superEncoder() }
}

private struct Elements: UnkeyedEncodingContainer {
  let writer: MessageWriter
  let number: Int
  let codingPath: [any CodingKey]
  private(set) var count = 0

  init(writer: MessageWriter, number: Int, codingPath: [any CodingKey]) {
    self.writer = writer
    self.number = number
    self.codingPath = codingPath
  }

  private mutating func next() {
    writer.next(in: number, key: nil)
    count += 1
  }

  mutating func encodeNil() {
    next()
    writer.write(word: "null")
  }
  mutating func encode(_ value: Bool) {
    next()
    writer.write(word: value ? "true" : "false")
  }
  mutating func encode(_ value: String) {
    next()
    writer.write(text: value)
  }
  mutating func encode(_ value: Double) throws {
    next()
    try writer.write(real: value)
  }
  mutating func encode(_ value: Float) throws {
    next()
    try writer.write(real: value)
  }
  mutating func encode<Value: FixedWidthInteger & Encodable>(_ value: Value) {
    next()
    writer.write(number: value)
  }
  mutating func encode<Value: Encodable>(_ value: Value) throws {
    next()
    try writer.write(value, codingPath)
  }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    next()
    return KeyedEncodingContainer(Members<Nested>(writer: writer, number: writer.begin(isObject: true), codingPath: codingPath))
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    next()
    return Elements(writer: writer, number: writer.begin(isObject: false), codingPath: codingPath)
  }
  mutating func superEncoder() -> any Encoder {
    writer.refuse()
    return Encoding(writer: writer, codingPath: codingPath)
  }
}

private struct Single: SingleValueEncodingContainer {
  let writer: MessageWriter
  let codingPath: [any CodingKey]

  func encodeNil() { writer.write(word: "null") }
  func encode(_ value: Bool) { writer.write(word: value ? "true" : "false") }
  func encode(_ value: String) { writer.write(text: value) }
  func encode(_ value: Double) throws { try writer.write(real: value) }
  func encode(_ value: Float) throws { try writer.write(real: value) }
  func encode<Value: FixedWidthInteger & Encodable>(_ value: Value) { writer.write(number: value) }
  func encode<Value: Encodable>(_ value: Value) throws { try writer.write(value, codingPath) }
}
