import Domain
import Foundation
import Logging
import Testing

@testable import RunnerHub

@Suite("Logs that are kept")
struct LogRetentionTests {
  private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  private func retention(_ bench: Bench) -> LogRetention {
    LogRetention(transactor: bench.transactor, blobs: bench.blobs, settings: bench.settings, logger: logger)
  }

  private func names(_ bench: Bench) async throws -> [String] { try await bench.blobs.list("logs").map(\.name).sorted() }

  @Test("what grows no more is compressed, what is old goes, and what a running job writes is left alone")
  func life() async throws {
    let bench = try Bench { $0.logRetention = 1000 }
    let running = try await bench.running(1)
    let growing = LogCollector.blobName(of: running.id)
    await bench.blobs.put(10, as: growing, at: .distantPast)
    await bench.blobs.put(10, as: "logs/rest.log", at: bench.clock.now.addingTimeInterval(-100))
    await bench.blobs.put(10, as: "logs/fresh.log", at: bench.clock.now.addingTimeInterval(-10))
    await bench.blobs.put(10, as: "logs/old.log", at: bench.clock.now.addingTimeInterval(-1001))
    #expect(try await !retention(bench).turn())
    #expect(try await names(bench) == [growing, "logs/fresh.log", "logs/rest.log"].sorted())
    #expect(await bench.blobs.compressed == ["logs/rest.log"])
  }

  @Test("when all logs take too much, the oldest go, a few in each turn")
  func maximum() async throws {
    let bench = try Bench { $0.maximumLogs = ByteCount(bytes: 1000) }
    for number in 0..<200 {
      await bench.blobs.put(10, as: "logs/\(1000 + number).log", at: bench.clock.now.addingTimeInterval(Double(number) - 1000))
    }
    #expect(try await retention(bench).turn())
    #expect(try await names(bench).count == 136)
    while try await retention(bench).turn() {}
    #expect(try await names(bench).first == "logs/1100.log")
    #expect(try await names(bench).count == 100)
  }

  @Test("of a log that is too long the beginning is kept, and says so")
  func largest() async throws {
    let bench = try Bench()
    let assignment = try await bench.running(1)
    bench.engine.with { $0.boxes[assignment.containerID]?.log = Data(repeating: 97, count: 5000) }
    let collector = LogCollector(
      transactor: bench.transactor, engines: EngineRoster(engines: [bench.engine], pools: bench.settings.pools), blobs: bench.blobs,
      largest: ByteCount(bytes: 1000), logger: logger)
    let end = try #require(await collector.collect(assignment, from: bench.engine))
    let text = String(decoding: try await bench.blobs.read(LogCollector.blobName(of: assignment.id), from: 0, limit: 9999), as: UTF8.self)
    #expect(text == String(repeating: "a", count: 1000) + "\n\(LogCollector.cut(at: ByteCount(bytes: 1000)))\n")
    // Nothing more is asked for.
    #expect(await collector.collect(assignment, from: bench.engine) == end)
  }
}
