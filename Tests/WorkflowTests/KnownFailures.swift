/// Conformance cases that are known to fail, each with its reason. Empty is the aim.
enum KnownFailures {
  /// `FILE: EXPRESSION` → why.
  static let expressions: [String: String] = [:]
  /// Corpus → `FOLDER/NAME.yml` → why.
  static let summaries: [String: [String: String]] = [
    "act": [
      "runner/testdata/job-container-invalid-credentials/push.yml":
        "GitHub refuses the file for an empty username, and a refused file has no model here; the summary reads on."
    ]
  ]

  /// `NAME.yml` → why.
  static let readerVerdicts: [String: String] = [:]
}
