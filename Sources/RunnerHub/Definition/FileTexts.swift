import Domain

/// Texts of files at commits, which never change, and for a minute what is not there. Who asks for a file that is on its way shares the
/// request.
actor FileTexts {
  struct Key: Hashable, Sendable {
    var repository: String
    /// Commit, tag or branch.
    var ref: String
    var path: String
    /// Whose credentials read it: what one installation may see is no other's business.
    var installationID: Int64?
  }
  typealias Answer = Result<String, ForgeError>
  private struct Miss {
    var what: String
    var until: ContinuousClock.Instant
  }

  /// How long a file that was not found is not asked for again.
  static let lifetimeOfMisses: Duration = .seconds(60)

  private let forge: any Forge
  private let capacity: Int
  private let byteCapacity: Int
  private var texts: [Key: String] = [:]
  private var bytes = 0
  private var misses: [Key: Miss] = [:]
  private var flights: [Key: Task<Answer?, Never>] = [:]

  /// - Parameters:
  ///   - capacity: texts and misses kept before the memory is emptied; 1 or more.
  ///   - byteCapacity: all texts, in bytes.
  init(forge: any Forge, capacity: Int = 4096, byteCapacity: Int = 8 << 20) {
    self.forge = forge
    self.capacity = capacity
    self.byteCapacity = byteCapacity
  }

  /// - Parameter deadline: of the request; those who share one have about the same.
  /// - Returns: nil when the deadline came first.
  func text(of key: Key, until deadline: ContinuousClock.Instant) async -> Answer? {
    while true {
      if let text = texts[key] { return .success(text) }
      let now = ContinuousClock.now
      if let miss = misses[key], miss.until > now { return .failure(.notFound(miss.what)) }
      guard now < deadline, !Task.isCancelled else { return nil }
      // A request that another began may end with its deadline, before this one.
      if let answer = await (flights[key] ?? start(key, until: deadline)).value { return answer }
    }
  }

  /// Not a child of who asks: it is shared, and must outlive who asked first. The deadline ends it.
  private func start(_ key: Key, until deadline: ContinuousClock.Instant) -> Task<Answer?, Never> {
    let forge = forge
    let flight = Task { () async -> Answer? in
      let answer = await withTimeLimit(until: deadline) { () async -> Answer in
        do throws(ForgeError) {
          return .success(
            try await forge.file(path: key.path, ref: key.ref, repository: key.repository, installationID: key.installationID))
        } catch {
          return .failure(error)
        }
      }
      self.land(key, answer)
      return answer
    }
    flights[key] = flight
    return flight
  }

  private func land(_ key: Key, _ answer: Answer?) {
    flights[key] = nil
    switch answer {
    case .success(let text)? where key.ref.isCommit:
      if texts.count >= capacity || bytes + text.utf8.count > byteCapacity {
        texts.removeAll(keepingCapacity: true)
        bytes = 0
      }
      bytes += text.utf8.count - (texts[key]?.utf8.count ?? 0)
      texts[key] = text
    case .failure(.notFound(let what))?:
      if misses.count >= capacity { misses.removeAll(keepingCapacity: true) }
      misses[key] = Miss(what: what, until: ContinuousClock.now + Self.lifetimeOfMisses)
    case .success?, .failure?, nil: break
    }
  }
}

extension String {
  /// Whether it is a commit's full hash.
  var isCommit: Bool { utf8.count == 40 && utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0) } }
}
