internal import Foundation

/// Finds the log of one use in all that a container has written. Pure.
///
/// PID 1 writes a line `##[runnerhub use N]` before a use and `##[runnerhub end N]`, after a newline of its own, when the use and the copying
/// of its pages have ended. A job can write such lines itself, and so spoil its own log, or put lines before that of the next job of its own
/// repository; nothing else believes them.
struct UseLog {
  let use: Int
  /// Bytes of this use's log seen so far.
  private(set) var size: Int64 = 0
  /// PID 1 said that nothing more comes.
  private(set) var isComplete = false
  private var current = 0
  /// The newest byte of the log is a newline which may be the one that PID 1 writes before its line.
  private var holdsNewline = false

  init(use: Int) { self.use = use }

  /// Whether PID 1 has named this use, or a later one.
  var hasBegun: Bool { current >= use }

  /// Takes the next message of standard output.
  /// - Returns: the bytes that it adds to the log of this use.
  mutating func take(_ message: Data) -> Data {
    switch Self.line(message) {
    case .begin(let number)? where number > current:
      // A use that was killed has no last line, so its newline was its own.
      let last = current == use ? flush() : Data()
      current = number
      return last
    case .end(let number)? where number == current:
      if number == use {
        holdsNewline = false
        isComplete = true
      }
      return Data()
    case .begin, .end, nil:
      guard current == use else { return Data() }
      isComplete = false
      var added = holdsNewline ? Data([Self.newline]) : Data()
      holdsNewline = message.last == Self.newline
      added += holdsNewline ? message.dropLast() : message
      size += Int64(added.count)
      return added
    }
  }

  /// The newline that was held back, when nothing more comes.
  mutating func flush() -> Data {
    guard holdsNewline else { return Data() }
    holdsNewline = false
    size += 1
    return Data([Self.newline])
  }

  private enum Line { case begin(Int), end(Int) }
  private static let newline = UInt8(ascii: "\n")

  private static func line(_ message: Data) -> Line? {
    guard message.count < 60, message.starts(with: Data("##[runnerhub ".utf8)) else { return nil }
    let words = String(decoding: message, as: UTF8.self).dropFirst(13).split(separator: " ")
    guard words.count == 2, words[1].hasSuffix("]\n"), let number = Int(words[1].dropLast(2)), number > 0 else { return nil }
    return switch words[0] {
    case "use": .begin(number)
    case "end": .end(number)
    default: nil
    }
  }
}
