import Foundation
import RunnerHub

/// Values that are read from the store when Prometheus asks. Their number does not grow with jobs.
enum ScrapeMetrics {
  static func render(_ overview: Overview) -> String {
    gauge("runnerhub_jobs", "Jobs by state.", overview.jobCounts.sorted { $0.key < $1.key }.map { ([("state", $0.key)], Double($0.value)) })
      + gauge(
        "runnerhub_deliveries", "Deliveries in the inbox by status.",
        overview.deliveryCounts.sorted { $0.key < $1.key }.map { ([("status", $0.key)], Double($0.value)) })
      + gauge(
        "runnerhub_pool_containers", "Live containers of a pool by what they do.",
        overview.pools.flatMap { pool in
          [("busy", pool.busy), ("idle", pool.idle), ("other", max(0, pool.total - pool.busy - pool.idle))]
            .map { ([("pool", pool.name), ("use", $0.0)], Double($0.1)) }
        })
      + gauge("runnerhub_utilisation_ratio", "Held containers of all live containers.", [([], overview.utilisation)])
      + gauge("runnerhub_decisions", "Decisions that are kept.", [([], Double(overview.decisions))])
      + gauge(
        "runnerhub_policy_bundle_info", "1 for the bundle that acts in this process.", [([("bundle", overview.policies.bundle)], 1)])
      + gauge(
        "runnerhub_policy_refused", "1 while the newest revision of the policies folder does not act.",
        [([], overview.policies.refusal == nil ? 0 : 1)])
      + gauge(
        "runnerhub_policy_last_change_timestamp_seconds", "When the bundle that acts was put into place.",
        overview.policies.loadedAt.map { [([], $0.timeIntervalSince1970)] } ?? [])
  }

  /// Whether the values above could be read.
  static func scraped(_ isRead: Bool) -> String {
    gauge("runnerhub_store_up", "1 when the store answered this scrape.", [([], isRead ? 1 : 0)])
  }

  private static func gauge(_ name: String, _ help: String, _ values: [([(String, String)], Double)]) -> String {
    guard !values.isEmpty else { return "" }
    let lines = values.map { dimensions, value in
      "\(name)\(dimensions.isEmpty ? "" : "{\(PrometheusText.labels(dimensions))}") \(PrometheusText.number(value))\n"
    }
    return "# HELP \(name) \(help)\n# TYPE \(name) gauge\n" + lines.joined()
  }
}
