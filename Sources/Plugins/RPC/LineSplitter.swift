internal import Glibc

/// Cuts a stream of bytes into lines, and holds no more than one line's limit of it. Pure.
struct LineSplitter: Sendable {
  let limit: Int
  /// The beginning of a line whose end has not come.
  private var held: [UInt8] = []
  private(set) var isOverlong = false

  init(limit: Int) { self.limit = limit }

  /// - Parameter line: is given each whole line without its end. A line beyond the limit ends in `isOverlong`, and nothing comes after it.
  mutating func append(_ bytes: UnsafeRawBufferPointer, _ line: (UnsafeRawBufferPointer) -> Void) {
    var rest = bytes
    while !isOverlong, let end = Self.end(of: rest) {
      let part = UnsafeRawBufferPointer(rebasing: rest[rest.startIndex..<end])
      if held.isEmpty {
        if part.count > limit { isOverlong = true } else { line(part) }
      } else if held.count + part.count > limit {
        isOverlong = true
      } else {
        held.append(contentsOf: part)
        held.withUnsafeBytes(line)
        // A great line's buffer is not kept for small ones.
        held.removeAll(keepingCapacity: held.count <= 64 << 10)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
    }
    if held.count + rest.count > limit { isOverlong = true }
    if isOverlong { held = [] } else { held.append(contentsOf: rest) }
  }

  private static func end(of bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress, let end = memchr(start, Int32(UInt8(ascii: "\n")), bytes.count) else { return nil }
    return UnsafeRawPointer(end) - start
  }

  /// What stands after the last line's end.
  mutating func takeRest() -> [UInt8] {
    defer { held = [] }
    return held
  }

  /// Goes on after an overlong line as if it had ended.
  mutating func forgive() { isOverlong = false }
}
