import Foundation
import RunnerHub

/// The just-in-time configuration of a runner: base64 of a JSON map from file names to base64 contents
/// (actions/runner, `src/Runner.Listener/CommandSettings.cs` and `Program.cs`).
enum JITConfiguration {
  /// Only the runner's own user reads them.
  private static let mode: UInt16 = 0o400
  private static let maximumFiles = 32

  /// The files for the runner's home, in the order of their names.
  /// - Throws: `invalid` naming what is wrong, never a content.
  static func files(encoded: String) throws(ForgeError) -> [RunnerFile] {
    guard let json = Data(base64Encoded: encoded, options: .ignoreUnknownCharacters), !json.isEmpty else {
      throw .invalid("the just-in-time configuration is not base64")
    }
    let map: [String: String]
    do {
      map = try JSONDecoder().decode([String: String].self, from: json)
    } catch {
      throw .invalid("the just-in-time configuration is not a map of file names to contents: \(JSONFault(error))")
    }
    guard !map.isEmpty, map.count <= maximumFiles else {
      throw .invalid("the just-in-time configuration has \(map.count) files; 1 to \(maximumFiles) are expected")
    }
    var files: [RunnerFile] = []
    for (name, contents) in map.sorted(by: { $0.key < $1.key }) {
      guard isPlain(name) else {
        throw .invalid("the just-in-time configuration names a file outside of the runner's home")
      }
      guard let data = Data(base64Encoded: contents) else {
        throw .invalid("the file \(name) of the just-in-time configuration is not base64")
      }
      files.append(RunnerFile(path: name, contents: data, mode: mode))
    }
    return files
  }

  /// A name in the home itself: no folders, no climbing, nothing a shell or file system could read otherwise.
  private static func isPlain(_ name: String) -> Bool {
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
      default: false
      }
    }
    return allowed && !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 100
  }
}
