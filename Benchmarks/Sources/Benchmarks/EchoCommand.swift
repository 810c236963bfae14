import ArgumentParser
import Foundation
import Glibc

/// `benchmarks echo`: a plugin that answers each request with its parameters and reads no JSON, so that what is measured is the host; `--bare`: sends
/// back what comes.
struct EchoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "echo", shouldDisplay: false)

  @Flag var bare = false

  func run() throws {
    var pending: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      guard count > 0 else { return }
      if bare {
        try Self.send(chunk[..<count])
        continue
      }
      pending.append(contentsOf: chunk[..<count])
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        if let answer = Self.answer(to: pending[..<end]) { try Self.send(answer[...]) }
        pending.removeSubrange(...end)
      }
    }
  }

  /// The host writes `id` as a number, and `params` last.
  private static func answer(to line: ArraySlice<UInt8>) -> [UInt8]? {
    guard let id = after("\"id\":", in: line), let parameters = after("\"params\":", in: line) else { return nil }
    let number = line[id...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Array("{\"jsonrpc\":\"2.0\",\"id\":".utf8) + number + Array(",\"result\":".utf8) + line[parameters...] + [UInt8(ascii: "\n")]
  }

  private static func after(_ word: StaticString, in line: ArraySlice<UInt8>) -> Int? {
    word.withUTF8Buffer { word in
      line.withUnsafeBytes { bytes in
        var start = 0
        while start + word.count <= bytes.count {
          if bytes[start] == word[0], bytes[start..<(start + word.count)].elementsEqual(word) {
            return line.startIndex + start + word.count
          }
          start += 1
        }
        return nil
      }
    }
  }

  private static func send(_ bytes: ArraySlice<UInt8>) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 else { throw BenchmarkFailure("the echo cannot write: \(errno)") }
      rest = rest.dropFirst(count)
    }
  }
}
