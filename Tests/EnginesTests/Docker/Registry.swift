import Contracts
import Foundation
import PrivateDocker

@testable import Engines

/// A docker-registry (Debian's) of a test's own.
struct Registry {
  /// `HOST:PORT`
  let address: String
  private let folder: URL

  /// Runs one while the body runs.
  /// - Parameter asksForLogIn: nobody is let in but `runner` with the password `sesame`.
  static func with(address host: String, asksForLogIn: Bool = false, _ body: (Registry) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-registry-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Above the ports that the kernel hands out.
    let port = Int.random(in: 61_000...64_999)
    let place = folder.path(percentEncoded: false)
    let text = """
      version: 0.1
      storage: {filesystem: {rootdirectory: \(place)data}}
      http: {addr: "\(host):\(port)"}
      log: {level: error}
      \(asksForLogIn ? "auth: {htpasswd: {realm: test, path: \(place)htpasswd}}" : "")

      """
    try Data(text.utf8).write(to: folder.appending(path: "registry.yml"))
    try Data("runner:$2b$04$3v2KnBRRlsllTFYjJgYR5Ogww/G5idEr7t7XC4WhgJHe1PvtAqhp2\n".utf8).write(to: folder.appending(path: "htpasswd"))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/docker-registry")
    process.arguments = ["serve", "\(place)registry.yml"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      // `Process` hands down blocked signals, so SIGTERM would not do.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let ready: Set<Int32> = asksForLogIn ? [22] : [0]
    _ = try await eventually("the registry") { ready.contains(try await curl(["http://\(host):\(port)/v2/"])) ? true : nil }
    try await body(Registry(address: "\(host):\(port)", folder: folder))
  }

  /// Pushes an image of a daemon, and takes it away there.
  func push(_ image: String, as name: String, tag: String, from docker: PrivateDocker, logIn: String = "e30=") async throws {
    let name = "\(address)/\(name)"
    for path in ["images/\(image)/tag?repo=\(name)&tag=\(tag)", "images/\(name)/push?tag=\(tag)"] {
      // Docker wants a log-in also where the registry does not: `{}`.
      let status = try await Self.curl([
        "--unix-socket", docker.socket, "-X", "POST", "-H", "X-Registry-Auth: \(logIn)", "http://docker/\(path)",
      ])
      guard status == 0 else { throw DockerFailure.unreadable("curl ended with \(status) for \(path)") }
    }
    for gone in ["\(name):\(tag)", image] {
      _ = try await Self.curl(["--unix-socket", docker.socket, "-X", "DELETE", "http://docker/images/\(gone)"])
    }
  }

  /// Changes a byte in the middle of the largest thing that was pushed.
  func spoilLargestBlob() throws {
    let blobs = folder.appending(path: "data/docker/registry/v2/blobs").path(percentEncoded: false)
    let files = try FileManager.default.subpathsOfDirectory(atPath: blobs).filter { $0.hasSuffix("/data") }.map {
      URL(filePath: "\(blobs)/\($0)")
    }
    let sizes = try files.map { ($0, try Data(contentsOf: $0)) }
    guard let largest = sizes.max(by: { $0.1.count < $1.1.count }) else { throw DockerFailure.unreadable("no blob in \(blobs)") }
    var data = largest.1
    data[data.count / 2] ^= 0xff
    try data.write(to: largest.0)
  }

  /// - Returns: its exit status; 22 for an answer of 400 or more.
  private static func curl(_ arguments: [String]) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/curl")
    process.arguments = ["--silent", "--fail", "--max-time", "60", "--output", "/dev/null"] + arguments
    process.standardInput = FileHandle.nullDevice
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
  }
}
