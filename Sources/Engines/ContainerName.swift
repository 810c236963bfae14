internal import Domain
internal import RunnerHub

/// What a container may be called: a word that is safe in a path, in an address and as a host's name.
enum ContainerName {
  static func isName(_ text: String) -> Bool {
    let isWord = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    return (2...63).contains(text.utf8.count) && isWord
  }

  /// - Throws: `invalid`.
  static func check(_ id: ContainerID) throws(EngineError) {
    guard isName(id.rawValue) else { throw .invalid("'\(id)' is no container's name: 2 to 63 characters of a-z, 0-9 and -") }
  }
}
