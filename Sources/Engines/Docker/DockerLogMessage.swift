internal import Foundation
internal import NIOCore
internal import NIOFoundationCompat

/// One message of a container's log: a line, or a part of one that is longer than 16 KiB.
struct DockerLogMessage {
  let time: DockerTime
  let text: Data

  /// - Parameter payload: of a frame with a timestamp: `2026-01-02T03:04:05.123456789Z text`.
  /// - Throws: `DockerFailure.unreadable`.
  init(_ payload: ByteBuffer) throws {
    let bytes = payload.readableBytesView
    guard let space = bytes.firstIndex(of: UInt8(ascii: " ")),
      let time = DockerTime(String(decoding: bytes[bytes.startIndex..<space], as: UTF8.self))
    else { throw DockerFailure.unreadable("a message of a log begins with no time") }
    self.time = time
    text = Data(bytes[bytes.index(after: space)...])
  }
}

/// Takes a stream of JSON values, one a line, apart; what comes may end in the middle of a line.
struct JSONLines {
  private var rest = Data()
  /// No line of the API is near this.
  private static let longest = 4 << 20

  /// Takes the next bytes, and gives the lines that are whole with them.
  /// - Throws: `DockerFailure.unreadable` for a line without end.
  mutating func take(_ bytes: ByteBuffer) throws -> [Data] {
    rest.append(contentsOf: bytes.readableBytesView)
    guard let last = rest.lastIndex(of: UInt8(ascii: "\n")) else {
      guard rest.count < Self.longest else { throw DockerFailure.unreadable("a line of more than \(Self.longest) bytes") }
      return []
    }
    let lines = rest[...last].split(separator: UInt8(ascii: "\n")).map { Data($0) }
    rest = Data(rest[(last + 1)...])
    return lines.filter { $0.contains { $0 > 32 } }
  }

  func decode<Value: Decodable>(_ type: Value.Type, _ line: Data) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: line)
    } catch {
      throw DockerFailure.unreadable("a line that is no \(type): \(error)")
    }
  }
}
