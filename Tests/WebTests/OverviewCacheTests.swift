import Foundation
import RunnerHub
import Synchronization
import Testing

@testable import Web

@Suite("One overview for all readers")
struct OverviewCacheTests {
  /// A clock that a test sets, and what was read with it.
  private final class Desk: Sendable {
    private let start = ContinuousClock.now
    private let elapsed = Mutex(Duration.zero)
    private let sizes = Mutex<[Int]>([])
    private let failure = Mutex<StoreError?>(nil)
    let overview: Overview

    init() async throws {
      overview = try await Sample.source(FixedStore(jobs: (1...3).map { Sample.job(id: $0) })).overview(jobs: 10)
    }

    var read: [Int] { sizes.withLock { $0 } }
    func pass(_ time: Duration) { elapsed.withLock { $0 += time } }
    func fail(with error: StoreError?) { failure.withLock { $0 = error } }
    func now() -> ContinuousClock.Instant { start + elapsed.withLock { $0 } }
    func read(_ rows: Int) throws(StoreError) -> Overview {
      let number = sizes.withLock {
        $0.append(rows)
        return $0.count
      }
      if let error = failure.withLock({ $0 }) { throw error }
      var overview = overview
      overview.decisions = number
      return overview
    }
  }

  private func ask(_ cache: OverviewCache, _ desk: Desk, jobs: Int = 200) async throws -> Overview {
    try await cache.overview(jobs: jobs) { (rows) async throws(StoreError) in try desk.read(rows) }
  }

  @Test("an overview is read anew when its pace has passed, and not before")
  func pace() async throws {
    let desk = try await Desk()
    let cache = OverviewCache(pace: .milliseconds(250)) { desk.now() }
    #expect(try await ask(cache, desk).decisions == 1)
    desk.pass(.milliseconds(249))
    #expect(try await ask(cache, desk).decisions == 1)
    desk.pass(.milliseconds(1))
    #expect(try await ask(cache, desk).decisions == 2)
    #expect(desk.read == [200, 200])
  }

  @Test("wishes for different numbers of rows share two sizes, and each gets its number")
  func sizes() async throws {
    let desk = try await Desk()
    let cache = OverviewCache(pace: .seconds(1)) { desk.now() }
    for limit in [1, 2, 3, 200, 201, 999, 1_000, 5_000, 0, -1] {
      #expect(try await ask(cache, desk, jobs: limit).jobs.count == min(3, max(0, limit)))
    }
    #expect(desk.read == [200, 1_000])
  }

  @Test("a failure is told and not kept")
  func failure() async throws {
    let desk = try await Desk()
    let cache = OverviewCache(pace: .seconds(1)) { desk.now() }
    desk.fail(with: .unavailable("locked"))
    await #expect(throws: StoreError.self) { try await ask(cache, desk) }
    desk.fail(with: nil)
    #expect(try await ask(cache, desk).decisions == 2)
  }

  /// Readings that wait at a gate until the test opens it.
  private actor Gate {
    private(set) var arrived = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isOpen = false

    func pass() async {
      arrived += 1
      if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }
    func open() {
      isOpen = true
      for continuation in waiting { continuation.resume() }
      waiting = []
    }
  }

  @Test("a hundred readers at once cost the store one reading, and it says of which change it is")
  func together() async throws {
    let gate = Gate()
    let source = Sample.source(FixedStore(jobs: [Sample.job()], onWaits: { await gate.pass() }))
    source.noteChange()
    try await withThrowingTaskGroup(of: Overview.self) { group in
      for _ in 0..<100 { group.addTask { try await source.overview(jobs: 200) } }
      try await within(.seconds(10)) { while await gate.arrived == 0 { await Task.yield() } }
      // While it is being read, a change comes: those who wait are told of the one before.
      source.noteChange()
      await gate.open()
      for try await overview in group { #expect(overview.revision == 1 && overview.jobs.count == 1) }
    }
    #expect(source.revision == 2)
    #expect(await gate.arrived == 1)
  }

  @Test("readers of events share the readings, and each is told the last change")
  func streams() async throws {
    let gate = Gate()
    await gate.open()
    let source = Sample.source(FixedStore(jobs: [Sample.job()], onWaits: { await gate.pass() }))
    try await withServer(
      { onServerRunning in
        AdministrationServer(
          source: source, metrics: PrometheusMetrics(),
          options: ListenerOptions(host: "127.0.0.1", port: 0, onServerRunning: onServerRunning), logger: quiet)
      },
      { client async throws in
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: String.self) { group in
          for _ in 0..<16 {
            group.addTask {
              try await client.exchange(["GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"]) { text in
                if source.revision == 0, text.contains(#""revision":0"#) { source.noteChange() }
                return text.contains(#""revision":1"#) || text.contains(#""revision":2"#)
              }
            }
          }
          for try await text in group { #expect(text.contains(#""revision":"#)) }
        }
        // At most one reading begins in each quarter of a second, however many read.
        let readings = await gate.arrived
        #expect(readings <= Int(began.duration(to: .now) / .milliseconds(250)) + 1)
      })
  }
}
