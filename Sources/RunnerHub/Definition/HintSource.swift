import Domain
import Workflow

/// `.github/runnerhub.yaml` of repositories, from their default branch only: what a pull request writes into its own copy has no say.
package actor HintSource {
  struct Answer: Sendable {
    /// nil: the repository has none, or none that can be read.
    var hints: RepositoryHints?
    /// What is wrong with it, for the story of its jobs.
    var complaints: [String] = []
  }
  private struct Kept {
    var answer: Answer
    var until: ContinuousClock.Instant
  }

  /// After this time the file is asked for again; an unchanged one costs nothing of GitHub's limit.
  static let lifetime: Duration = .seconds(60)
  private static let maximumComplaints = 3
  /// More than anybody has to say, and little enough to keep many of.
  private static let maximumLength = 65_536

  private let forge: any Forge
  private let capacity: Int
  private var kept: [String: Kept] = [:]

  /// - Parameter capacity: repositories that are remembered before the memory is emptied; 1 or more.
  package init(forge: any Forge, capacity: Int = 4096) {
    self.forge = forge
    self.capacity = capacity
  }

  /// Never fails: while the forge cannot be asked, what was known before still counts.
  func answer(for job: Job, at now: ContinuousClock.Instant) async -> Answer {
    guard job.source == nil, let branch = job.repository.defaultBranch else { return Answer() }
    let repository = job.repository.fullName
    if let known = kept[repository], known.until > now { return known.answer }
    let answer: Answer
    do {
      let text = try await forge.file(
        path: RepositoryHints.path, ref: branch, repository: repository, installationID: job.installationID)
      answer = Self.read(text)
    } catch .notFound {
      answer = Answer()
    } catch {
      answer = kept[repository]?.answer ?? Answer(complaints: ["\(RepositoryHints.path) is not known: \(error)"])
    }
    if kept.count >= capacity { kept.removeAll(keepingCapacity: true) }
    kept[repository] = Kept(answer: answer, until: now + Self.lifetime)
    return answer
  }

  private static func read(_ text: String) -> Answer {
    guard text.utf8.count <= maximumLength else {
      return Answer(complaints: ["\(RepositoryHints.path) is longer than \(maximumLength) bytes and was not read"])
    }
    let (hints, findings) = RepositoryHints.parse(text)
    return Answer(hints: hints, complaints: findings.prefix(maximumComplaints).map(\.sentence))
  }
}

extension Diagnostic {
  /// `ci.yml:4:7: Unexpected value 'runn' – did you mean 'run'?`, short enough for a line of a job's story.
  var sentence: String {
    let place = ([path] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":")
    return "\(place): \(String(message.prefix(300)))" + (hint.map { " – \($0.prefix(200))" } ?? "")
  }
}
