import Contracts
import Foundation
import Glibc

/// An OpenSSH server of a test's own, on loopback, with keys that are made for it.
final class SSHServer: Sendable {
  let port: Int
  let user: String
  /// What lets a client in, and nothing of this machine's own configuration.
  let clientOptions: [String]
  private let folder: URL
  private let process: Process

  static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/sshd")

  static func start() async throws -> SSHServer {
    let folder = URL(filePath: "/tmp/rh-sshd-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let port = Int.random(in: 61_000...64_999)
    let place = folder.path(percentEncoded: false)
    // Where sshd separates its privileges; Debian's start-up script would make it.
    try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
    for key in ["host", "client"] {
      try run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(place)\(key)"])
    }
    let configuration = """
      ListenAddress 127.0.0.1:\(port)
      HostKey \(place)host
      AuthorizedKeysFile \(place)client.pub
      PidFile none
      StrictModes no
      UsePAM no
      PasswordAuthentication no
      AllowStreamLocalForwarding yes

      """
    try Data(configuration.utf8).write(to: folder.appending(path: "sshd_config"))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/sshd")
    process.arguments = ["-D", "-e", "-f", "\(place)sshd_config"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let log = folder.appending(path: "sshd.log")
    try Data().write(to: log)
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
    return SSHServer(folder: folder, port: port, process: process)
  }

  private init(folder: URL, port: Int, process: Process) {
    self.folder = folder
    self.port = port
    self.process = process
    user = NSUserName()
    clientOptions = [
      "-F", "/dev/null", "-i", folder.appending(path: "client").path(percentEncoded: false), "-o", "IdentitiesOnly=yes",
      "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
    ]
  }

  private static func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Certificates.Failure(description: "\(program) ended with \(process.terminationStatus)")
    }
  }

  /// Ends the servers of the connections that stand, which are children of the one that listens.
  func breakConnections() {
    for child in children(of: process.processIdentifier) { kill(child, SIGKILL) }
  }

  private func children(of parent: Int32) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap(Int32.init).filter { pid in
      guard let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
        let rest = String(decoding: stat, as: UTF8.self).split(separator: ")").last
      else { return false }
      return rest.split(separator: " ").dropFirst().first.flatMap { Int32($0) } == parent
    }
  }

  func end() {
    breakConnections()
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }
}
