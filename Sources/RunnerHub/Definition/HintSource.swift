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
    var landing: Landing
    var until: ContinuousClock.Instant
  }
  /// What a request brought, and how long that counts.
  private struct Landing {
    var answer: Answer
    var lifetime: Duration
    /// Whether the answer is that there is none: it stands for nothing that was known.
    var isFailure = false
  }

  /// After this time a file that is there is asked for again: with its ETag, so that an unchanged one costs nothing of GitHub's limit.
  static let lifetime: Duration = .seconds(60)
  /// Most repositories have none, and an absence has no ETag.
  static let lifetimeOfAbsence: Duration = .seconds(900)
  /// Where nothing is known yet, a failure that may pass is no answer for long.
  static let lifetimeOfFailure: Duration = .seconds(5)
  private static let maximumComplaints = 3
  /// More than anybody has to say, and little enough to keep many of.
  private static let maximumLength = 65_536

  private let forge: any Forge
  private let capacity: Int
  private var kept: [String: Kept] = [:]
  private var flights: [String: Task<Landing, Never>] = [:]

  /// - Parameter capacity: repositories that are remembered before the memory is emptied; 1 or more.
  package init(forge: any Forge, capacity: Int = 4096) {
    self.forge = forge
    self.capacity = capacity
  }

  /// Never fails: while the forge cannot be asked, what was known before still counts. Jobs that ask at once share a request.
  /// - Parameter deadline: of the request.
  func answer(for job: Job, at now: ContinuousClock.Instant, until deadline: ContinuousClock.Instant) async -> Answer {
    guard job.source == nil, let branch = job.repository.defaultBranch else { return Answer() }
    let repository = job.repository.fullName
    if let known = kept[repository], known.until > now { return known.landing.answer }
    if let flight = flights[repository] { return await flight.value.answer }
    let known = kept[repository].flatMap { $0.landing.isFailure ? nil : $0.landing.answer }
    let forge = forge, installationID = job.installationID
    // Not a child of who asks: it is shared, and must outlive who asked first. The deadline ends it.
    let flight = Task { () async -> Landing in
      let text = await withTimeLimit(until: deadline) { () async -> Result<String, ForgeError> in
        do throws(ForgeError) {
          return .success(
            try await forge.file(path: RepositoryHints.path, ref: branch, repository: repository, installationID: installationID))
        } catch {
          return .failure(error)
        }
      }
      return Self.landing(text, known: known)
    }
    flights[repository] = flight
    let landing = await flight.value
    flights[repository] = nil
    if kept.count >= capacity { kept.removeAll(keepingCapacity: true) }
    kept[repository] = Kept(landing: landing, until: now + landing.lifetime)
    return landing.answer
  }

  /// - Parameters:
  ///   - text: nil: it did not come in time.
  ///   - known: from an earlier request.
  private static func landing(_ text: Result<String, ForgeError>?, known: Answer?) -> Landing {
    switch text {
    case .success(let text)?: Landing(answer: read(text), lifetime: lifetime)
    case .failure(.notFound)?: Landing(answer: Answer(), lifetime: lifetimeOfAbsence)
    case .failure(let error)?: failure("is not known: \(error)", known, isPassing: error.isPassing)
    case nil: failure("did not come in time", known, isPassing: true)
    }
  }

  private static func failure(_ what: String, _ known: Answer?, isPassing: Bool) -> Landing {
    if let known { return Landing(answer: known, lifetime: lifetime) }
    let answer = Answer(complaints: ["\(RepositoryHints.path) \(what)"])
    return Landing(answer: answer, lifetime: isPassing ? lifetimeOfFailure : lifetime, isFailure: true)
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
