import Domain
import Workflow

/// Fetches the workflows that a workflow file calls, and those that these call, within GitHub's bounds.
struct CalledFiles: Sendable {
  /// As at GitHub (<https://docs.github.com/actions/reference/workflows-and-actions/reusing-workflow-configurations#limitations>): ten levels
  /// with the caller, fifty files.
  private static let maximumLevels = 9
  private static let maximumFiles = 50
  /// Files asked for at once.
  private static let width = 8

  struct Outcome: Sendable {
    var texts: [WorkflowReference: String] = [:]
    /// Those that could not be read, and why.
    var unread: [WorkflowReference: String] = [:]
    /// Whether each was read at a commit.
    var isPinned = true
  }

  let forge: any Forge
  /// The run's own repository and the ref at which its file was read, which are also those of `./…`.
  let repository: String
  let ref: String
  /// What the run says of the commits of called files, by `OWNER/REPOSITORY/PATH@REF`.
  let commits: [String: String]
  let installationID: Int64?

  /// Never fails: what cannot be read is named.
  func texts(calledBy text: String, path: String) async -> Outcome {
    var outcome = Outcome()
    var open = Self.calls(in: text, path: path, as: nil)
    for _ in 0..<Self.maximumLevels {
      var wanted: [WorkflowReference] = []
      for reference in open where outcome.texts[reference] == nil && outcome.unread[reference] == nil && !wanted.contains(reference) {
        if outcome.texts.count + outcome.unread.count + wanted.count < Self.maximumFiles {
          wanted.append(reference)
        } else {
          outcome.unread[reference] = "a run has more than \(Self.maximumFiles) called files"
        }
      }
      if wanted.isEmpty { return outcome }
      open = []
      for (reference, result) in await fetch(wanted) {
        switch result {
        case .success(let called):
          outcome.texts[reference] = called
          open += Self.calls(in: called, path: reference.path, as: reference)
        case .failure(let error): outcome.unread[reference] = error.description
        }
        if !commit(of: reference).isCommit { outcome.isPinned = false }
      }
    }
    for reference in open where outcome.texts[reference] == nil {
      outcome.unread[reference] = "it is called over more than \(Self.maximumLevels + 1) levels"
    }
    return outcome
  }

  private static func calls(in text: String, path: String, as reference: WorkflowReference?) -> [WorkflowReference] {
    // Most files call nothing.
    guard text.utf8.count < WorkflowFile.maximumLength, text.contains(".github/workflows/") else { return [] }
    return WorkflowFile.parse(text, path: path).draft?.calls(as: reference) ?? []
  }

  private func commit(of reference: WorkflowReference) -> String {
    guard let called = reference.ref else { return ref }
    return commits[reference.description] ?? called
  }

  /// In the order of the references.
  private func fetch(_ references: [WorkflowReference]) async -> [(WorkflowReference, Result<String, ForgeError>)] {
    await withTaskGroup(of: (Int, Result<String, ForgeError>).self) { group in
      var results: [Int: Result<String, ForgeError>] = [:]
      for (index, reference) in references.enumerated() {
        if index >= Self.width, let (done, result) = await group.next() { results[done] = result }
        group.addTask { (index, await fetch(reference)) }
      }
      for await (done, result) in group { results[done] = result }
      return references.enumerated().compactMap { index, reference in results[index].map { (reference, $0) } }
    }
  }

  private func fetch(_ reference: WorkflowReference) async -> Result<String, ForgeError> {
    do throws(ForgeError) {
      return .success(
        try await forge.file(
          path: reference.path, ref: commit(of: reference), repository: reference.repository ?? repository, installationID: installationID))
    } catch {
      return .failure(error)
    }
  }
}
