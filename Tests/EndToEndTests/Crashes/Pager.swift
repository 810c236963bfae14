import Foundation

/// A notifier that writes what it is told into a folder, a line each.
struct Pager: Sendable {
  private let folder: URL
  var plugins: URL { folder.appending(path: "plugins", directoryHint: .notDirectory) }
  var told: URL { folder.appending(path: "told", directoryHint: .notDirectory) }

  init() throws {
    let files = FileManager.default
    folder = files.temporaryDirectory.appending(path: "pager-\(UUID().uuidString)", directoryHint: .isDirectory)
    let plugin = plugins.appending(path: "pager", directoryHint: .isDirectory)
    try files.createDirectory(at: plugin, withIntermediateDirectories: true)
    // Plugins have users of their own.
    try files.createDirectory(at: told, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
    try files.setAttributes([.posixPermissions: 0o777], ofItemAtPath: told.path)
    try files.copyItem(at: Places.root.appending(path: "plugins/slack/protocol.py"), to: plugin.appending(path: "protocol.py"))
    try Data(
      """
      name: pager
      version: 1.0.0
      kind: notifier
      summary: Writes what it is told into a folder.
      command: [python3, ./pager.py]
      abilities: ["write:\(told.path(percentEncoded: false))"]
      configuration: { type: object, properties: { folder: { type: string } } }

      """.utf8
    ).write(to: plugin.appending(path: "plugin.yaml"))
    try Data(
      """
      from protocol import Plugin

      class Pager(Plugin):
          def start(self, configuration, parameters):
              self._file = configuration["folder"] + "/told"

          def methods(self):
              return {"notifier/notify": self.notify}

          def notify(self, parameters):
              with open(self._file, "a") as file:
                  file.write(parameters["alert"]["id"] + " " + parameters["event"] + "\\n")
              return {}

      Pager().run()

      """.utf8
    ).write(to: plugin.appending(path: "pager.py"))
  }

  /// In the order of the telling; repetitions too.
  func all() throws -> [String] {
    let file = told.appending(path: "told")
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  func remove() {
    // The folder of a test that is left harms nobody.
    try? FileManager.default.removeItem(at: folder)
  }
}
