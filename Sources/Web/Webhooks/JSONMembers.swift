/// Scalar members that a walk over the text of an object is to find, by their paths from the top.
///
/// Only places are kept, so the walk makes nothing for the values that it passes. Of several members of one name the first counts, as in
/// Foundation's `JSONDecoder`: what is found before the answer is what intake reads after it.
struct JSONMembers {
  private struct Path {
    let names: [String]
    /// How many of the names were met. Each is met once, so that a later member of the same name changes nothing.
    var met = 0
    /// How many of the names have the walk inside their objects.
    var entered = 0
    var isAwaited = false
    /// Where the value stands, quotes included.
    var place: Range<Int>?
  }

  private var paths: [Path]
  private let deepest: Int
  private var isAwaiting = false

  init(_ paths: [[String]] = []) {
    self.paths = paths.map { Path(names: $0) }
    deepest = paths.map(\.count).max() ?? 0
  }

  // MARK: - The walk

  /// The walk met a member's name.
  /// - Parameters:
  ///   - place: the bytes between the quotes.
  ///   - depth: objects and arrays that are open; 1 is the top.
  mutating func meet(nameAt place: Range<Int>, in bytes: UnsafeRawBufferPointer, depth: Int) {
    if depth > deepest { return }
    for index in paths.indices {
      let path = paths[index]
      guard path.met == depth - 1, path.entered == depth - 1, depth <= path.names.count,
        JSONCharacters(place, of: bytes).elementsEqual(path.names[depth - 1].utf8)
      else { continue }
      paths[index].met = depth
      paths[index].isAwaited = true
      isAwaiting = true
    }
  }

  /// The walk met a value that is no object, or an empty one.
  /// - Parameter scalar: where it stands, unless it is an object or array.
  mutating func meet(scalarAt scalar: Range<Int>?) {
    guard isAwaiting else { return }
    isAwaiting = false
    for index in paths.indices where paths[index].isAwaited {
      paths[index].isAwaited = false
      if paths[index].met == paths[index].names.count { paths[index].place = scalar }
    }
  }

  /// The walk went into an object.
  mutating func enterObject() {
    guard isAwaiting else { return }
    isAwaiting = false
    for index in paths.indices where paths[index].isAwaited {
      paths[index].isAwaited = false
      if paths[index].met < paths[index].names.count { paths[index].entered = paths[index].met }
    }
  }

  /// The walk left an object or array.
  /// - Parameter depth: how many are still open.
  mutating func leave(to depth: Int) {
    if depth >= deepest { return }
    for index in paths.indices where paths[index].entered >= depth { paths[index].entered = max(0, depth - 1) }
  }

  // MARK: - What was found

  /// The string at a path, if it is a word: 1 to 64 ASCII letters, digits or underscores once its escapes are resolved.
  func word(_ path: Int, in bytes: UnsafeRawBufferPointer) -> String? {
    guard let place = paths[path].place, bytes[place.lowerBound] == UInt8(ascii: "\"") else { return nil }
    var word: [UInt8] = []
    for byte in JSONCharacters(place.dropFirst().dropLast(), of: bytes) {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"):
        if word.count == 64 { return nil }
        word.append(byte)
      default: return nil
      }
    }
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }

  /// The number at a path, if it is written as a whole one and fits.
  func integer(_ path: Int, in bytes: UnsafeRawBufferPointer) -> Int64? {
    guard let place = paths[path].place, place.count <= 20 else { return nil }
    return Int64(String(decoding: bytes[place], as: UTF8.self))
  }
}

/// The characters of a well-formed string of JSON with their escapes resolved. What is not ASCII comes as the byte 0xFF, which no text has.
private struct JSONCharacters: Sequence, IteratorProtocol {
  private static let foreign: UInt8 = 0xFF
  private let bytes: UnsafeRawBufferPointer
  private var rest: Range<Int>

  /// - Parameter place: the bytes between the quotes.
  init(_ place: Range<Int>, of bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    rest = place
  }

  mutating func next() -> UInt8? {
    guard let byte = take() else { return nil }
    guard byte == UInt8(ascii: "\\") else { return byte < 0x80 ? byte : Self.foreign }
    switch take() {
    case UInt8(ascii: "u"): return unit()
    case UInt8(ascii: "b"): return 0x08
    case UInt8(ascii: "f"): return 0x0C
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "t"): return 0x09
    case let other: return other
    }
  }

  private mutating func take() -> UInt8? {
    guard let index = rest.first else { return nil }
    rest = rest.dropFirst()
    return bytes[index]
  }

  /// The UTF-16 unit that four hexadecimal digits spell.
  private mutating func unit() -> UInt8 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = take().flatMap({ Character(UnicodeScalar($0)).hexDigitValue }) else { return Self.foreign }
      unit = unit << 4 | UInt32(digit)
    }
    return unit < 0x80 ? UInt8(unit) : Self.foreign
  }
}
