internal import Domain
package import Foundation
package import JSON

/// What `runnerhub.yaml` says of one plugin.
package struct PluginPlan: Hashable, Sendable {
  package var name: String
  package var isEnabled: Bool
  package var grants: Set<PluginAbility>
  /// As it is written: secrets are references.
  package var configuration: JSONValue
  package var bounds: PluginBounds
  /// Where its section stands: `runnerhub.yaml:31:3`.
  package var place: String
  /// Where members of `configuration` stand, by JSON pointer.
  package var places: [String: String]

  package init(
    name: String, isEnabled: Bool = true, grants: Set<PluginAbility> = [], configuration: JSONValue = .object([:]),
    bounds: PluginBounds = PluginBounds(), place: String = "runnerhub.yaml", places: [String: String] = [:]
  ) {
    self.name = name
    self.isEnabled = isEnabled
    self.grants = grants
    self.configuration = configuration
    self.bounds = bounds
    self.place = place
    self.places = places
  }

  /// The place of a member, or of the nearest one around it.
  package func place(of pointer: String) -> String {
    var pointer = pointer[...]
    while true {
      if let place = places[String(pointer)] { return place }
      guard let slash = pointer.lastIndex(of: "/") else { return place }
      pointer = pointer[..<slash]
    }
  }
}

/// What keeps a plugin from being started: every reason, with its place and what to do.
package struct PluginRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  package var problems: [String]
  package var description: String { problems.joined(separator: "\n") }

  package init(problems: [String]) { self.problems = problems }
}

/// A plugin that may be started.
package struct CheckedPlugin: Hashable, Sendable {
  package var manifest: PluginManifest
  package var plan: PluginPlan
  package var folder: URL
  /// The absolute path of its program, and the arguments.
  package var command: [String]

  /// Reads the folder, and holds against it what the operator wrote.
  /// - Throws: `PluginRefusal` with everything that is wrong.
  package static func check(folder: URL, plan: PluginPlan) throws(PluginRefusal) -> CheckedPlugin {
    guard FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)) else {
      throw PluginRefusal(problems: [
        "\(plan.place): there is no folder \(folder.relativePath): put the plugin there, or take plugins.\(plan.name) out"
      ])
    }
    let manifest: PluginManifest
    do {
      manifest = try PluginManifest.read(folder: folder)
    } catch {
      throw PluginRefusal(problems: error.problems)
    }
    var problems = grantProblems(manifest, plan) + configurationProblems(manifest, plan)
    problems += commandProblems(manifest, folder)
    guard problems.isEmpty, let program = PluginProgram.resolve(manifest.command[0], in: folder) else {
      throw PluginRefusal(problems: problems)
    }
    return CheckedPlugin(
      manifest: manifest, plan: plan, folder: folder,
      command: [program] + manifest.command.dropFirst().map { PluginProgram.located($0, in: folder) })
  }

  /// What is wrong with its program.
  package static func commandProblems(_ manifest: PluginManifest, _ folder: URL) -> [String] {
    let file = folder.appending(path: PluginManifest.file).relativePath
    func isOfFolder(_ word: String) -> Bool {
      !word.hasPrefix("/") && !word.hasPrefix("./")
        && FileManager.default.fileExists(atPath: folder.appending(path: word).path(percentEncoded: false))
    }
    var problems = manifest.command.filter(isOfFolder).map {
      "\(file): the command names \($0): write ./\($0) for a file of the plugin's folder"
    }
    if problems.isEmpty, PluginProgram.resolve(manifest.command[0], in: folder) == nil {
      let word = manifest.command[0]
      problems.append(
        word.contains("/")
          ? "\(file): the command \(word) is no program that can be run: is it there, and executable (chmod +x)?"
          : "\(file): the command \(word) is in none of \(PluginProgram.path): install it, or name a program of the folder by ./\(word)")
    }
    return problems
  }

  /// What it asks for beyond what it is granted, with the line to add.
  private static func grantProblems(_ manifest: PluginManifest, _ plan: PluginPlan) -> [String] {
    let missing = manifest.abilities.subtracting(plan.grants).texts
    guard !missing.isEmpty else { return [] }
    return [
      "\(plan.place): \(plan.name) asks for \(missing.joined(separator: ", ")), which it is not granted: write plugins.\(plan.name).grant: [\(manifest.abilities.texts.joined(separator: ", "))] where you agree"
    ]
  }

  private static func configurationProblems(_ manifest: PluginManifest, _ plan: PluginPlan) -> [String] {
    guard let schema = manifest.configuration else {
      if case .object(let members) = plan.configuration, !members.isEmpty {
        return ["\(plan.place(of: "")): plugins.\(plan.name).configuration is given, and \(plan.name) takes none"]
      }
      return []
    }
    do throws(JSONSchema.Refusal) {
      return try JSONSchema(schema).problems(in: plan.configuration).map { problem in
        let path = problem.pointer.split(separator: "/").map { ".\($0)" }.joined()
        return "\(plan.place(of: problem.pointer)): plugins.\(plan.name).configuration\(path): \(PluginText.line(problem.message))"
      }
    } catch {
      return ["\(manifest.name): its schema cannot be used: \(error)"]
    }
  }
}
