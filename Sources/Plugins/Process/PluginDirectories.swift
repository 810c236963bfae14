package import Foundation
internal import Glibc

/// The private directories of plugins, and with root the user that each of them runs as: the owner of its directory is written down nowhere else.
package struct PluginDirectories: Sendable {
  /// Users that plugins run as where RunnerHub is root: above those of a Debian system, below those that containers are given.
  package static let users: ClosedRange<UInt32> = 70_000...70_999

  private let root: URL

  /// - Parameter root: a folder of the host's alone.
  package init(root: URL) { self.root = root }

  /// Makes the directory of a plugin where it is missing, with a folder `tmp` in it.
  /// - Returns: the directory, and the user; nil where it is the host's, since that is not root.
  /// - Throws: `notRunning` with the reason.
  package func prepare(_ name: String) throws(PluginError) -> (directory: URL, user: UInt32?) {
    let directory = root.appending(path: name, directoryHint: .isDirectory)
    let path = directory.path(percentEncoded: false)
    do {
      try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      guard geteuid() == 0 else {
        try Self.make(path, owner: nil)
        try Self.make(path + "tmp", owner: nil)
        return (directory, nil)
      }
      let owner = Self.owner(of: path)
      let user = try owner.flatMap { Self.users.contains($0) ? $0 : nil } ?? freeUser()
      try Self.make(path, owner: user)
      try Self.make(path + "tmp", owner: user)
      return (directory, user)
    } catch let error as PluginError {
      throw error
    } catch {
      throw .notRunning("its directory \(path) cannot be made: \(error)")
    }
  }

  /// The owner of a folder; nil: there is none.
  private static func owner(of path: String) -> UInt32? {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts.st_uid : nil
  }

  private func freeUser() throws -> UInt32 {
    let names = try FileManager.default.contentsOfDirectory(atPath: root.path(percentEncoded: false))
    let taken = Set(names.compactMap { Self.owner(of: root.appending(path: $0).path(percentEncoded: false)) })
    guard let free = Self.users.first(where: { !taken.contains($0) }) else {
      throw PluginError.notRunning("all \(Self.users.count) users for plugins have a directory below \(root.path(percentEncoded: false))")
    }
    return free
  }

  /// Makes a folder that only its owner may enter. The plugin may have put anything in its place: no link is followed.
  private static func make(_ path: String, owner: UInt32?) throws(PluginError) {
    let path = path.hasSuffix("/") ? String(path.dropLast()) : path
    if mkdir(path, 0o700) < 0, errno != EEXIST { throw failure("mkdir", path) }
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else { throw failure("open", path) }
    defer { close(folder) }
    guard let owner else { return }
    if fchown(folder, owner, owner) < 0 || fchmod(folder, 0o700) < 0 { throw failure("chown", path) }
  }

  private static func failure(_ call: String, _ path: String) -> PluginError {
    .notRunning("\(call) of \(path): \(String(cString: strerror(errno)))")
  }
}
