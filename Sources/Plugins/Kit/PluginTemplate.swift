package import Foundation

/// A new plugin that works and passes `plugin test` at once, with a mark where its author's own code goes.
package struct PluginTemplate: Sendable {
  package enum Language: String, CaseIterable, Sendable { case shell, python, lua, swift }

  package struct Refusal: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  /// One file of a plugin's folder.
  struct File {
    var path: String
    var text: String
    var isProgram = false
  }

  let kind: PluginKind
  let language: Language
  let name: String

  package init(kind: PluginKind, language: Language, name: String) throws(Refusal) {
    guard PluginManifest.isName(name) else {
      throw Refusal(
        description: "'\(PluginText.line(name, limit: 80))' cannot be a plugin's name: expected 1 to 32 lower-case letters, digits and -")
    }
    self.kind = kind
    self.language = language
    self.name = name
    guard !namesInUse.contains(name) else {
      throw Refusal(
        description: "a plugin in \(language.rawValue) cannot be called \(name): its program would hide what it needs; choose another name")
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

  /// What an author looks at first comes first.
  private var files: [File] {
    [File(path: "plugin.yaml", text: manifest)] + programs + beside + [
      File(path: "test_\(name).yaml", text: test), File(path: "README.md", text: readme),
    ]
  }

  /// The author's own program, and then what it is built on.
  var programs: [File] {
    switch language {
    case .shell: [File(path: "\(name).sh", text: handler, isProgram: true)] + helpers
    case .python: [File(path: "\(name).py", text: handler, isProgram: true)] + helpers
    case .lua: [File(path: "\(name).lua", text: handler)] + helpers
    case .swift:
      [File(path: "Sources/\(type).swift", text: handler), File(path: "Sources/main.swift", text: entry)] + helpers + [
        File(path: "Package.swift", text: text(PackageResources.Package_swift_txt))
      ]
    }
  }

  /// The type that a program in Swift has.
  private var type: String {
    switch kind {
    case .notifier: "Notifier"
    case .observer: "Observer"
    case .secrets: "Secrets"
    case .engine: "Engine"
    case .source: "Source"
    case .garmProvider: "Provider"
    }
  }

  private var entry: String {
    kind == .garmProvider ? "import Foundation\n\nexit(Provider.main())\n" : "var plugin = \(type)()\ntry plugin.run()\n"
  }

  /// Whether it starts processes.
  private var needsProcesses: Bool { kind == .engine || kind == .garmProvider }

  private var helpers: [File] {
    var files: [File] = []
    func add(_ path: String, _ bytes: [UInt8], if isNeeded: Bool = true) {
      if isNeeded { files.append(File(path: path, text: text(bytes))) }
    }
    // GARM's contract is one call of the program for each operation: nothing of our protocol but how its shell reads JSON.
    let speaksProtocol = kind != .garmProvider
    switch language {
    case .shell:
      add("protocol.sh", PackageResources.protocol_sh)
      add("processes.sh", PackageResources.processes_sh, if: needsProcesses)
    case .python:
      add("protocol.py", PackageResources.protocol_py, if: speaksProtocol)
      add("processes.py", PackageResources.processes_py, if: needsProcesses)
    case .lua:
      add("protocol.lua", PackageResources.protocol_lua, if: speaksProtocol)
      // It asks the queue by a program, as it starts containers.
      add("processes.lua", PackageResources.processes_lua, if: needsProcesses || kind == .source)
      add("json.lua", PackageResources.json_lua)
    case .swift:
      add("Sources/Protocol.swift", PackageResources.Protocol_swift_txt, if: speaksProtocol)
      add("Sources/Processes.swift", PackageResources.Processes_swift_txt, if: needsProcesses || kind == .source)
    }
    return files
  }

  /// What its test needs.
  private var beside: [File] {
    switch kind {
    case .engine, .garmProvider: [File(path: "image/run.sh", text: "#!/bin/sh\necho \"the runner would run here\"\n", isProgram: true)]
    case .source: [File(path: "stand_in.py", text: text(PackageResources.stand_in_py))]
    case .notifier, .observer, .secrets: []
    }
  }

  /// Modules that programs in Python import, and a folder: a file of that name would be found instead.
  private var namesInUse: Set<String> {
    switch language {
    case .shell, .lua: ["processes", "protocol", "json"]
    case .python:
      [
        "base64", "contextlib", "http", "json", "os", "processes", "protocol", "re", "signal", "subprocess", "sys", "threading", "time",
        "urllib",
      ]
    case .swift: []
    }
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).replacing("NAME", with: name) }

  private var handler: String { text(handlerBytes) }

  private var handlerBytes: [UInt8] {
    switch (kind, language) {
    case (.notifier, .shell): PackageResources.notifier_sh
    case (.notifier, .python): PackageResources.notifier_py
    case (.notifier, .lua): PackageResources.notifier_lua
    case (.notifier, .swift): PackageResources.notifier_swift_txt
    case (.observer, .shell): PackageResources.observer_sh
    case (.observer, .python): PackageResources.observer_py
    case (.observer, .lua): PackageResources.observer_lua
    case (.observer, .swift): PackageResources.observer_swift_txt
    case (.secrets, .shell): PackageResources.secrets_sh
    case (.secrets, .python): PackageResources.secrets_py
    case (.secrets, .lua): PackageResources.secrets_lua
    case (.secrets, .swift): PackageResources.secrets_swift_txt
    case (.engine, .shell): PackageResources.engine_sh
    case (.engine, .python): PackageResources.engine_py
    case (.engine, .lua): PackageResources.engine_lua
    case (.engine, .swift): PackageResources.engine_swift_txt
    case (.source, .shell): PackageResources.source_sh
    case (.source, .python): PackageResources.source_py
    case (.source, .lua): PackageResources.source_lua
    case (.source, .swift): PackageResources.source_swift_txt
    case (.garmProvider, .shell): PackageResources.garm_provider_sh
    case (.garmProvider, .python): PackageResources.garm_provider_py
    case (.garmProvider, .lua): PackageResources.garm_provider_lua
    case (.garmProvider, .swift): PackageResources.garm_provider_swift_txt
    }
  }
}
