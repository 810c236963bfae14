import Domain
import Foundation
import RunnerHub
import Testing

@Suite("How the orchestrator does")
struct OrchestratorMonitorTests {
  private let now = Sample.start
  private func started() -> OrchestratorMonitor {
    let monitor = OrchestratorMonitor(startedAt: now)
    for component in [Component.store, .engine, .policies] { monitor.report(component, at: now) }
    return monitor
  }

  @Test("it is initializing until store, engine and policies answered; the forge may be slow")
  func start() {
    let monitor = OrchestratorMonitor(startedAt: now)
    #expect(monitor.state == .initializing)
    monitor.report(.store, at: now)
    monitor.report(.engine, failing: "no host", at: now)
    monitor.report(.policies, at: now)
    #expect(monitor.state == .initializing)
    monitor.report(.engine, at: now)
    #expect(monitor.state == .ready)
    #expect(monitor.health(at: now).isReady)
  }

  @Test("jobs, resizing, draining and stopping each show")
  func derived() {
    let monitor = started()
    monitor.observe(jobs: [.running: 2, .queued: 9])
    #expect(monitor.state == .processing)
    monitor.observe(containers: [.busy: 2, .creating: 1], resizing: 1)
    #expect(monitor.state == .scaling)
    monitor.beganDraining()
    #expect(monitor.state == .draining)
    #expect(!monitor.health(at: now).isReady)
    monitor.stopped()
    #expect(monitor.state == .stopped)
  }

  @Test("only the store's failure is an error of the whole, and it passes")
  func critical() {
    let monitor = started()
    monitor.report(.forge, failing: "throttled", at: now)
    monitor.report(.engine, failing: "no answer", at: now)
    #expect(monitor.state == .ready)
    monitor.report(.store, failing: "disk full", at: now)
    #expect(monitor.state == .error)
    monitor.report(.store, at: now)
    #expect(monitor.state == .ready)
  }

  @Test("a component's status has its beginning, its detail and the number of failures")
  func since() throws {
    let monitor = started()
    monitor.report(.forge, failing: "502", at: now.addingTimeInterval(5))
    monitor.report(.forge, failing: "503", at: now.addingTimeInterval(9))
    let forge = try #require(monitor.health(at: now).components.first { $0.component == .forge })
    #expect(forge == ComponentHealth(component: .forge, status: .failing, detail: "503", since: now.addingTimeInterval(5), failures: 2))
    monitor.report(.forge, at: now.addingTimeInterval(10))
    let mended = try #require(monitor.health(at: now).components.first { $0.component == .forge })
    #expect(mended == ComponentHealth(component: .forge, status: .ok, since: now.addingTimeInterval(10)))
  }

  @Test("a health report survives JSON")
  func json() throws {
    let monitor = started()
    monitor.observe(jobs: [.queued: 3])
    let report = monitor.health(at: now)
    #expect(try JSONDecoder().decode(HealthReport.self, from: JSONEncoder().encode(report)) == report)
    #expect(report.jobs == ["queued": 3])
  }

  @Test("metric names are unique, follow Prometheus' rules, and name no job")
  func names() {
    let names = HubMetrics.Name.allCases.map(\.rawValue)
    #expect(Set(names).count == names.count)
    for name in names { #expect(name.wholeMatch(of: /runnerhub_[a-z]+(_[a-z]+)*/) != nil) }
  }
}
