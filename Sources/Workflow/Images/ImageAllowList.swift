/// Which images jobs may use: names of repositories, or all below a path.
///
/// ```swift
/// let approved = try ImageAllowList(["ghcr.io/acme/*", "docker.io/library/node"])
/// approved.allows(try .parse("node:22"))   // true
/// ```
public struct ImageAllowList: Sendable, Equatable {
  private enum Entry: Sendable, Equatable {
    /// Exactly this repository; a tag or digest in the entry is required of the image too.
    case image(ImageReference)
    /// Everything below `registry/prefix/`, at any depth; an empty prefix is the whole registry.
    case below(registry: String, prefix: [Substring])
  }

  private let entries: [Entry]

  /// - Parameter patterns: image names, in any form that Docker accepts, or `HOST/*` and `HOST/PATH/*`. A star stands only at the end, after
  ///   a slash, and the host must be written.
  public init(_ patterns: [String]) throws(ImageReferenceError) {
    var entries: [Entry] = []
    for pattern in patterns { entries.append(try Self.entry(pattern)) }
    self.entries = entries
  }

  /// Whether an entry names the image's repository (with its tag or digest, where the entry has one) or a path above it.
  public func allows(_ image: ImageReference) -> Bool {
    entries.contains { entry in
      switch entry {
      case .image(let allowed):
        allowed.name == image.name && (allowed.tag == nil || allowed.tag == image.tag)
          && (allowed.digest == nil || allowed.digest == image.digest)
      case .below(let registry, let prefix):
        registry == image.registry && image.repository.split(separator: "/").count > prefix.count
          && image.repository.split(separator: "/").starts(with: prefix)
      }
    }
  }

  private static func entry(_ pattern: String) throws(ImageReferenceError) -> Entry {
    guard pattern.contains("*") else { return .image(try ImageReference.parse(pattern)) }
    guard pattern.hasSuffix("/*"), !pattern.dropLast().contains("*") else {
      throw ImageReferenceError(reference: pattern, reason: "in an allow-list '*' stands only at the end, as in 'ghcr.io/acme/*'")
    }
    // Parsed with a name in the star's place, so that host and path are normalised as an image's are.
    let probe = try ImageReference.parse(pattern.dropLast() + "x")
    guard pattern.split(separator: "/").first.map({ $0.contains(".") || $0.contains(":") || $0 == "localhost" }) == true else {
      throw ImageReferenceError(
        reference: pattern, reason: "an allow-list entry with '*' must begin with the registry's host, as in 'docker.io/acme/*'")
    }
    // `docker.io/*` is the whole registry, while the probe `docker.io/x` is an official image.
    let path = pattern.split(separator: "/").count == 2 ? [] : probe.repository.split(separator: "/").dropLast()
    return .below(registry: probe.registry, prefix: Array(path))
  }
}

/// An image as a job names it.
public struct NamedImage: Sendable, Equatable {
  /// As written, without `docker://`; may hold expressions, see ``ExpandedJob/resolve(_:)``.
  public let text: String
  /// 1-based.
  public let line: Int
}

extension JobDefinition {
  /// Every image that the job itself names: of `container`, of `services` (or the expression that stands for them), and of `uses: docker://`
  /// steps. Images that actions and called workflows bring are not in this file.
  public var images: [NamedImage] {
    var images: [NamedImage] = []
    func add(_ text: String, line: Int) {
      let trimmed = text[...].trimmingSpace
      images.append(NamedImage(text: isDockerAddress(trimmed) ? String(trimmed.dropFirst(dockerScheme.count)) : text, line: line))
    }
    if let container { add(container.image, line: container.line) }
    if let servicesExpression { add(servicesExpression, line: line) }
    for service in services where !service.container.image.isEmpty { add(service.container.image, line: service.container.line) }
    for step in steps {
      if let uses = step.uses, isDockerAddress(uses[...].trimmingSpace) { add(uses, line: step.line) }
    }
    return images
  }

  private var dockerScheme: String { "docker://" }

  private func isDockerAddress(_ text: String) -> Bool { text.lowercased().hasPrefix(dockerScheme) }
}
