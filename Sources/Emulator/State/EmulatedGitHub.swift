import Crypto
package import Foundation
import Workflow

/// The whole state of a local GitHub: repositories, runs, jobs, runners, checks and deliveries. Everything that it decides, it asks of pure
/// values (``JobQueue``, ``RunPlan``, ``JobExecution``); the server around it only speaks HTTP.
package actor EmulatedGitHub {
  let configuration: EmulatorConfiguration
  let now: @Sendable () -> Date
  private(set) var baseURL: String
  private var lastID: Int64

  var repositories: [String: RepositoryRecord] = [:]
  var runs: [Int64: RunRecord] = [:]
  var jobs: [Int64: JobRecord] = [:]
  var registrations: [Int64: RegistrationRecord] = [:]
  var checkRuns: [Int64: CheckRunRecord] = [:]
  /// Commit statuses by repository and SHA, newest first.
  var statuses: [String: [JSON]] = [:]
  /// Installation tokens that were handed out, and when they end.
  var installationTokens: [String: Date] = [:]
  var queue = JobQueue()
  var waiters: [Int64: Waiter] = [:]
  /// Traditional runners by their identity, and the job each has with the time at which it begins or ends.
  var traditional: [Int64: (runner: EmulatorConfiguration.TraditionalRunner, job: Int64?, endsAt: Date?)] = [:]
  /// Those among them that came on demand, and those that leave after their job.
  var thieves: Set<Int64> = []
  var leaving: Set<Int64> = []
  var deliveries: [Delivery] = []
  var faults = Faults()
  var meter: RateMeter
  var held: [HeldDelivery] = []
  var unreachableUntil: Date?
  /// Faults that struck, oldest first.
  var strikes: [Strike] = []
  private var exchanges: [JSON] = []
  let outgoing: AsyncStream<Delivery>.Continuation
  /// Deliveries to make, in order.
  nonisolated let pendingDeliveries: AsyncStream<Delivery>
  var isClosed = false

  /// A runner that waits for a job.
  struct Waiter {
    let continuation: CheckedContinuation<Int64?, Never>
    let deadline: Date
  }

  /// - Parameter now: where the time comes from.
  package init(configuration: EmulatorConfiguration, now: @escaping @Sendable () -> Date = { Date() }) {
    self.configuration = configuration
    self.now = now
    baseURL = "http://\(configuration.host):\(configuration.port)"
    meter = RateMeter(configuration.rateLimits)
    (pendingDeliveries, outgoing) = AsyncStream.makeStream(of: Delivery.self)
    let start = now()
    // Identifiers differ from those of an earlier emulator, as a store that outlives one would take them for the same jobs.
    lastID = Int64(start.timeIntervalSince1970 * 10)
    for repository in configuration.repositories {
      lastID += 1
      let parts = repository.fullName.split(separator: "/", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      repositories[repository.fullName.lowercased()] = RepositoryRecord(
        id: lastID, owner: parts[0], name: parts[1], isPrivate: repository.isPrivate, defaultBranch: repository.defaultBranch,
        createdAt: start, isArchived: repository.isArchived, runsActions: repository.runsActions)
    }
    for runner in configuration.traditionalRunners {
      lastID += 1
      traditional[lastID] = (runner, nil, nil)
      queue.offer(.init(id: lastID, scope: .organisation(configuration.organisation), labels: runner.labels))
    }
  }

  func makeID() -> Int64 {
    lastID += 1
    return lastID
  }

  /// The server's address, once it is known.
  func listen(at url: String) { baseURL = url }

  /// Lets every waiting runner go, and ends the deliveries.
  func close() {
    isClosed = true
    for waiter in waiters.values { waiter.continuation.resume(returning: nil) }
    waiters = [:]
    outgoing.finish()
  }

  func record(_ exchange: JSON) {
    exchanges.append(exchange)
    if exchanges.count > 10_000 { exchanges.removeFirst(exchanges.count - 10_000) }
  }

  /// The newest exchanges, oldest first.
  func recordedExchanges() -> [JSON] { exchanges }

  /// Puts a webhook on its way. Nothing happens where no webhook is configured.
  func deliver(_ event: String, action: String, repository: String, payload: JSON) {
    guard configuration.webhook != nil, let record = repositories[repository.lowercased()] else { return }
    var body = payload.merging([
      "action": .string(action), "repository": shapes.fullRepository(record), "organization": shapes.organisation(),
      "sender": shapes.user(configuration.organisation + "-bot"),
    ])
    if let app = configuration.app {
      body = body.merging([
        "installation": ["id": .int(app.installationID), "node_id": .string(Shapes.nodeID("Installation", app.installationID))]
      ])
    }
    let delivery = Delivery(
      id: makeID(), guid: UUID().uuidString.lowercased(), event: event, action: action, repositoryID: record.id, body: body,
      createdAt: now())
    deliveries.append(delivery)
    send(delivery)
  }

  /// Sends a recorded delivery once more, under the same GUID.
  func redeliver(_ id: Int64) throws(Refusal) {
    guard let old = deliveries.first(where: { $0.id == id }) else { throw .notFound }
    let again = old.again(id: makeID(), at: now())
    deliveries.append(again)
    send(again)
  }

  func delivered(_ id: Int64, statusCode: Int, status: String, duration: Double) {
    guard let index = deliveries.lastIndex(where: { $0.id == id }) else { return }
    deliveries[index].deliveredAt = now()
    deliveries[index].statusCode = statusCode
    deliveries[index].status = status
    deliveries[index].duration = duration
  }

  /// The shapes of this moment: they carry the server's address.
  var shapes: Shapes { Shapes(baseURL: baseURL, configuration: configuration) }

  /// - Throws: 404 for a repository that is not here.
  func repository(_ owner: String, _ name: String) throws(Refusal) -> RepositoryRecord {
    guard let found = repositories["\(owner)/\(name)".lowercased()] else { throw .notFound }
    return found
  }
}

/// One webhook message, and what became of it.
struct Delivery: Sendable {
  let id: Int64
  let guid: String
  let event: String
  let action: String
  let repositoryID: Int64
  let body: JSON
  let createdAt: Date
  var isRedelivery = false
  var hookID = WebhookSender.hookID
  var deliveredAt: Date?
  /// The answer's status; 0 where none came.
  var statusCode: Int?
  var status = "pending"
  var duration = 0.0

  /// The same message once more, not sent yet.
  /// - Parameter guid: nil keeps it, as a redelivery does.
  func again(id: Int64, at time: Date, guid: String? = nil, hookID: Int? = nil) -> Delivery {
    Delivery(
      id: id, guid: guid ?? self.guid, event: event, action: action, repositoryID: repositoryID, body: body, createdAt: time,
      isRedelivery: guid == nil, hookID: hookID ?? self.hookID)
  }
}
