internal import Foundation
internal import JSON

/// Writes what is said between the host and a plugin, a line of JSON each (`docs/plugin-protocol/record.json`). Values that the manifest's schema
/// calls secrets, and those that a plugin of kind secrets tells, are masked.
final class PluginRecorder {
  static let mask = "***"
  private let file: FileHandle
  private let start = ContinuousClock.now

  init(_ url: URL) throws(KitFailure) {
    do {
      try Data().write(to: url)
      file = try FileHandle(forWritingTo: url)
    } catch {
      throw KitFailure("\(url.relativePath) cannot be written: \(error.localizedDescription)")
    }
  }

  /// The lines of one process.
  final class Session {
    private let recorder: PluginRecorder
    private let secrets: JSONSchema?
    private let isSecretsPlugin: Bool

    fileprivate init(_ recorder: PluginRecorder, _ manifest: PluginManifest) {
      self.recorder = recorder
      isSecretsPlugin = manifest.kind == .secrets
      do throws(JSONSchema.Refusal) {
        secrets = if let schema = manifest.configuration { try JSONSchema(schema) } else { nil }
      } catch {
        // A manifest is not read with a schema that cannot be used.
        secrets = nil
      }
      let header: [String: JSONValue] = [
        "record": .integer(1), "plugin": .string(manifest.name), "version": .string(manifest.version),
        "kind": .string(manifest.kind.rawValue),
        "volatile": .array([]),
      ]
      recorder.write(header)
    }

    /// - Parameter values: what stands for places and ports of this run.
    func heard(_ side: PluginWire.Side, _ line: String, values: [String: String]) {
      var text = masked(line)
      for (name, value) in values.sorted(by: { $0.value.count > $1.value.count }) where value.count > 3 {
        text = text.replacingOccurrences(of: value, with: "${\(name)}")
      }
      let seconds = (ContinuousClock.now - recorder.start) / .seconds(1)
      recorder.write(["at": .number((seconds * 1000).rounded() / 1000), "from": .string(side.rawValue), "line": .string(text)])
    }

    private func masked(_ line: String) -> String {
      // Few lines hold what is masked; the others need not be read.
      guard line.utf8.count < 256 << 10 || line.range(of: "\"configuration\"") != nil || isSecretsPlugin else { return line }
      guard let message = PluginRecorder.value(line) else { return line }
      var places: [JSONPointer] = []
      if let configuration = message["params"]?["configuration"], let secrets {
        places += secrets.secretPlaces(in: configuration).compactMap(JSONPointer.init(text:)).map {
          JSONPointer(["params", "configuration"] + $0.steps)
        }
      }
      if isSecretsPlugin, message["result"]?["value"] != nil { places.append(JSONPointer(["result", "value"])) }
      guard !places.isEmpty else { return line }
      return PluginRecorder.text(places.reduce(message) { $0.replacing($1.steps[...], with: .string(PluginRecorder.mask)) }) ?? line
    }
  }

  func session(of manifest: PluginManifest) -> Session { Session(self, manifest) }

  private func write(_ members: [String: JSONValue]) {
    guard let text = Self.text(.object(members)) else { return }
    file.write(Data((text + "\n").utf8))
  }

  static func value(_ text: String) -> JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }

  static func text(_ value: JSONValue) -> String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension JSONValue {
  /// With another value at a place; as it is where there is no such place.
  func replacing(_ steps: ArraySlice<String>, with value: JSONValue) -> JSONValue {
    guard let step = steps.first else { return value }
    switch self {
    case .object(var members):
      guard let member = members[step] else { return self }
      members[step] = member.replacing(steps.dropFirst(), with: value)
      return .object(members)
    case .array(var items):
      guard let index = Int(step), items.indices.contains(index) else { return self }
      items[index] = items[index].replacing(steps.dropFirst(), with: value)
      return .array(items)
    default: return self
    }
  }
}
