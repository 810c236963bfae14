internal import Foundation
internal import RunnerHub

/// The files of a runner of another platform: those that its plugin gave, and a `run.sh` of ours that runs its command. Pure.
struct SourceRunner {
  private let result: SourceRegisterResult
  /// Bytes of all its files together.
  private static let limit = 2 << 20

  /// - Throws: `invalid` where the plugin wants what no runner may have.
  init(_ result: SourceRegisterResult) throws(ForgeError) {
    self.result = result
    guard !result.command.isEmpty, result.command.count <= 1000 else { throw .invalid("the plugin names no command for the runner") }
    for text in result.command + Array((result.environment ?? [:]).values) where text.contains("\0") {
      throw .invalid("a word of the runner's command or environment holds a zero byte")
    }
    for name in (result.environment ?? [:]).keys where !Self.isName(name) {
      throw .invalid("'\(name.prefix(100))' is no name of an environment variable")
    }
    var size = 0
    for file in result.files {
      size += file.contents.count
      let first = file.path.split(separator: "/").first.map(String.init) ?? ""
      // These are the host's: the marker would start the runner too early.
      if first.hasPrefix(".runnerhub") || file.path == "run.sh" {
        throw .invalid("the plugin gives a file of the host's own: \(file.path)")
      }
      if file.mode > 0o777 { throw .invalid("mode \(String(file.mode, radix: 8)) of \(file.path) is more than permissions") }
    }
    if size > Self.limit { throw .invalid("the runner's files have \(size) bytes: expected at most \(Self.limit)") }
  }

  var files: [RunnerFile] {
    result.files.map { RunnerFile(path: $0.path, contents: $0.contents, mode: $0.mode) } + [
      RunnerFile(path: ".runnerhub/environment", contents: Data(environment.utf8), mode: 0o600),
      RunnerFile(path: "run.sh", contents: Data(script.utf8), mode: 0o755),
    ]
  }

  /// It becomes the command, so that its end, its status and the signals to it are the command's.
  private var script: String {
    """
    #!/bin/sh
    # Put here by RunnerHub: runs one job of another CI platform, and ends as its runner ends.
    . ./.runnerhub/environment
    exec \(result.command.map(Self.quoted).joined(separator: " "))

    """
  }

  /// Beside the script, since it may hold secrets and others may read that.
  private var environment: String {
    (result.environment ?? [:]).sorted { $0.key < $1.key }.map { "export \($0.key)=\(Self.quoted($0.value))\n" }.joined()
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 200 else { return false }
    let isLetter = { (byte: UInt8) in byte == UInt8(ascii: "_") || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) }
    return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) }
  }

  /// One word of POSIX shell, whatever the text holds.
  private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
