import Domain
import Foundation
import Hummingbird
import Mustache
import NIOCore
import RunnerHub

/// The status page: rendered here in full, so that it works without a script; a script only fetches it again when something changed.
struct StatusPage: Sendable {
  private let template: MustacheTemplate

  /// - Throws: when the template that is built in cannot be read.
  init() throws {
    template = try MustacheTemplate(string: String(decoding: PackageResources.status_html, as: UTF8.self))
  }

  func response(_ overview: Overview) -> Response {
    // A nonce that no page can know before: only our own style and script run.
    let nonce = String((0..<32).map { _ in "0123456789abcdef".randomElement() ?? "0" })
    var headers: HTTPFields = [.contentType: "text/html; charset=utf-8"]
    headers[.contentSecurityPolicy] =
      "default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: render(overview, nonce: nonce))))
  }

  func render(_ overview: Overview, nonce: String) -> String {
    template.render(View(overview, nonce: nonce))
  }

  /// What the template names: texts only, escaped by the template.
  private struct View {
    struct Fact {
      var name: String
      var value: String
    }
    struct JobView {
      var name, repository, route, priority, state, tone, container, wait, run, why, href: String
    }
    struct AlertView {
      var severity, title, text, since, tone: String
    }
    struct EventView {
      var at, what, bundle, actor, detail, tone: String
    }
    struct PoolView {
      var name, idle, busy, total, bounds: String
    }
    struct ContainerView {
      var name, pool, state, uses, age, detail: String
    }
    var nonce: String
    var state: String
    var facts: [Fact]
    var alerts: [AlertView]
    var jobs: [JobView]
    var hasNoJobs: Bool
    var pools: [PoolView]
    var containers: [ContainerView]
    var hasNoContainers: Bool
    var refusal: [Fact]
    var policyEvents: [EventView]
    var hasNoPolicyEvents: Bool

    init(_ overview: Overview, nonce: String) {
      self.nonce = nonce
      state = overview.state.rawValue
      facts = [
        Fact(name: "jobs", value: Self.counts(overview.jobCounts)), Fact(name: "deliveries", value: Self.counts(overview.deliveryCounts)),
        Fact(
          name: "wait",
          value: "p50 \(Self.span(overview.waits.p50Seconds)), p95 \(Self.span(overview.waits.p95Seconds)) of \(overview.waits.count)"),
        Fact(name: "utilisation", value: "\(Int((overview.utilisation * 100).rounded())) %"),
        Fact(name: "policies", value: "\(overview.policies.bundle), \(overview.decisions) decisions"),
        Fact(name: "plugins", value: Self.plugins(overview.plugins)),
        Fact(name: "up since", value: overview.startedAt.formatted(.iso8601)), Fact(name: "as of", value: overview.at.formatted(.iso8601)),
      ]
      alerts = overview.alerts.map {
        AlertView(
          severity: $0.severity.rawValue, title: $0.title, text: $0.text, since: $0.raisedAt.formatted(.iso8601),
          tone: $0.severity == .info ? "plain" : "bad")
      }
      jobs = overview.jobs.map(Self.job)
      hasNoJobs = overview.jobs.isEmpty
      pools = overview.pools.map {
        PoolView(
          name: $0.name, idle: "\($0.idle)", busy: "\($0.busy)", total: "\($0.total)",
          bounds: "\($0.minimum)…\($0.maximum), warm \($0.warm)")
      }
      containers = overview.containers.map {
        ContainerView(
          name: $0.name, pool: $0.pool, state: $0.state.rawValue, uses: "\($0.uses)", age: Self.span($0.ageSeconds), detail: $0.detail ?? ""
        )
      }
      hasNoContainers = overview.containers.isEmpty
      policyEvents = overview.policyEvents.map { event in
        EventView(
          at: event.at.formatted(.iso8601), what: "\(event.kind.rawValue) (\(event.slot.rawValue))", bundle: event.bundle ?? "–",
          actor: event.actor, detail: event.detail ?? "", tone: event.kind == .refused ? "bad" : "plain")
      }
      hasNoPolicyEvents = overview.policyEvents.isEmpty
      refusal = overview.policies.refusal.map { [Fact(name: "policies refused", value: $0)] } ?? []
    }

    private static func job(_ row: JobRow) -> JobView {
      let mark = row.conclusion.map { $0 == .success ? " ✓" : " ✗ \($0)" } ?? ""
      let isBad = row.state == .failed || row.state == .refused || row.conclusion.map { $0 != .success && $0 != .skipped } ?? false
      return JobView(
        name: row.name, repository: row.repository, route: row.route?.rawValue ?? "–", priority: row.priority ?? "–",
        state: row.isRefused ? JobState.refused.rawValue : row.state.rawValue + mark,
        tone: isBad ? "bad" : row.conclusion == .success ? "good" : "plain",
        container: row.container ?? "–",
        wait: span(row.waitSeconds), run: span(row.runSeconds), why: row.why, href: "/jobs/\(row.id)")
    }

    /// How many are in which state, and those that are not well by name.
    private static func plugins(_ plugins: [PluginStatus]) -> String {
      let states = counts(Dictionary(plugins.map { ($0.state.rawValue, 1) }, uniquingKeysWith: +))
      let broken = plugins.filter(\.isBroken).map { "\($0.name) \($0.state.rawValue)" }
      return broken.isEmpty ? states : "\(states); \(broken.joined(separator: ", "))"
    }

    private static func counts(_ counts: [String: Int]) -> String {
      let text = counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      return text.isEmpty ? "none" : text
    }

    /// `4 ms`, `1.2 s`, `3 min 5 s`, `2 h 7 min`; a dash where nothing is known.
    static func span(_ seconds: Double?) -> String {
      guard let seconds, seconds.isFinite, seconds < 1e9 else { return "–" }
      if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
      if seconds < 60 { return "\((seconds * 10).rounded() / 10) s" }
      let whole = Int(seconds)
      return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
  }
}
