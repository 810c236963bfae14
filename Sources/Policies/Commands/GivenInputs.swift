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
    fleet.pending = try reader.count("pending") ?? fleet.pools.reduce(0) { $0 + $1.pending }
    fleet.active = try reader.count("active") ?? fleet.pools.reduce(0) { $0 + $1.active }
    fleet.isDraining = try reader.bool("draining") ?? false
    try reader.end()
    return fleet
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

  private static func container(_ value: LuaValue, place: String, now: Date) throws(Fault) -> PolicyContainer {
    var reader = try Reader(value, place)
    var container = PolicySamples.container
    container.isNew = try reader.bool("is_new") ?? false
    container.name = try reader.text("name") ?? (container.isNew ? "new" : container.name)
    container.id = try reader.text("id") ?? (container.isNew ? "" : container.name)
    container.pool = try reader.text("pool") ?? container.pool
    if let labels = try reader.list("labels") {
      container.labels = Labels(labels.compactMap { if case .text(let label) = $0 { label } else { nil } })
    }
    let cpus = try reader.number("cpus")
    let memory = try reader.count("memory_mb")
    let disk = try reader.count("disk_mb")
    let gpus = try reader.count("gpus")
    container.resources = Resources(
      milliCPUs: cpus.map { Int((min($0, 1e6) * 1000).rounded()) } ?? container.resources.milliCPUs,
      memory: memory.map { ByteCount(mebibytes: Int64($0)) } ?? container.resources.memory,
      disk: disk.map { ByteCount(mebibytes: Int64($0)) } ?? container.resources.disk, gpus: gpus ?? container.resources.gpus)
    container.uses = try reader.count("uses") ?? container.uses
    container.repository = try reader.text("repository")
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

    func end() throws(Fault) {
      guard let unknown = fields.keys.sorted().first(where: { !asked.contains($0) }) else { return }
      let hint =
        Suggestion.nearest(to: unknown, among: asked).map { " – did you mean '\($0)'?" }
        ?? ": expected one of \(asked.sorted().joined(separator: ", "))"
      throw fault("unknown field '\(unknown)'\(hint)")
    }
  }
}
