internal import Foundation
package import Logging
internal import Subprocess
internal import SystemPackage

/// A socket of this machine that OpenSSH forwards to the daemon of another one, for as long as a task runs. It is set up again whenever it breaks.
///
/// Keys, agents, jump hosts and known hosts are ssh's own affair (`~/.ssh/config` of RunnerHub's user): nothing is asked for, so a host whose
/// key is not known is refused.
package struct SSHTunnel: Sendable {
  private let destination: SSHDestination
  /// Of this machine: what the Docker client connects to.
  package let socket: String
  private let program: String
  private let options: [String]
  private let logger: Logger
  private static let pause: Duration = .seconds(2)

  /// - Parameters:
  ///   - folder: for the sockets; short, since the path of one has 107 bytes at most, and nobody else's.
  ///   - name: of the host, unique in the folder.
  ///   - program: `ssh`, or another of its kind.
  ///   - options: for ssh, before all others.
  package init(
    to destination: SSHDestination, folder: String, name: String, program: String = "ssh", options: [String] = [], logger: Logger
  ) {
    self.destination = destination
    socket = "\(folder)/\(name).sock"
    self.program = program
    self.options = options
    self.logger = logger
  }

  private var control: String { socket.dropLast(5) + ".ctl" }

  private var target: [String] {
    (destination.port.map { ["-p", "\($0)"] } ?? []) + ["--", (destination.user.map { "\($0)@" } ?? "") + destination.host]
  }

  /// Keeps the tunnel up until cancelled.
  package func run() async throws {
    // One that a process before this has left, as after SIGKILL.
    await leave()
    while !Task.isCancelled {
      do {
        let outcome = try await ssh(
          ["-M", "-N", "-T", "-L", "\(socket):\(destination.socket)"]
            + [
              "BatchMode=yes", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes", "StreamLocalBindMask=0177", "ConnectTimeout=15",
              "ServerAliveInterval=15", "ServerAliveCountMax=3", "ControlPersist=no",
            ].flatMap { ["-o", $0] })
        logger.warning("the tunnel to a Docker host ended", metadata: ["host": "\(destination)", "because": "\(outcome)"])
      } catch {
        if Task.isCancelled { return }
        logger.error("ssh cannot be run", metadata: ["host": "\(destination)", "error": "\(error)"])
      }
      try await Task.sleep(for: Self.pause)
    }
  }

  private func leave() async {
    guard FileManager.default.fileExists(atPath: control) else { return }
    do {
      let outcome = try await ssh(["-O", "exit"])
      logger.debug("a former tunnel was ended", metadata: ["host": "\(destination)", "answer": "\(outcome)"])
    } catch {
      logger.warning("a former tunnel may still stand", metadata: ["host": "\(destination)", "error": "\(error)"])
    }
  }

  /// - Returns: its last words, or how it ended.
  private func ssh(_ arguments: [String]) async throws -> String {
    var platform = PlatformOptions()
    platform.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(3))]
    let outcome = try await Subprocess.run(
      .name(program), arguments: Arguments(options + ["-S", control] + arguments + target), platformOptions: platform,
      output: .discarded, error: .string(limit: 16 << 10))
    let words = outcome.standardError.split(separator: "\n").suffix(3).joined(separator: "; ")
    return words.isEmpty ? "\(outcome.terminationStatus)" : words
  }
}
