/// Conformance cases that are known to fail, each with its reason. Empty is the aim.
enum KnownFailures {
  /// `FILE: EXPRESSION` → why.
  static let expressions: [String: String] = [:]
  /// Corpus → `FOLDER/NAME.yml` → why.
  static let summaries: [String: [String: String]] = [:]

  /// `NAME.yml` → why.
  static let reader: [String: String] = [
    "is-partial-rerun.yml":
      "A switch of GitHub's service, which the corpus does not judge: files are numbered in another order when part of a run is repeated."
  ]

  /// `FOLDER/NAME` → why.
  static let schema: [String: String] = [
    "action-valid/composite-run-steps.json":
      "Two of its steps have the same id, which a schema cannot see, and which GitHub's runner refuses."
  ]

  /// `FOLDER/NAME.yaml` → why.
  static let actionlint: [String: String] = [:]
}
