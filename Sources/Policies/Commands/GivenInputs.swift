internal import Domain
package import Foundation
package import RunnerHub

/// Inputs that somebody wrote into a file, in the shapes that policies see. What is left out is as in the samples.
package enum GivenInputs {
  /// What is wrong with a file of inputs.
  package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
  }

  /// `{ now, pools: [{ name, total, busy, … }], pending, active, draining }`; counts that are left out follow from the pools.
  package static func fleet(_ value: LuaValue, now: Date) throws(Fault) -> PolicyFleet {
    var reader = try Reader(value, "fleet")
    var fleet = PolicySamples.fleet
    let seconds = try reader.number("now")
    fleet.now = seconds.map { Date(timeIntervalSince1970: $0) } ?? now
    if let pools = try reader.list("pools") {
      fleet.pools = []
      for (index, pool) in pools.enumerated() { fleet.pools.append(try self.pool(pool, place: "pools[\(index + 1)]")) }
    }
    fleet.queue = []
    for (index, queue) in try (reader.list("queue") ?? []).enumerated() {
      fleet.queue.append(try self.queue(queue, place: "queue[\(index + 1)]", now: fleet.now))
    }
    fleet.classes = try reader.count("classes") ?? fleet.queue.count
    fleet.repositories = []
    for (index, use) in try (reader.list("repositories") ?? []).enumerated() {
      fleet.repositories.append(try self.use(use, place: "repositories[\(index + 1)]"))
    }
    fleet.pending = try reader.count("pending") ?? fleet.pools.reduce(0) { $0 + $1.pending }
    fleet.active = try reader.count("active") ?? fleet.pools.reduce(0) { $0 + $1.active }
    fleet.isDraining = try reader.bool("draining") ?? false
    try reader.end()
    return fleet
  }

  private static func queue(_ value: LuaValue, place: String, now: Date) throws(Fault) -> PolicyQueue {
    var reader = try Reader(value, place)
    let word = try reader.text("priority") ?? Priority.normal.word
    guard let priority = Priority(word: word) else { throw reader.fault("priority is \(LuaValue.text(word)); expected a level") }
    let queue = PolicyQueue(
      scope: try reader.text("scope") ?? "acme", group: try reader.text("group") ?? "", labels: try reader.labels("labels") ?? [],
      count: try reader.count("count") ?? 1, pool: try reader.text("pool"), priority: priority,
      queuedAt: now - (try reader.number("waiting_seconds") ?? 0), holdsForkJob: try reader.bool("forks") ?? false)
    try reader.end()
    return queue
  }

  private static func use(_ value: LuaValue, place: String) throws(Fault) -> PolicyUse {
    var reader = try Reader(value, place)
    guard let repository = try reader.text("repository") else { throw reader.fault("repository is missing") }
    let use = PolicyUse(repository: repository, active: try reader.count("active") ?? 1)
    try reader.end()
    return use
  }

  /// A list of containers.
  package static func containers(_ value: LuaValue, now: Date) throws(Fault) -> [PolicyContainer] {
    guard case .list(let values) = value else { throw Fault(description: "containers are a list; this is \(value)") }
    var containers: [PolicyContainer] = []
    for (index, value) in values.enumerated() { containers.append(try container(value, place: "containers[\(index + 1)]", now: now)) }
    return containers
  }

  private static func pool(_ value: LuaValue, place: String) throws(Fault) -> PolicyPool {
    var reader = try Reader(value, place)
    var pool = PolicySamples.pool
    pool.name = try reader.text("name") ?? pool.name
    pool.minimum = try reader.count("minimum") ?? pool.minimum
    pool.maximum = try reader.count("maximum") ?? pool.maximum
    pool.warm = try reader.count("warm") ?? pool.warm
    pool.template.engine = try reader.text("engine") ?? pool.template.engine
    pool.template.image = try reader.text("image") ?? pool.template.image
    pool.template.labels = try reader.labels("labels") ?? pool.template.labels
    pool.template.resources = try reader.resources(or: pool.template.resources)
    pool.template.acceptsForks = try reader.bool("forks") ?? false
    pool.template.maximumUses = try reader.count("reuse") ?? pool.template.maximumUses
    pool.creating = try reader.count("creating") ?? 0
    pool.unhealthy = try reader.count("unhealthy") ?? 0
    pool.ending = try reader.count("ending") ?? 0
    pool.startFailures = try reader.count("start_failures") ?? 0
    pool.grownAt = try reader.number("grown_at").map { Date(timeIntervalSince1970: $0) }
    pool.shrunkAt = try reader.number("shrunk_at").map { Date(timeIntervalSince1970: $0) }
    pool.history = []
    for (index, sample) in try (reader.list("history") ?? []).enumerated() {
      pool.history.append(try self.sample(sample, place: "\(place).history[\(index + 1)]"))
    }
    let idle = try reader.count("idle")
    let busy = try reader.count("busy")
    let total = try reader.count("total")
    pool.busy = busy ?? total.map { max(0, $0 - (idle ?? 0)) } ?? pool.busy
    pool.idle = idle ?? total.map { max(0, $0 - pool.busy) } ?? pool.idle
    pool.total = total ?? pool.idle + pool.busy
    pool.pending = try reader.count("pending") ?? 0
    pool.active = try reader.count("active") ?? pool.busy
    if try reader.number("utilisation") != nil { throw reader.fault("utilisation follows from busy and total: leave it out") }
    try reader.end()
    return pool
  }

  private static func sample(_ value: LuaValue, place: String) throws(Fault) -> PolicyPool.Sample {
    var reader = try Reader(value, place)
    let sample = PolicyPool.Sample(
      at: Date(timeIntervalSince1970: try reader.number("at") ?? PolicySamples.now.timeIntervalSince1970),
      total: try reader.count("total") ?? 0, busy: try reader.count("busy") ?? 0, pending: try reader.count("pending") ?? 0)
    try reader.end()
    return sample
  }

  private static func container(_ value: LuaValue, place: String, now: Date) throws(Fault) -> PolicyContainer {
    var reader = try Reader(value, place)
    var container = PolicySamples.container
    container.isNew = try reader.bool("is_new") ?? false
    container.name = try reader.text("name") ?? (container.isNew ? "new" : container.name)
    container.id = try reader.text("id") ?? (container.isNew ? "" : container.name)
    container.pool = try reader.text("pool") ?? container.pool
    container.engine = try reader.text("engine") ?? container.engine
    container.image = try reader.text("image") ?? container.image
    container.isStarting = try reader.bool("is_starting") ?? false
    container.labels = try reader.labels("labels") ?? container.labels
    container.resources = try reader.resources(or: container.resources)
    container.uses = try reader.count("uses") ?? container.uses
    container.repository = try reader.text("repository")
    let (workflow, branch) = (try reader.text("last_workflow"), try reader.text("last_branch"))
    container.lastJob = try reader.text("last_job").map { LastJob(workflow: workflow, name: $0, branch: branch) }
    container.failedChecks = try reader.count("failed_checks") ?? 0
    let age = try reader.number("age_seconds")
    let idle = try reader.number("idle_seconds")
    container.createdAt = container.isNew ? nil : now - (age ?? 60)
    container.idleSince = container.isNew ? nil : now - (idle ?? age ?? 60)
    try reader.end()
    return container
  }

  /// Takes the fields of a table one by one, and refuses those that nobody took.
  private struct Reader {
    private let fields: [String: LuaValue]
    private let place: String
    private var asked: [String] = []

    init(_ value: LuaValue, _ place: String) throws(Fault) {
      guard case .map(let fields) = value else { throw Fault(description: "\(place) is \(value); expected names and values") }
      self.fields = fields
      self.place = place
    }

    func fault(_ description: String) -> Fault { Fault(description: "\(place): \(description)") }

    private mutating func take(_ name: String) -> LuaValue? {
      asked.append(name)
      return fields[name] == LuaValue.none ? nil : fields[name]
    }

    mutating func text(_ name: String) throws(Fault) -> String? {
      guard let value = take(name) else { return nil }
      guard case .text(let text) = value else { throw fault("\(name) is \(value); expected a text") }
      return text
    }

    mutating func bool(_ name: String) throws(Fault) -> Bool? {
      guard let value = take(name) else { return nil }
      guard case .bool(let bool) = value else { throw fault("\(name) is \(value); expected true or false") }
      return bool
    }

    mutating func number(_ name: String) throws(Fault) -> Double? {
      switch take(name) {
      case nil: return nil
      case .integer(let value)? where value >= 0: return Double(value)
      case .number(let value)? where value >= 0 && value <= 1e12: return value
      case let value?: throw fault("\(name) is \(value); expected a number from 0")
      }
    }

    mutating func count(_ name: String) throws(Fault) -> Int? {
      guard let value = take(name) else { return nil }
      guard case .integer(let count) = value, (0...1_000_000_000).contains(count) else {
        throw fault("\(name) is \(value); expected a whole number from 0")
      }
      return Int(count)
    }

    mutating func list(_ name: String) throws(Fault) -> [LuaValue]? {
      guard let value = take(name) else { return nil }
      guard case .list(let values) = value else { throw fault("\(name) is \(value); expected a list") }
      return values
    }

    mutating func labels(_ name: String) throws(Fault) -> Labels? {
      guard let values = try list(name) else { return nil }
      return Labels(values.compactMap { if case .text(let label) = $0 { label } else { nil } })
    }

    mutating func resources(or standard: Resources) throws(Fault) -> Resources {
      let cpus = try number("cpus")
      let memory = try count("memory_mb")
      let disk = try count("disk_mb")
      let gpus = try count("gpus")
      return Resources(
        milliCPUs: cpus.map { Int((min($0, 1e6) * 1000).rounded()) } ?? standard.milliCPUs,
        memory: memory.map { ByteCount(mebibytes: Int64($0)) } ?? standard.memory,
        disk: disk.map { ByteCount(mebibytes: Int64($0)) } ?? standard.disk, gpus: gpus ?? standard.gpus)
    }

    func end() throws(Fault) {
      guard let unknown = fields.keys.sorted().first(where: { !asked.contains($0) }) else { return }
      let hint =
        Suggestion.nearest(to: unknown, among: asked).map { " – did you mean '\($0)'?" }
        ?? ": expected one of \(asked.sorted().joined(separator: ", "))"
      throw fault("unknown field '\(unknown)'\(hint)")
    }
  }
}
