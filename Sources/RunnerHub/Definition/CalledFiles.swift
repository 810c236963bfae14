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
  /// Of all called files together: reading YAML takes time and some ten times its memory.
  static let maximumBytes = 2 << 20
  private static let late = "not found in time"

  struct Outcome: Sendable {
    var texts: [WorkflowReference: String] = [:]
    /// Those that could not be read, and why.
    var unread: [WorkflowReference: String] = [:]
    /// Whether each was read at a commit.
    var isPinned = true
    /// Whether some could not be read for want of time or of an answer, so that another try may find them.
    var isWorthAnotherTry = false

    fileprivate mutating func miss(_ references: some Sequence<WorkflowReference>) {
      for reference in references where texts[reference] == nil && unread[reference] == nil {
        unread[reference] = CalledFiles.late
        isWorthAnotherTry = true
      }
    }
  }

  let files: FileTexts
  /// The run's own repository and the ref at which its file was read, which are also those of `./…`.
  let repository: String
  let ref: String
  /// What the run says of the commits of called files, by `OWNER/REPOSITORY/PATH@REF`.
  let commits: [String: String]
  let installationID: Int64?
  /// What has not come by then is unread: the caller's own jobs are worth more than those of the last call.
  let deadline: ContinuousClock.Instant

  /// Never fails: what cannot be read is named.
  func texts(calledBy text: String, path: String) async -> Outcome {
    var outcome = Outcome()
    var open = Self.calls(in: text, path: path, as: nil)
    var bytes = 0
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
        if !commit(of: reference).isCommit { outcome.isPinned = false }
        switch result {
        case .success(let called)? where bytes + called.utf8.count > Self.maximumBytes:
          outcome.unread[reference] = "the run's called files are longer than \(Self.maximumBytes) bytes together"
        case .success(let called)? where isInTime:
          bytes += called.utf8.count
          outcome.texts[reference] = called
          open += Self.calls(in: called, path: reference.path, as: reference)
        case .failure(let error)?:
          outcome.unread[reference] = error.description
          if error.isPassing { outcome.isWorthAnotherTry = true }
        case .success?, nil: outcome.miss([reference])
        }
      }
      if !isInTime {
        outcome.miss(open)
        return outcome
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

  private var isInTime: Bool { ContinuousClock.now < deadline && !Task.isCancelled }

  private func commit(of reference: WorkflowReference) -> String {
    guard let called = reference.ref else { return ref }
    return commits[reference.description] ?? called
  }

  /// In the order of the references. nil: not in time.
  private func fetch(_ references: [WorkflowReference]) async -> [(WorkflowReference, FileTexts.Answer?)] {
    await withTaskGroup(of: (Int, FileTexts.Answer?).self) { group in
      var answers: [Int: FileTexts.Answer] = [:]
      for (index, reference) in references.enumerated() {
        if index >= Self.width, let (done, answer) = await group.next() { answers[done] = answer }
        group.addTask { (index, await fetch(reference)) }
      }
      for await (done, answer) in group { answers[done] = answer }
      return references.enumerated().map { index, reference in (reference, answers[index]) }
    }
  }

  private func fetch(_ reference: WorkflowReference) async -> FileTexts.Answer? {
    await files.text(
      of: FileTexts.Key(
        repository: reference.repository ?? repository, ref: commit(of: reference), path: reference.path, installationID: installationID),
      until: deadline)
  }
}

extension ForgeError {
  /// Whether the same request may be answered otherwise soon.
  var isPassing: Bool {
    switch self {
    case .throttled, .unavailable: true
    case .notFound, .forbidden, .alreadyExists, .invalid: false
    }
  }
}
