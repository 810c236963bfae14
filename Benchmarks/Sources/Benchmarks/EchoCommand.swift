import ArgumentParser
import Foundation
import Glibc

/// `benchmarks echo`: a plugin that answers each request with its parameters and reads no JSON, so that what is measured is the host; `--bare`: sends
/// back what comes.
struct EchoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "echo", shouldDisplay: false)

  @Flag var bare = false

  func run() throws {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    if bare {
      while true {
        let count = read(STDIN_FILENO, &chunk, chunk.count)
        guard count > 0 else { return }
        try Self.send(chunk[..<count])
      }
    }
    var pending: [UInt8] = []
    var answer: [UInt8] = []
    while true {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      guard count > 0 else { return }
      if pending.isEmpty, chunk[..<count].firstIndex(of: UInt8(ascii: "\n")) == count - 1 {
        try Self.answer(chunk[..<(count - 1)], &answer)
        continue
      }
      pending.append(contentsOf: chunk[..<count])
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        try Self.answer(pending[..<end], &answer)
        pending.removeSubrange(...end)
      }
    }
  }

  /// The host writes `id` as a number, and `params` last.
  private static func answer(_ line: ArraySlice<UInt8>, _ answer: inout [UInt8]) throws {
    guard let id = after("\"id\":", in: line), let parameters = after("\"params\":", in: line) else { return }
    answer.removeAll(keepingCapacity: true)
    answer.append(contentsOf: "{\"jsonrpc\":\"2.0\",\"id\":".utf8)
    answer.append(contentsOf: line[id...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    answer.append(contentsOf: ",\"result\":".utf8)
    answer.append(contentsOf: line[parameters...])
    answer.append(UInt8(ascii: "\n"))
    try send(answer[...])
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
