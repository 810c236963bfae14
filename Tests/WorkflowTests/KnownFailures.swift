/// Conformance cases that are known to fail, each with its reason. Empty is the aim.
enum KnownFailures {
  /// `FILE: EXPRESSION` → why.
  static let expressions: [String: String] = [:]
  /// Corpus → `FOLDER/NAME.yml` → why.
  static let summaries: [String: [String: String]] = [:]

  /// `NAME.yml` → why.
  static let reader: [String: String] = [:]

  /// `FOLDER/NAME` → why.
  static let schema: [String: String] = [:]

  /// `FOLDER/NAME.yaml` → why.
  static let actionlint: [String: String] = [:]
}
