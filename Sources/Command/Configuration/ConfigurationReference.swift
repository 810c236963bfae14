/// The documentation of the configuration, written by the schema itself. `docs/configuration.md` is this text; a test compares them.
enum ConfigurationReference {
  static var markdown: String {
    var lines = [
      "# Configuration", "",
      "`runnerhub.yaml`, overridden by the environment, overridden by flags (`--KEY VALUE`).",
      "This page is written by the schema: `runnerhub config reference > docs/configuration.md`.", "",
      "| Key | Environment | Default | Value | Meaning |", "|---|---|---|---|---|",
    ]
    for key in ConfigurationSchema.keys {
      let environment = key.environment.map { "`\($0)`" + (key.isSecret ? ", `\($0)_FILE`" : "") } ?? ""
      let path = key.isSecret ? "`\(key.path)`, `\(key.path)-file`" : "`\(key.path)`"
      lines.append("| \(path) | \(environment) | \(key.standard.map { "`\($0)`" } ?? "") | \(key.kind.expectation) | \(key.summary) |")
    }
    lines += [
      "",
      "`*` stands for a name of your own: lower-case letters, digits and `-`, at most 32. Pools are tried in the order in which they first appear; without any there is one, `default`.",
      "A key may be written in levels or at once (`pools.linux.maximum: 4`). Secrets can come from files, whose last line break is left out; a secret and its file, set in the same place, are an error. An empty environment variable counts as not set.",
      "What this version cannot serve (`postgresql://`, `redis://`) is refused at start.",
    ]
    return lines.joined(separator: "\n")
  }
}
