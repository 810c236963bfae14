internal import Foundation

/// A message of JSON-RPC 2.0 without its contents: whose it is, and where they stand. Pure, one pass over the bytes, no recursion; what the contents
/// are is found out by who decodes them.
struct Envelope: Equatable {
  enum Kind: Equatable {
    /// The id as it was written.
    case request(id: [UInt8], method: String)
    case notification(method: String)
    case result(id: Int64)
    case error(id: Int64)
  }

  struct Fault: Error, Equatable, CustomStringConvertible {
    var description: String
  }

  var kind: Kind
  /// Of `params`, `result` or `error`; empty where there is none.
  var contents: Range<Int>

  /// Bytes that an id may have; names of methods may be as long.
  private static let identifierLimit = 200
  private static let maximumDepth = 512

  init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    var members = Members()
    var walk = Walk(bytes)
    try walk.object(&members)
    guard let version = members.version, Self.text(version, bytes) == "2.0" else { throw Fault(description: "'jsonrpc' is not \"2.0\"") }
    if let method = members.method {
      guard let name = Self.text(method, bytes) else { throw Fault(description: "'method' is no short text") }
      contents = members.parameters ?? 0..<0
      guard let id = members.id else {
        kind = .notification(method: name)
        return
      }
      let first = bytes[id.lowerBound]
      guard id.count <= Self.identifierLimit, first == UInt8(ascii: "\"") || Walk.beginsNumber(first) else {
        throw Fault(description: "'id' is neither a number nor a short text")
      }
      kind = .request(id: Array(bytes[id]), method: name)
    } else {
      guard let place = members.id, let id = Int64(String(decoding: bytes[place], as: UTF8.self)) else {
        throw Fault(description: "neither a 'method' nor the 'id' of a request that was sent")
      }
      switch (members.result, members.error) {
      case (let result?, nil): (kind, contents) = (.result(id: id), result)
      case (nil, let error?): (kind, contents) = (.error(id: id), error)
      default: throw Fault(description: "an answer has either 'result' or 'error'")
      }
    }
  }

  /// A string of JSON that has no escapes and is short; others name nothing that is known.
  private static func text(_ place: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> String? {
    guard place.count >= 2, place.count <= identifierLimit, bytes[place.lowerBound] == UInt8(ascii: "\"") else { return nil }
    let characters = bytes[place.lowerBound + 1..<place.upperBound - 1]
    return characters.contains(UInt8(ascii: "\\")) ? nil : String(validating: characters, as: UTF8.self)
  }

  /// Where the members of the top stand. Of two of one name the last counts.
  private struct Members {
    var version: Range<Int>?
    var id: Range<Int>?
    var method: Range<Int>?
    var parameters: Range<Int>?
    var result: Range<Int>?
    var error: Range<Int>?

    mutating func meet(_ name: UnsafeRawBufferPointer, at place: Range<Int>) {
      func isName(_ text: StaticString) -> Bool {
        name.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
      }
      switch name.count {
      case 2 where isName("id"): id = place
      case 5 where isName("error"): error = place
      case 6 where isName("method"): method = place
      case 6 where isName("params"): parameters = place
      case 6 where isName("result"): result = place
      case 7 where isName("jsonrpc"): version = place
      default: break
      }
    }
  }

  private struct Walk {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    static func beginsNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// The next byte; 0 at the end, which no place of the grammar accepts.
    private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
      while current == 0x20 || current == 0x09 || current == 0x0D { position += 1 }
    }

    private mutating func expect(_ byte: Unicode.Scalar) throws(Fault) {
      skipSpace()
      guard current == UInt8(ascii: byte) else {
        throw Fault(description: "not a message of JSON-RPC: expected '\(byte)' at byte \(position)")
      }
      position += 1
    }

    mutating func object(_ members: inout Members) throws(Fault) {
      try expect("{")
      skipSpace()
      if current == UInt8(ascii: "}") {
        position += 1
      } else {
        while true {
          skipSpace()
          let name = position
          try string()
          let end = position - 1
          try expect(":")
          skipSpace()
          let start = position
          try value()
          members.meet(UnsafeRawBufferPointer(rebasing: bytes[name + 1..<end]), at: start..<position)
          skipSpace()
          if current == UInt8(ascii: ",") {
            position += 1
          } else {
            try expect("}")
            break
          }
        }
      }
      skipSpace()
      guard position == bytes.count else { throw Fault(description: "text after the message, at byte \(position)") }
    }

    /// Passes over a value: brackets are counted, strings are passed over, and the rest is left to who decodes it.
    private mutating func value() throws(Fault) {
      let start = position
      switch current {
      case UInt8(ascii: "\""): try string()
      case UInt8(ascii: "{"), UInt8(ascii: "["): try nested()
      default:
        while position < bytes.count, !Self.endsWord[Int(bytes[position])] { position += 1 }
      }
      if position == start { throw Fault(description: "expected a value at byte \(position)") }
    }

    private mutating func nested() throws(Fault) {
      var depth = 0
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\""):
          try string()
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          if depth > Envelope.maximumDepth { throw Fault(description: "nested deeper than \(Envelope.maximumDepth)") }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          if depth == 0 {
            position += 1
            return
          }
        default: break
        }
        position += 1
      }
      throw Fault(description: "the message ends early")
    }

    private mutating func string() throws(Fault) {
      guard current == UInt8(ascii: "\"") else { throw Fault(description: "expected a name in quotes at byte \(position)") }
      guard let end = MessageText.quote(in: bytes, from: position + 1) else { throw Fault(description: "a text without an end") }
      position = end + 1
    }

    private static let endsWord: [Bool] = (0..<256).map { byte in
      [0x20, 0x09, 0x0D, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(UInt8(byte))
    }
  }
}

// MARK: - Writing

extension Envelope {
  /// A line of the host's, with its end.
  /// - Throws: what keeps the parameters from being JSON.
  static func request(id: Int64, method: String, parameters: some Encodable) throws -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(256)
    line.append(contentsOf: "{\"jsonrpc\":\"2.0\",\"id\":".utf8)
    MessageText.append(id, to: &line)
    line.append(contentsOf: ",\"method\":".utf8)
    MessageText.append(method, to: &line)
    line.append(contentsOf: ",\"params\":".utf8)
    try MessageWriter.append(parameters, to: &line)
    line.append(UInt8(ascii: "}"))
    line.append(UInt8(ascii: "\n"))
    return line
  }

  static func notification(method: String, parameters: Data) -> [UInt8] {
    line("{\"jsonrpc\":\"2.0\",\"method\":\"\(method)\",\"params\":", parameters)
  }

  /// - Parameter id: as the plugin wrote it.
  static func result(id: [UInt8], _ result: Data) -> [UInt8] {
    line("{\"jsonrpc\":\"2.0\",\"id\":\(String(decoding: id, as: UTF8.self)),\"result\":", result)
  }

  static func error(id: [UInt8], _ error: Data) -> [UInt8] {
    line("{\"jsonrpc\":\"2.0\",\"id\":\(String(decoding: id, as: UTF8.self)),\"error\":", error)
  }

  private static func line(_ head: String, _ contents: Data) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(head.utf8.count + contents.count + 2)
    line.append(contentsOf: head.utf8)
    line.append(contentsOf: contents)
    line.append(UInt8(ascii: "}"))
    line.append(UInt8(ascii: "\n"))
    return line
  }
}
