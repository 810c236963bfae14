/// A name that identifies one thing. Written and compared as its text.
package protocol TextIdentifier: RawRepresentable<String>, Hashable, Sendable, Comparable, CustomStringConvertible, Codable {
  init(rawValue: String)
}

extension TextIdentifier {
  package var description: String { rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The identity of one job: the forge's job id, and the run attempt where it is not the first (`29679449526`, `29679449526.2`), after the name of
/// its source where that is not GitHub (`gitlab-123.2`).
///
/// GitHub gives the jobs of a re-run new ids; the suffix keeps two attempts apart where a forge does not.
package struct JobID: TextIdentifier {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }

  /// - Parameters:
  ///   - source: the CI platform by the name of its plugin; nil: GitHub.
  ///   - forgeID: `workflow_job.id`.
  ///   - attempt: `workflow_job.run_attempt`, 1 or more.
  package init(source: String? = nil, forgeID: Int64, attempt: Int) {
    let local = attempt <= 1 ? "\(forgeID)" : "\(forgeID).\(attempt)"
    rawValue = source.map { "\($0)-\(local)" } ?? local
  }

  /// The forge's own id of the job; nil of a text that is none of these.
  package var forgeID: Int64? {
    let local = rawValue.lastIndex(of: "-").map { rawValue[rawValue.index(after: $0)...] } ?? rawValue[...]
    return Int64(local.prefix { $0 != "." })
  }
}

/// The name of a container on its engine, unique over all engines and for ever (`rh-demo-1f3a2b4c5d`): 2 to 63 characters of `[a-z0-9-]`.
package struct ContainerID: TextIdentifier {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
}

/// The identity of an assignment, which is also the name of its runner at the forge (`rh-7f3a09c1d2`): at most 64 characters.
package struct AssignmentID: TextIdentifier {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
}

/// Makes identities. The one way in for randomness, so that a test can replay a run.
package protocol IdentitySource: Sendable {
  /// A fresh lower-case hexadecimal token.
  /// - Parameter digits: 1 to 32.
  func token(digits: Int) -> String
}

/// Identities from the system's random generator.
package struct RandomIdentitySource: IdentitySource {
  package init() {}
  package func token(digits: Int) -> String {
    String((0..<digits).map { _ in "0123456789abcdef".randomElement() ?? "0" })
  }
}
