import Testing

@testable import Workflow

/// The model of a text that must be accepted.
func parsed(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> WorkflowFile? {
  let reading = WorkflowFile.parse(text, path: "w.yml")
  #expect(reading.errors.isEmpty, sourceLocation: sourceLocation)
  return reading.file
}

/// `LINE:COLUMN: MESSAGE` of each error.
func errors(_ text: String) -> [String] {
  WorkflowFile.parse(text, path: "w.yml").errors.map { "\($0.line ?? 0):\($0.column ?? 0): \($0.message)" }
}

/// A workflow with one job, its body indented below.
func workflow(_ body: String) -> String {
  "on: push\njobs:\n  a:\n" + body.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined()
}
