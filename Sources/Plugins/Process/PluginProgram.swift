internal import CProcess
package import Foundation

/// What is run for a plugin, and what it may do.
package struct PluginProgram: Hashable, Sendable {
  /// An absolute path and its arguments.
  package var command: [String]
  /// The plugin's own files.
  package var folder: URL
  /// Where it works and keeps what it wants to find again.
  package var directory: URL
  /// The user that it runs as; nil: the host's.
  package var user: UInt32?
  package var abilities: Set<PluginAbility>
  /// Variables that were granted.
  package var environment: [String: String]
  package var bounds: PluginBounds
  /// What it starts outlives it, without its limits: an engine's containers. Otherwise all of it ends with the program.
  package var leavesChildren: Bool

  package init(
    command: [String], folder: URL, directory: URL, user: UInt32? = nil, abilities: Set<PluginAbility> = [],
    environment: [String: String] = [:], bounds: PluginBounds = PluginBounds(), leavesChildren: Bool = false
  ) {
    self.command = command
    self.folder = folder
    self.directory = directory
    self.user = user
    self.abilities = abilities
    self.environment = environment
    self.bounds = bounds
    self.leavesChildren = leavesChildren
  }

  /// Whether the kernel keeps a plugin from all files that it was not granted; otherwise only users and permissions do.
  package static var isConfinedByLandlock: Bool { rh_landlock_version() > 0 }

  /// Where programs are looked for, by the host and by the plugin.
  package static let path = "/usr/local/bin:/usr/bin:/bin"

  /// The absolute path of a manifest's program; nil: there is none that can be run.
  package static func resolve(_ word: String, in folder: URL) -> String? {
    let word = located(word, in: folder)
    let places = word.hasPrefix("/") ? [word] : path.split(separator: ":").map { "\($0)/\(word)" }
    return places.first { place in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) && !isFolder.boolValue
        && FileManager.default.isExecutableFile(atPath: place)
    }
  }

  /// A word of a command as the host sees it: `./x` is a file of the plugin's folder.
  package static func located(_ word: String, in folder: URL) -> String {
    word.hasPrefix("./") ? folder.appending(path: String(word.dropFirst(2))).path(percentEncoded: false) : word
  }

  /// Read and run by any program; not the homes of people, not the host's data.
  private static let system = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/proc", "/sys/devices/system/cpu", "/run/systemd/resolve",
    "/run/resolvconf", "/dev/urandom", "/dev/random", "/dev/zero", "/dev/full",
  ]

  /// What Landlock lets it read or run, at the places where the plugin sees it.
  func readable(folder: String) -> [String] {
    let granted = abilities.compactMap { if case .read(let path) = $0 { path } else { nil } }
    return Self.system + [folder] + granted.sorted()
  }

  func writable(directory: String) -> [String] {
    let granted = abilities.compactMap { if case .write(let path) = $0 { path } else { nil } }
    return [directory, "/dev/null", "/dev/shm"] + granted.sorted()
  }

  /// Nothing of the host's environment but what was granted.
  func variables(directory: String) -> [String: String] {
    let own = ["PATH": Self.path, "HOME": directory, "LANG": "C.UTF-8", "TMPDIR": directory + "/tmp"]
    return own.merging(environment) { own, _ in own }
  }
}
