import Domain
import Foundation
import RunnerHub
import Web

/// Hosts, pools and containers as tables.
enum FleetTables {
  static func hosts(_ hosts: [HostRow], width: Int?) -> String {
    let rows = hosts.map { host in
      [
        host.name, state(host), share(host.taken.milliCPUs / 1000, host.capacity.map { $0.milliCPUs / 1000 }),
        share(host.taken.memory, host.capacity?.memory), share(host.taken.gpus, host.capacity?.gpus), "\(host.busy)/\(host.containers)",
        host.silentBecause.map(PrintableText.line) ?? host.pools.joined(separator: ", "),
      ]
    }
    return TextTable(columns: ["HOST", "STATE", "CPU", "MEMORY", "GPU", "BUSY", "POOLS"], rows: rows).text(width: width)
  }

  private static func state(_ host: HostRow) -> String {
    host.silentBecause != nil ? "silent" : host.closed?.rawValue ?? "open"
  }

  private static func share<Value>(_ taken: Value, _ all: Value?) -> String { all.map { "\(taken)/\($0)" } ?? "\(taken)/?" }

  static func pools(_ pools: [PoolPicture], width: Int?) -> String {
    let rows = pools.map { pool in
      [
        pool.name, pool.closed?.rawValue ?? "open", "\(pool.total) (\(pool.minimum)–\(pool.maximum))", "\(pool.busy)",
        "\(pool.idle)/\(pool.warm)",
        "\(pool.starting)", pool.resources.summary, pool.hosts.joined(separator: ", "), pool.labels.description,
      ]
    }
    return TextTable(
      columns: ["POOL", "STATE", "CONTAINERS", "BUSY", "IDLE/WARM", "STARTING", "SIZE", "HOSTS", "LABELS"], rows: rows
    ).text(width: width)
  }

  static func pool(_ pool: PoolPicture, _ containers: [ContainerRow], width: Int?) -> String {
    let facts = [
      ("pool", pool.name), ("state", pool.closed?.rawValue ?? "open"), ("engine", pool.engine),
      ("hosts", pool.hosts.joined(separator: ", ")),
      ("image", pool.image), ("labels", pool.labels.description), ("size", pool.resources.summary),
      ("bounds", "\(pool.minimum) to \(pool.maximum), \(pool.warm) warm"),
      ("now", "\(pool.total): \(pool.busy) busy, \(pool.idle) idle, \(pool.starting) starting, \(pool.ending) ending"),
    ]
    let images = pool.images.sorted { $0.key < $1.key }.map { ("image on \($0.key)", text(of: $0.value)) }
    let renewal = pool.renewedAt.map { [("refreshed", "\($0.formatted(.iso8601)), \(pool.outdated) still to be replaced")] } ?? []
    return list(facts + renewal + images) + (containers.isEmpty ? "" : "\n\n" + self.containers(containers, width: width))
  }

  private static func text(of image: ImageState) -> String {
    switch image {
    case .present: "there"
    case .fetching(let progress): "being fetched: \(PrintableText.line(progress))"
    case .failed(let why): PrintableText.line(why)
    }
  }

  static func containers(_ rows: [ContainerRow], width: Int?) -> String {
    if rows.isEmpty { return "no containers" }
    let rows = rows.map { row in
      [
        row.name, row.pool, row.engine, state(row), row.isHealthy ? "yes" : "no", "\(row.uses)", age(row.ageSeconds),
        row.assignment?.rawValue ?? "–", PrintableText.line(row.detail ?? ""),
      ]
    }
    return TextTable(
      columns: ["CONTAINER", "POOL", "HOST", "STATE", "HEALTHY", "USES", "AGE", "RUNNER", "DETAIL"], rows: rows
    ).text(width: width)
  }

  static func container(_ row: ContainerRow) -> String {
    list([
      ("container", row.name), ("id", row.id.rawValue), ("pool", row.pool), ("host", row.engine), ("image", row.image),
      ("state", state(row)),
      ("healthy", row.isHealthy ? "yes" : "no"), ("uses", "\(row.uses)"), ("age", age(row.ageSeconds)),
      ("runner", row.assignment?.rawValue ?? "none"), ("detail", PrintableText.line(row.detail ?? "–")),
    ])
  }

  private static func state(_ row: ContainerRow) -> String { row.state.rawValue.lowercased() + (row.isCordoned ? ", cordoned" : "") }

  private static func list(_ facts: [(String, String)]) -> String {
    let width = facts.map(\.0.count).max() ?? 0
    return facts.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
  }

  /// `42 s`, `7 min`, `3 h`, `12 d`
  private static func age(_ seconds: Double) -> String {
    switch seconds {
    case ..<90: "\(Int(seconds)) s"
    case ..<5400: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86_400)) d"
    }
  }
}
