package import Foundation

/// A new plugin that works and passes `plugin test` at once, with a mark where its author's own code goes.
package struct PluginTemplate: Sendable {
  package enum Language: String, CaseIterable, Sendable { case shell, python, lua, swift }

  package struct Refusal: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  private let kind: PluginKind
  private let language: Language
  private let name: String

  package init(kind: PluginKind, language: Language, name: String) throws(Refusal) {
    guard PluginManifest.isName(name) else {
      throw Refusal(
        description: "'\(PluginText.line(name, limit: 80))' cannot be a plugin's name: expected 1 to 32 lower-case letters, digits and -")
    }
    if let reason = Self.reason(against: kind) { throw Refusal(description: reason) }
    self.kind = kind
    self.language = language
    self.name = name
  }

  /// Why there is no template of a kind.
  private static func reason(against kind: PluginKind) -> String? {
    switch kind {
    case .notifier, .observer, .secrets: nil
    case .engine, .source:
      "there is no template for the kind \(kind.rawValue): begin with a copy of one of the examples in plugins/, and see docs/plugin-protocol.md for its messages"
    case .garmProvider:
      "a garm-provider is an unmodified external provider of GARM, written to GARM's contract: put it into a folder with a plugin.yaml, as docs/plugin-protocol.md shows"
    }
  }

  /// Writes the plugin into a folder of its name.
  /// - Returns: the names of its files.
  /// - Throws: `Refusal` where the folder is there already, or cannot be written.
  package func write(into parent: URL) throws(Refusal) -> [String] {
    let folder = parent.appending(path: name, directoryHint: .isDirectory)
    guard !FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)) else {
      throw Refusal(description: "\(folder.relativePath) is there already, and nothing is overwritten: choose another name")
    }
    do {
      for file in files {
        let place = folder.appending(path: file.path)
        try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: place)
        try FileManager.default.setAttributes(
          [.posixPermissions: file.isProgram ? 0o755 : 0o644], ofItemAtPath: place.path(percentEncoded: false))
      }
    } catch {
      throw Refusal(description: "\(folder.relativePath) cannot be written: \(error.localizedDescription)")
    }
    return files.map(\.path)
  }

  // MARK: - Files

  private struct File {
    var path: String
    var text: String
    var isProgram = false
  }

  /// What an author looks at first comes first.
  private var files: [File] {
    [File(path: "plugin.yaml", text: manifest)] + programs + [
      File(path: "test_\(name).yaml", text: test), File(path: "README.md", text: readme),
    ]
  }

  private var programs: [File] {
    func template(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).replacing("NAME", with: name) }
    let kind = kind
    func handler(_ notifier: [UInt8], _ observer: [UInt8], _ secrets: [UInt8]) -> String {
      template(kind == .notifier ? notifier : kind == .observer ? observer : secrets)
    }
    switch language {
    case .shell:
      return [
        File(
          path: "\(name).sh", text: handler(PackageResources.notifier_sh, PackageResources.observer_sh, PackageResources.secrets_sh),
          isProgram: true),
        File(path: "protocol.sh", text: template(PackageResources.protocol_sh)),
      ]
    case .python:
      return [
        File(
          path: "\(name).py", text: handler(PackageResources.notifier_py, PackageResources.observer_py, PackageResources.secrets_py),
          isProgram: true),
        File(path: "protocol.py", text: template(PackageResources.protocol_py)),
      ]
    case .lua:
      return [
        File(
          path: "\(name).lua", text: handler(PackageResources.notifier_lua, PackageResources.observer_lua, PackageResources.secrets_lua)),
        File(path: "protocol.lua", text: template(PackageResources.protocol_lua)),
        File(path: "json.lua", text: template(PackageResources.json_lua)),
      ]
    case .swift:
      let type = kind == .notifier ? "Notifier" : kind == .observer ? "Observer" : "Secrets"
      return [
        File(
          path: "Sources/\(type).swift",
          text: handler(PackageResources.notifier_swift_txt, PackageResources.observer_swift_txt, PackageResources.secrets_swift_txt)),
        File(path: "Sources/main.swift", text: "var plugin = \(type)()\ntry plugin.run()\n"),
        File(path: "Sources/Protocol.swift", text: template(PackageResources.Protocol_swift_txt)),
        File(path: "Package.swift", text: template(PackageResources.Package_swift_txt)),
      ]
    }
  }

  private var command: String {
    switch language {
    case .shell: "[./\(name).sh]"
    case .python: "[python3, -B, ./\(name).py]"
    case .lua: "[lua5.4, ./\(name).lua]"
    case .swift: "[./.build/release/\(name)]"
    }
  }

  private var summary: String {
    switch kind {
    case .notifier: "Tells people of alerts."
    case .observer: "Is told what happens."
    default: "Keeps secrets that the configuration names."
    }
  }

  private var manifest: String {
    // Python's helper answers each call in a thread of its own; the others answer one at a time.
    var lines = [
      "name: \(name)", "version: \"1.0.0\"", "kind: \(kind.rawValue)", "summary: \(summary)", "command: \(command)",
      "concurrency: \(language == .python ? 8 : 1)",
      "# What it may do beyond its own files, for the operator to grant: network, environment:NAME, read:/path, write:/path, events:KIND.",
      kind == .observer ? "abilities: [events:job]" : "abilities: []",
    ]
    switch kind {
    case .notifier:
      lines += [
        "# JSON Schema of what runnerhub.yaml may say. Mark what is secret with writeOnly: true.", "configuration:", "  type: object",
        "  additionalProperties: false", "  properties:", "    prefix:", "      description: Put before each alert.", "      type: string",
        "      maxLength: 40",
      ]
    case .secrets:
      lines += [
        "# JSON Schema of what runnerhub.yaml may say. What is secret is writeOnly.", "configuration:", "  type: object",
        "  additionalProperties: false", "  required: [values]", "  properties:", "    values:",
        "      description: Secrets by PATH or PATH#FIELD.",
        "      type: object", "      additionalProperties: {type: string, writeOnly: true}",
      ]
    default: break
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var test: String {
    let lines: [String] =
      switch kind {
      case .notifier: ["configuration: {prefix: \"RunnerHub: \"}", "invalid:", "  - {prefix: 7}", "  - {prefixes: \"x\"}"]
      case .secrets:
        [
          "configuration: {values: {team/token: sesame, \"team/user#name\": ada}}", "invalid:", "  - {}", "  - {values: {team/token: 7}}",
          "secret: {path: team/token}",
        ]
      default: []
      }
    let example = [
      "# Tests of your own, in order and in one process. A result must have at least what is written here; … stands for anything.",
      "# tests:",
      "#   - name: it is well", "#     call: health", "#     with: {}", "#     result: {status: ok}",
    ]
    return (lines + example).joined(separator: "\n") + "\n"
  }

  private var readme: String {
    let build = language == .swift ? "Build it first: `swift build -c release`.\n\n" : ""
    return """
      # \(name)

      \(summary)

      Your own code goes where \(programs[0].path) says `YOUR CODE`; the `\(language == .swift ? "Sources/Protocol.swift" : programs[1].path)` beside it speaks the protocol, and need not be changed.

      \(build)```
      runnerhub plugin test \(name)
      ```

      In `runnerhub.yaml`:

      ```yaml
      plugins:
        \(name):
          grant: \(kind == .observer ? "[events:job]" : "[]")
      \(kind == .secrets ? "    configuration: {values: {team/token: sesame}}\n" : kind == .notifier ? "    configuration: {prefix: \"RunnerHub: \"}\n" : "")```
      """ + "\n"
  }
}
