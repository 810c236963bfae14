package import JSON

/// `plugin.yaml`: what a plugin says of itself.
package struct PluginManifest: Hashable, Sendable {
  /// The name of its folder: 1 to 32 lower-case letters, digits and `-`.
  package var name: String
  /// As its author counts: `1.2.0`.
  package var version: String
  package var kind: PluginKind
  /// One line for people.
  package var summary: String
  /// The program and its arguments. A word that begins with `./` stands for a file of the plugin's folder; the program is otherwise an absolute path,
  /// or a word that is looked up in `/usr/local/bin:/usr/bin:/bin`.
  package var command: [String]
  /// JSON Schema of `configuration` in `runnerhub.yaml`; nil: it takes none.
  package var configuration: JSONValue?
  package var abilities: Set<PluginAbility>
  /// Calls under way at once at most: 1…64, 8 unless it says otherwise. Others wait in the host.
  package var concurrency: Int

  package init(
    name: String, version: String, kind: PluginKind, summary: String, command: [String], configuration: JSONValue? = nil,
    abilities: Set<PluginAbility> = [], concurrency: Int = 8
  ) {
    self.name = name
    self.version = version
    self.kind = kind
    self.summary = summary
    self.command = command
    self.configuration = configuration
    self.abilities = abilities
    self.concurrency = concurrency
  }
}
