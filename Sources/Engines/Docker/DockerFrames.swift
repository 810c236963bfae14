internal import NIOCore

/// Takes Docker's multiplexed stream of output apart: frames of 8 bytes `[1 stdout | 2 stderr, 0, 0, 0, length big-endian]` and a payload
/// (Engine API, "Attach to a container: stream format"). What comes may end in the middle of a header.
struct DockerFrameDecoder {
  enum Stream: UInt8 {
    case stdin, stdout, stderr
  }

  struct Frame: Equatable {
    var stream: Stream
    var payload: ByteBuffer
  }

  /// A stream that is no such one: the rest of it cannot be told apart.
  struct Malformed: Error, CustomStringConvertible {
    var description: String
  }

  private var rest = ByteBuffer()
  /// Docker's frames hold 16 KiB of a log at most; one message of a log driver may be longer.
  private static let longest = 16 << 20

  /// Whether the stream ended in the middle of a frame.
  var isCut: Bool { rest.readableBytes > 0 }

  /// Takes the next bytes, and gives the frames that are whole with them.
  /// - Throws: `Malformed`.
  mutating func take(_ bytes: ByteBuffer) throws(Malformed) -> [Frame] {
    rest.writeImmutableBuffer(bytes)
    var frames: [Frame] = []
    while let kind = rest.getInteger(at: rest.readerIndex, as: UInt8.self), rest.readableBytes >= 8,
      let length = rest.getInteger(at: rest.readerIndex + 4, as: UInt32.self)
    {
      guard let stream = Stream(rawValue: kind) else { throw Malformed(description: "a frame of the unknown stream \(kind)") }
      guard length <= Self.longest else { throw Malformed(description: "a frame of \(length) bytes") }
      guard rest.readableBytes >= 8 + Int(length) else { break }
      rest.moveReaderIndex(forwardBy: 8)
      frames.append(Frame(stream: stream, payload: rest.readSlice(length: Int(length)) ?? ByteBuffer()))
    }
    rest.discardReadBytes()
    return frames
  }
}
