internal import Foundation
internal import JSON
internal import RunnerHub

/// The shell scripts that machines get. Pure.
struct MachineScripts: Sendable {
  /// `init.sh`, PID 1 of a runner environment.
  var firstProcess: Data
  var metadataURL: String
  var callbackURL: String

  /// What the provider gets in place of its own script: a Go template that fetches the real one, so that this stays with us.
  static var wrapper: Data { Data(PackageResources.wrapper_sh) }

  /// What a provider is given as extra specs: the pool's own, and the wrapper unless the operator has one.
  static func extraSpecs(of pool: GarmPool) -> JSONValue {
    var members: [String: JSONValue] = [:]
    if case .object(let own) = pool.extraSpecs { members = own }
    if members["runner_install_template"] == nil { members["runner_install_template"] = .string(wrapper.base64EncodedString()) }
    return .object(members)
  }

  /// The script of one machine.
  func install(token: String, home: String, tool: BootstrapInstance.Tool) -> Data {
    let values = [
      ("metadata", metadataURL), ("callback", callbackURL), ("token", token), ("home", home), ("url", tool.downloadURL),
      ("checksum", tool.checksum), ("pid1", firstProcess.base64EncodedString()),
    ]
    let head = "#!/bin/sh\n" + values.map { "\($0.0)=\(Self.quoted($0.1))\n" }.joined()
    return Data(head.utf8) + Data(PackageResources.machine_sh)
  }

  /// A script that puts files below the folder where it runs, in order, each whole before the next.
  static func putting(_ files: [RunnerFile]) -> Data {
    var lines = ["set -eu", "umask 077"]
    for file in files {
      let path = quoted("./" + file.path)
      let mode = String(file.mode & 0o777, radix: 8)
      if let slash = file.path.lastIndex(of: "/") { lines.append("mkdir -p \(quoted("./" + file.path[..<slash]))") }
      lines.append("base64 -d >.runnerhub-new <<'END'")
      lines.append(file.contents.base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed]))
      lines.append("END")
      lines.append("chmod \(mode) .runnerhub-new && mv -f .runnerhub-new \(path)")
    }
    return Data((lines.joined(separator: "\n") + "\n").utf8)
  }

  static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

  /// For the stock script, which installs the runner as a service.
  static func unitFile(machine: String, home: String, user: String) -> String {
    """
    [Unit]
    Description=GitHub Actions Runner (\(machine))
    After=network.target

    [Service]
    ExecStart=\(home)/runsvc.sh
    User=\(user)
    WorkingDirectory=\(home)
    KillMode=process
    KillSignal=SIGTERM
    TimeoutStopSec=5min

    [Install]
    WantedBy=multi-user.target

    """
  }
}
