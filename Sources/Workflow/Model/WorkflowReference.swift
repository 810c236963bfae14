/// What `uses` of a job names: a workflow of the same repository (`./.github/workflows/x.yml`), or of another
/// (`OWNER/REPOSITORY/.github/workflows/x.yml@REF`).
public struct WorkflowReference: Sendable, Hashable, CustomStringConvertible {
  /// `OWNER/NAME`; nil: that of the run itself.
  public let repository: String?
  /// Within its repository: `.github/workflows/x.yml`.
  public let path: String
  /// Commit, tag or branch; nil: the commit of the run itself.
  public let ref: String?

  /// Reads a reference as it stands in a file.
  ///
  /// - Parameter file: the called workflow in which it stands: its `./` means its own repository at its own ref. nil: the run's own file.
  /// - Returns: nil for what is no reference, or holds an expression.
  public init?(_ text: String, in file: WorkflowReference? = nil) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.first == "." {
      guard parts.count == 4, Self.isPath(parts.dropFirst()) else { return nil }
      repository = file?.repository
      ref = file?.ref
      path = parts.dropFirst().joined(separator: "/")
      return
    }
    guard let at = text.firstIndex(of: "@"), !text.contains("${{") else { return nil }
    let words = text[..<at].split(separator: "/", omittingEmptySubsequences: false)
    let ref = String(text[text.index(after: at)...])
    guard words.count == 5, words.prefix(2).allSatisfy(Self.isName), !ref.isEmpty, Self.isPath(words.dropFirst(2)) else { return nil }
    repository = "\(words[0])/\(words[1])"
    path = words.dropFirst(2).joined(separator: "/")
    self.ref = ref
  }

  /// Of an owner or a repository; nothing that leads elsewhere in an address.
  private static func isName(_ word: Substring) -> Bool {
    !word.isEmpty && word != "." && word != ".."
      && word.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  private static func isPath(_ parts: ArraySlice<Substring>) -> Bool {
    let words = Array(parts)
    return words.count == 3 && words[0] == ".github" && words[1] == "workflows"
      && (words[2].hasSuffix(".yml") || words[2].hasSuffix(".yaml"))
  }

  /// As `uses` would name it from the run's own file.
  public var description: String {
    guard let repository else { return "./\(path)" }
    return "\(repository)/\(path)" + (ref.map { "@\($0)" } ?? "")
  }
}

extension WorkflowFile {
  /// What its jobs call, in the author's order. A draft's is as good as a file's.
  ///
  /// - Parameter reference: where this file is itself a called one.
  public func calls(as reference: WorkflowReference? = nil) -> [WorkflowReference] {
    jobs.compactMap(\.uses).compactMap { WorkflowReference($0, in: reference) }
  }
}
