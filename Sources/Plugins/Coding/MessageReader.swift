internal import Foundation

/// Reads values from JSON as `PluginJSON.decoder` does, and several times as fast where they are small. The whole is checked first, also what nobody
/// asks for. Of two members of one name the last counts.
struct MessageReader {
  fileprivate let tree: MessageTree
  fileprivate let index: Int
  let codingPath: [any CodingKey]
  /// Where the values of an object's members stand by name, of objects with many.
  fileprivate let names: Names?

  /// Made when it is first needed: a linear search for each name would be as long as what a plugin sends, squared.
  fileprivate final class Names {
    let places: [String: Int]
    init(_ places: [String: Int]) { self.places = places }
  }
  fileprivate static let searched = 24

  static func read<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
    let tree: MessageTree
    do {
      tree = try MessageTree(bytes)
    } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no JSON: \(error)"))
    }
    return try MessageReader(tree: tree, index: 0, codingPath: []).value(type)
  }

  fileprivate init(tree: MessageTree, index: Int, codingPath: [any CodingKey], names: Names? = nil) {
    self.tree = tree
    self.index = index
    self.codingPath = codingPath
    self.names = names
  }

  fileprivate var node: MessageTree.Node { tree.nodes[index] }

  // MARK: - Values

  fileprivate func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if type == Date.self, let value = try date() as? Value { return value }
    if type == Data.self, let value = try data() as? Value { return value }
    if type == URL.self, let value = try url() as? Value { return value }
    if type == Decimal.self, let value = try decimal() as? Value { return value }
    return try Value(from: self)
  }

  private func date() throws -> Date {
    guard let date = PluginJSON.date(try text()) else { throw corrupted(PluginJSON.expectedDate) }
    return date
  }
  private func data() throws -> Data {
    guard let data = Data(base64Encoded: try text()) else { throw corrupted("expected Base64") }
    return data
  }
  private func url() throws -> URL {
    guard let url = URL(string: try text()) else { throw corrupted("expected a URL") }
    return url
  }
  private func decimal() throws -> Decimal {
    guard node.kind == .number, let value = Decimal(string: tree.text(plain(node))) else { throw mismatch(Decimal.self) }
    return value
  }

  fileprivate func text() throws -> String {
    guard node.kind == .plainText || node.kind == .text else { throw mismatch(String.self) }
    return tree.text(node)
  }
  fileprivate func bool() throws -> Bool {
    switch node.kind {
    case .yes: return true
    case .no: return false
    default: throw mismatch(Bool.self)
    }
  }
  fileprivate func number<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    guard node.kind == .number else { throw mismatch(type) }
    let text = tree.text(plain(node))
    if let value = Value(text) { return value }
    // 1.0 and 1e3 are whole too.
    guard let real = Double(text), let value = Value(exactly: real) else { throw corrupted("\(text) does not fit into \(type)") }
    return value
  }
  fileprivate func real<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ type: Value.Type) throws -> Value {
    guard node.kind == .number else { throw mismatch(type) }
    let text = tree.text(plain(node))
    guard let value = Value(text), value.isFinite else { throw corrupted("\(text) does not fit into \(type)") }
    return value
  }

  /// Digits need no look for escapes.
  private func plain(_ node: MessageTree.Node) -> MessageTree.Node {
    var node = node
    node.kind = .plainText
    return node
  }

  fileprivate func mismatch(_ type: Any.Type) -> DecodingError {
    let context = DecodingError.Context(codingPath: codingPath, debugDescription: "expected \(type)")
    return node.kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
  }
  fileprivate func corrupted(_ what: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath, debugDescription: what))
  }

  // MARK: - Members

  /// The indices of an object's names; each value stands behind its name.
  fileprivate var members: [Int] {
    var members: [Int] = []
    var at = index + 1
    while at < Int(node.next) {
      members.append(at)
      at = Int(tree.nodes[at + 1].next)
    }
    return members
  }

  fileprivate func withNames() -> MessageReader {
    // A name and a value are two nodes at least.
    guard Int(node.next) - index > 2 * Self.searched else { return self }
    var places: [String: Int] = [:]
    for member in members { places[tree.text(tree.nodes[member])] = member + 1 }
    return MessageReader(tree: tree, index: index, codingPath: codingPath, names: Names(places))
  }

  /// Where the value of a member stands.
  fileprivate func place(of name: String) -> Int? {
    if let names { return names.places[name] }
    var found: Int?
    var at = index + 1
    let end = Int(node.next)
    while at < end {
      if tree.isText(tree.nodes[at], name) { found = at + 1 }
      at = Int(tree.nodes[at + 1].next)
    }
    return found
  }
}

extension MessageReader: Decoder {
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard node.kind == .object else { throw mismatch([String: Any].self) }
    return KeyedDecodingContainer(Members(object: withNames()))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard node.kind == .list else { throw mismatch([Any].self) }
    return Elements(list: self)
  }
  func singleValueContainer() -> any SingleValueDecodingContainer { self }
}

extension MessageReader: SingleValueDecodingContainer {
  func decodeNil() -> Bool { node.kind == .null }
  func decode(_ type: Bool.Type) throws -> Bool { try bool() }
  func decode(_ type: String.Type) throws -> String { try text() }
  func decode(_ type: Double.Type) throws -> Double { try real(type) }
  func decode(_ type: Float.Type) throws -> Float { try real(type) }
  func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type) throws -> Value { try number(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try value(type) }
}

private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let object: MessageReader
  var codingPath: [any CodingKey] { object.codingPath }
  var allKeys: [Key] {
    if let names = object.names { return names.places.keys.compactMap { Key(stringValue: $0) } }
    let names = object.members.map { object.tree.text(object.tree.nodes[$0]) }
    return Set(names).compactMap { Key(stringValue: $0) }
  }

  func contains(_ key: Key) -> Bool { object.place(of: key.stringValue) != nil }

  private func member(_ key: Key) throws -> MessageReader {
    guard let place = object.place(of: key.stringValue) else {
      throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "'\(key.stringValue)' is missing"))
    }
    return MessageReader(tree: object.tree, index: place, codingPath: codingPath + [key])
  }

  func decodeNil(forKey key: Key) throws -> Bool { try member(key).decodeNil() }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try member(key).bool() }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key).text() }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try member(key).real(type) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try member(key).real(type) }
  func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try member(key).number(type) }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try member(key).value(type) }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    try member(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try member(key).unkeyedContainer() }
  func superDecoder() throws -> any Decoder { object }
  func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}

private struct Elements: UnkeyedDecodingContainer {
  private let list: MessageReader
  private var at: Int
  let count: Int?
  private(set) var currentIndex = 0
  var codingPath: [any CodingKey] { list.codingPath }

  init(list: MessageReader) {
    self.list = list
    at = list.index + 1
    var count = 0
    var at = at
    while at < Int(list.node.next) {
      at = Int(list.tree.nodes[at].next)
      count += 1
    }
    self.count = count
  }

  private struct Place: CodingKey {
    var intValue: Int?
    var stringValue: String { "\(intValue ?? 0)" }
    init(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { nil }
  }

  var isAtEnd: Bool { currentIndex == count }

  private func peek(_ type: Any.Type) throws -> MessageReader {
    let path = codingPath + [Place(intValue: currentIndex)]
    guard !isAtEnd else { throw DecodingError.valueNotFound(type, .init(codingPath: path, debugDescription: "the list ends before it")) }
    return MessageReader(tree: list.tree, index: at, codingPath: path)
  }

  private mutating func take<Value>(_ read: (MessageReader) throws -> Value) throws -> Value {
    let element = try peek(Value.self)
    let value = try read(element)
    at = Int(element.node.next)
    currentIndex += 1
    return value
  }

  mutating func decodeNil() throws -> Bool {
    guard try peek(Any.self).decodeNil() else { return false }
    return try take { _ in true }
  }
  mutating func decode(_ type: Bool.Type) throws -> Bool { try take { try $0.bool() } }
  mutating func decode(_ type: String.Type) throws -> String { try take { try $0.text() } }
  mutating func decode(_ type: Double.Type) throws -> Double { try take { try $0.real(type) } }
  mutating func decode(_ type: Float.Type) throws -> Float { try take { try $0.real(type) } }
  mutating func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type) throws -> Value { try take { try $0.number(type) } }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try take { try $0.value(type) } }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try take { try $0.container(keyedBy: type) }
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try take { try $0.unkeyedContainer() } }
  mutating func superDecoder() throws -> any Decoder { try take { $0 } }
}
