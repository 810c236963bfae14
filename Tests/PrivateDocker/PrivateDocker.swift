package import Foundation
internal import Glibc

/// A Docker daemon of the tests' own, in a network namespace of its own: `scripts/private-dockerd`. It ends with this object, and at the latest
/// with the process of the tests, whose end closes the script's standard input.
package final class PrivateDocker: Sendable {
  /// Path of its socket.
  package let socket: String
  /// Where containers reach this machine.
  package let address: String
  /// The network namespace in which it runs.
  package let namespace: String
  /// Where this machine reaches ports of the daemon's own.
  package var inside: String {
    let parts = address.split(separator: ".")
    return (parts.dropLast() + [Substring(String((parts.last.flatMap { Int($0) } ?? 0) + 1))]).joined(separator: ".")
  }
  private let script: Script

  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  /// One daemon for all tests of this process, started by the first that asks.
  package static func shared() async throws -> PrivateDocker { try await sharedDaemon.value }
  private static let sharedDaemon = Task { try await PrivateDocker(options: ["--insecure-registry", "10.213.0.0/16"]) }

  /// - Parameters:
  ///   - options: further options of dockerd.
  ///   - prepare: called with the folder before the daemon starts in it.
  package init(options: [String] = [], prepare: (URL) throws -> Void = { _ in }) async throws {
    // Short: the path of a socket has 107 bytes at most.
    let folder = URL(filePath: "/tmp/rh-docker-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try prepare(folder)
    script = try Script(arguments: [folder.path(percentEncoded: false).trimmingSuffix("/")] + options)
    let words = try await script.answer().split(separator: " ").map(String.init)
    guard words.count == 4, words[0] == "ready" else { throw Failure(description: "the private dockerd said \(words)") }
    (socket, address, namespace) = (words[1], words[2], words[3])
  }

  /// Ends the daemon with SIGKILL. Its containers go on.
  package func kill() async throws { try await say("kill", expecting: "killed") }

  /// Starts it again.
  package func start() async throws { try await say("start", expecting: "ready") }

  /// Ends the daemon and all its containers, and waits until nothing is left.
  package func end() async { await script.end() }

  private func say(_ word: String, expecting wanted: String) async throws {
    try script.say(word)
    let answer = try await script.answer()
    guard answer.hasPrefix(wanted) else { throw Failure(description: "the private dockerd answered '\(answer)' to \(word)") }
  }

  // MARK: Images

  /// Makes an image whose `run.sh` is this script, and gives its name. The same script gives the same image.
  package func makeImage(runScript: String) async throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-image-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = folder.appending(path: "run.sh")
    try Data(runScript.utf8).write(to: program)
    let name = "test/\(UUID().uuidString.lowercased())"
    try await makeImage(of: program, as: "\(name):1")
    return "\(name):1"
  }

  /// Makes an image of a program that becomes its `run.sh`.
  /// - Parameter name: `name:tag`.
  package func makeImage(of program: URL, as name: String) async throws {
    let parts = name.split(separator: ":").map(String.init)
    let command = """
      set -e; set -o pipefail; "$0" "$1" | curl --silent --show-error --fail --unix-socket "$2" -X POST -H 'Content-Type: application/x-tar' \
        --data-binary @- "http://docker/images/create?fromSrc=-&repo=$3&tag=$4"
      """
    let tool = Self.root.appending(path: "scripts/minimal-image").path(percentEncoded: false)
    try await Self.run("/bin/bash", ["-c", command, tool, program.path(percentEncoded: false), socket, parts[0], parts[1]])
  }

  // MARK: Parts

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func run(_ program: String, _ arguments: [String]) async throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    let said: String = try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        do {
          try process.run()
          let data = try output.fileHandleForReading.readToEnd() ?? Data()
          process.waitUntilExit()
          continuation.resume(returning: String(decoding: data, as: UTF8.self))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(arguments) ended with \(process.terminationStatus): \(said)")
    }
  }
}

/// The running script: words to it, lines from it.
private final class Script: Sendable {
  private let process: Process
  private let input = Pipe()
  private let output = Pipe()

  init(arguments: [String]) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    process = Process()
    process.executableURL = root.appending(path: "scripts/private-dockerd")
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    // `Process` hands down the signals that its thread has blocked, and dockerd hands them on to every container.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  func say(_ word: String) throws { try input.fileHandleForWriting.write(contentsOf: Data("\(word)\n".utf8)) }

  /// The next line; empty at the end.
  func answer() async throws -> String {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [output] in
        var line = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1), let first = byte.first, first != UInt8(ascii: "\n") {
          line.append(first)
        }
        continuation.resume(returning: String(decoding: line, as: UTF8.self))
      }
    }
  }

  func end() async {
    try? input.fileHandleForWriting.close()
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [process] in
        process.waitUntilExit()
        continuation.resume()
      }
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
