/// A container image's name, normalised as Docker does: `node` is `docker.io/library/node`.
///
/// Grammar: the reference package of distribution (`github.com/distribution/reference`, `reference.go`), with its limits.
public struct ImageReference: Sendable, Hashable, CustomStringConvertible {
  /// Host, with its port where one is written.
  public let registry: String
  /// Path below the registry, lower case.
  public let repository: String
  /// Nil where none is written; Docker then takes `latest` unless there is a digest.
  public let tag: String?
  /// `algorithm:hex`.
  public let digest: String?

  /// `registry/repository`, without tag and digest.
  public var name: String { "\(registry)/\(repository)" }

  public var description: String { name + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

  /// Reads a reference as it stands in `container:`, `services:` or after `docker://`.
  public static func parse(_ text: String) throws(ImageReferenceError) -> ImageReference {
    var parser = ImageReferenceParser(text)
    return try parser.parse()
  }
}

/// Why a text is no image reference.
public struct ImageReferenceError: Error, Sendable, Equatable, CustomStringConvertible {
  public let reference: String
  public let reason: String

  public var description: String { "'\(reference)' is not an image reference: \(reason)" }
}

/// Takes a reference apart. ASCII only, so that nothing that merely looks alike gets through.
private struct ImageReferenceParser {
  private static let defaultRegistry = "docker.io"
  private static let maximumNameLength = 255
  private static let maximumTagLength = 128

  private let text: String

  init(_ text: String) { self.text = text }

  mutating func parse() throws(ImageReferenceError) -> ImageReference {
    if text.isEmpty { throw refused("it is empty") }
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw refused("it has blanks, control or non-ASCII characters") }
    if text.contains("://") { throw refused("it has a scheme; write HOST/NAME without 'https://'") }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    if parts.count > 2 { throw refused("it has more than one '@'") }
    let digest = parts.count == 2 ? try checkedDigest(parts[1]) : nil
    let (nameText, tag) = try splitTag(parts[0])
    let (registry, path) = try splitRegistry(nameText)
    let repository = registry == Self.defaultRegistry && !path.contains("/") ? "library/\(path)" : String(path)
    try checkPath(repository)
    if path.utf8.count == 64, path.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) {
      throw refused("64 hexadecimal digits are an image's id, not its name")
    }
    if registry.utf8.count + 1 + repository.utf8.count > Self.maximumNameLength {
      throw refused("its name is longer than \(Self.maximumNameLength)")
    }
    return ImageReference(registry: registry, repository: repository, tag: tag, digest: digest)
  }

  /// A colon after the last slash begins a tag; one before it belongs to the registry's port.
  private func splitTag(_ name: Substring) throws(ImageReferenceError) -> (Substring, String?) {
    let lastComponent = name.lastIndex(of: "/").map { name[name.index(after: $0)...] } ?? name
    guard let colon = lastComponent.firstIndex(of: ":") else { return (name, nil) }
    let tag = lastComponent[lastComponent.index(after: colon)...]
    guard let first = tag.utf8.first, isWord(first), tag.utf8.count <= Self.maximumTagLength,
      tag.utf8.allSatisfy({ isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
    else { throw refused("the tag '\(tag)' is not valid") }
    return (name[..<colon], String(tag))
  }

  /// The part before the first slash is a registry when it can be a host: it has a dot or a port, is `localhost`, or has upper case.
  private func splitRegistry(_ name: Substring) throws(ImageReferenceError) -> (String, Substring) {
    guard let slash = name.firstIndex(of: "/") else { return (Self.defaultRegistry, name) }
    let first = name[..<slash]
    let isHost = first.contains(".") || first.contains(":") || first == "localhost" || first.lowercased() != first
    guard isHost else { return (Self.defaultRegistry, name) }
    let host = try checkedHost(first)
    return (host == "index.docker.io" ? Self.defaultRegistry : host, name[name.index(after: slash)...])
  }

  /// A host name in lower case, and a port, which stays: to Docker `ghcr.io:443` is another registry than `ghcr.io`.
  private func checkedHost(_ text: Substring) throws(ImageReferenceError) -> String {
    if text.lowercased() != text { throw refused("the registry '\(text)' must be lower case") }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let host = parts.first else { throw refused("the registry '\(text)' is not valid") }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    let areLabelsValid = labels.allSatisfy { label in
      !label.isEmpty && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") } && label.first != "-" && label.last != "-"
    }
    guard areLabelsValid else { throw refused("the registry '\(text)' is not a host name") }
    guard parts.count == 2 else { return String(host) }
    guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(parts[1]), port > 0 else {
      throw refused("the registry's port '\(parts[1])' is not valid")
    }
    return "\(host):\(port)"
  }

  private func checkPath(_ path: String) throws(ImageReferenceError) {
    for component in path.split(separator: "/", omittingEmptySubsequences: false) {
      if component == "." || component == ".." { throw refused("it has a '\(component)' in its path") }
      if component.lowercased() != component { throw refused("the repository must be lower case") }
      guard isComponent(component.utf8) else { throw refused("'\(component)' is not a path component") }
    }
  }

  /// Alphanumeric runs with one `.`, one or two `_`, or any number of `-` between them.
  private func isComponent(_ component: Substring.UTF8View) -> Bool {
    guard let first = component.first, let last = component.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
    var separator: [UInt8] = []
    for byte in component {
      if isAlphanumeric(byte) {
        let isValid =
          separator.isEmpty || separator == Array(".".utf8) || separator == Array("_".utf8) || separator == Array("__".utf8)
          || separator.allSatisfy { $0 == UInt8(ascii: "-") }
        if !isValid { return false }
        separator = []
      } else {
        separator.append(byte)
      }
    }
    return true
  }

  /// sha256 and sha512 with all their digits; others are not used by any registry.
  private func checkedDigest(_ text: Substring) throws(ImageReferenceError) -> String {
    let lengths = ["sha256": 64, "sha512": 128]
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let length = lengths[String(parts[0])], parts[1].utf8.count == length,
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { throw refused("the digest '\(text)' is not valid") }
    return String(text)
  }

  private func isAlphanumeric(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }

  private func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "_") }

  private func refused(_ reason: String) -> ImageReferenceError { ImageReferenceError(reference: text, reason: reason) }
}
