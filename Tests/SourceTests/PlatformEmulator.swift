import Foundation
import JSON

/// An emulator of a CI platform (`Tests/SourceEmulators`) as a process of its own, told over its standard input what happens there.
actor PlatformEmulator {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let folder = root.appending(path: "Tests/SourceEmulators", directoryHint: .isDirectory)

  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var rest = Data()
  /// Where the platform is.
  private(set) var url = ""

  func start(_ program: String) throws {
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-B", Self.folder.appending(path: program).path(percentEncoded: false)]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    url = try line()["url"]?.string ?? ""
  }

  @discardableResult
  func call(_ name: String, _ arguments: [String: JSONValue] = [:]) throws -> JSONValue {
    let wish = JSONValue.object(["call": .string(name), "arguments": .object(arguments)])
    try input.fileHandleForWriting.write(contentsOf: try JSONEncoder().encode(wish) + Data("\n".utf8))
    return try line()
  }

  /// The number of a job that waits there from now on.
  func queue(_ script: String, tags: [String] = ["linux"]) throws -> Int64 {
    let answer = try call("job", ["tags": .array(tags.map { .string($0) }), "script": .string(script)])
    guard case .integer(let id)? = answer["id"] else { throw Ended(what: "the emulator made no job: \(answer)") }
    return id
  }

  func end() throws {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  private func line() throws -> JSONValue {
    while true {
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        defer { rest = Data(rest[rest.index(after: end)...]) }
        return try JSONDecoder().decode(JSONValue.self, from: rest[..<end])
      }
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { throw Ended(what: "the emulator ended: \(String(decoding: rest, as: UTF8.self))") }
      rest += data
    }
  }

  struct Ended: Error, CustomStringConvertible {
    var what: String
    var description: String { what }
  }
}
