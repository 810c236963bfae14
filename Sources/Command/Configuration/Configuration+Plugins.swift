import Domain
import Foundation
import JSON
import Plugins

extension Configuration {
  var pluginsFolder: URL { URL(filePath: values["plugins.directory"]?.text ?? "plugins", directoryHint: .isDirectory) }

  /// What is said of each plugin, in the order of the file.
  var plugins: [PluginPlan] { (names["plugins"] ?? []).map(plugin) }

  private func plugin(_ name: String) -> PluginPlan {
    let section = "plugins.\(name)"
    func text(_ key: String) -> String? { values["\(section).\(key)"]?.text }
    var bounds = PluginBounds()
    if let memory = text("memory").flatMap(ByteCount.init(text:)) { bounds.memory = memory }
    if let memory = text("total-memory").flatMap(ByteCount.init(text:)) { bounds.totalMemory = memory }
    // Where nobody says another thing, all may have what one of them may.
    if values["\(section).total-memory"].map({ $0.place == .standard }) ?? true {
      bounds.totalMemory = max(bounds.totalMemory, bounds.memory)
    }
    if let disk = text("disk").flatMap(ByteCount.init(text:)) { bounds.disk = disk }
    if let processes = text("processes").flatMap(Int.init) { bounds.processes = processes }
    let places = trees["\(section).configuration"] ?? [:]
    return PluginPlan(
      name: name, isEnabled: text("enabled") == "true", grants: Set(grants(section).compactMap { try? PluginAbility(text: $0) }),
      configuration: text("configuration").flatMap(ConfigurationTree.init(text:))?.value ?? .object([:]), bounds: bounds,
      place: "\(sections[section] ?? values["\(section).enabled"]?.place ?? .standard)", places: places.mapValues { "\($0)" })
  }

  private func grants(_ section: String) -> [String] { Self.list(values["\(section).grant"]?.text ?? "") }

  /// Grants that are none.
  var pluginProblems: [String] {
    (names["plugins"] ?? []).flatMap { name in
      grants("plugins.\(name)").compactMap { text -> String? in
        do throws(PluginAbility.Refusal) {
          _ = try PluginAbility(text: text)
          return nil
        } catch {
          let place = values["plugins.\(name).grant"].map { "\($0.place)" } ?? "not set"
          return "plugins.\(name).grant (\(place)): \(error)"
        }
      }
    }
  }
}
