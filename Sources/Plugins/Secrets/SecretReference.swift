/// `secret://PLUGIN/PATH#FIELD`: where a value of the configuration is kept. It may be shown to people; what it stands for may not.
package struct SecretReference: Hashable, Sendable, CustomStringConvertible {
  package static let scheme = "secret://"

  /// The plugin of kind `secrets`.
  package var plugin: String
  /// As that plugin understands it: `secret/data/runnerhub`.
  package var path: String
  /// nil: the whole, where the plugin keeps single values.
  package var field: String?

  package init(plugin: String, path: String, field: String? = nil) {
    self.plugin = plugin
    self.path = path
    self.field = field
  }

  /// Whether a text means to be a reference.
  package static func isMeant(by text: String) -> Bool { text.hasPrefix(scheme) }

  /// - Throws: what is wrong with it, in words for an operator.
  package init(_ text: String) throws(SecretError) {
    let shape = "a secret is named as secret://PLUGIN/PATH#FIELD, such as secret://vault/secret/runnerhub#github-token"
    guard Self.isMeant(by: text), text.utf8.count <= 1024, text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
      throw SecretError("not a reference: \(shape)")
    }
    let halves = text.dropFirst(Self.scheme.count).split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let place = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard place.count == 2, !place[1].isEmpty else { throw SecretError("\(text) names no path: \(shape)") }
    guard (1...32).contains(place[0].utf8.count), place[0].allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }) else {
      throw SecretError("\(text) names no plugin: \(shape)")
    }
    guard halves.count == 1 || !halves[1].isEmpty else { throw SecretError("\(text) has a # and no field after it: \(shape)") }
    self.init(plugin: place[0], path: place[1], field: halves.count == 2 ? halves[1] : nil)
  }

  package var description: String { Self.scheme + plugin + "/" + path + (field.map { "#" + $0 } ?? "") }
}

/// Why a secret is not known. It never holds one.
package struct SecretError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
