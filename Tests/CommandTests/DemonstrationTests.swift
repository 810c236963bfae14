import Domain
import Foundation
import Testing
import Web

@testable import Command

@Suite("The demonstration's judge")
struct DemonstrationTests {
  typealias Case = (ending: DemoRepository.Ending, row: JobRow)

  private static let container = ContainerID(rawValue: "warm-1")
  private static let succeeded = Sample.row("a", state: .completed) { $0.conclusion = .success }
  private static let failed = Sample.row("a", state: .completed) { $0.conclusion = .failure }
  private static let forwarded = Sample.row("a", state: .completed, route: .traditional) { $0.conclusion = .success }
  private static let refused = Sample.row("a", state: .cancelled) { $0.refusal = "image x is not approved" }

  @Test(
    "a job that ended as it should gives no complaint",
    arguments: [(.success, succeeded), (.failure, failed), (.forwarded, forwarded), (.refused, refused)] as [Case])
  func rightEndings(ending: DemoRepository.Ending, row: JobRow) {
    #expect(ending.complaint(about: row) == nil)
  }

  @Test(
    "every wrong ending gives a complaint",
    arguments: [
      (.success, failed), (.success, forwarded), (.success, refused), (.success, Sample.row("a", state: .running)),
      (.success, Sample.row("a", state: .completed) { $0.conclusion = .cancelled }), (.success, Sample.row("a", state: .failed)),
      (.failure, succeeded), (.failure, forwarded), (.failure, refused), (.failure, Sample.row("a", state: .failed)),
      (.forwarded, succeeded), (.forwarded, failed), (.forwarded, refused),
      (.forwarded, Sample.row("a", state: .forwarded, route: .traditional)),
      (.forwarded, Sample.row("a", state: .completed, route: .traditional) { $0.containerID = container }),
      (.refused, succeeded), (.refused, failed), (.refused, forwarded), (.refused, Sample.row("a", state: .cancelled)),
      (
        .refused,
        Sample.row("a", state: .cancelled) {
          $0.refusal = "image x is not approved"
          $0.containerID = container
        }
      ),
    ] as [Case])
  func wrongEndings(ending: DemoRepository.Ending, row: JobRow) throws {
    let complaint = try #require(ending.complaint(about: row))
    #expect(complaint.hasPrefix("a should have ended as \(ending), but is "))
    #expect(complaint.contains(row.state.rawValue))
  }

  @Test("a job overtakes what was queued before it and began after it")
  func overtaken() {
    func job(_ name: String, queued: Double?, started: Double?) -> Job {
      Sample.job(name, state: .running) {
        $0.queuedAt = queued.map(Sample.time)
        $0.startedAt = started.map(Sample.time)
      }
    }
    let deploy = job("deploy", queued: 2, started: 3)
    let others = [
      deploy, job("overtaken", queued: 1, started: 4), job("too", queued: 0, started: 9), job("began earlier", queued: 1, started: 2.5),
      job("came later", queued: 2.5, started: 5), job("never began", queued: 1, started: nil), job("never queued", queued: nil, started: 5),
      job("same moment", queued: 2, started: 4),
    ]
    #expect(DemoRun.overtaken(by: deploy, among: others) == 2)
    #expect(DemoRun.overtaken(by: nil, among: others) == 0)
    #expect(DemoRun.overtaken(by: job("deploy", queued: 2, started: nil), among: others) == 0)
  }

  @Test("the endings name every job that the demonstration's workflows hold")
  func jobs() {
    let endings = DemoRepository.endings
    #expect(endings.count == 13)
    #expect(endings.values.count { $0 == .failure } == 1)
    #expect(endings.values.count { $0 == .forwarded } == 1)
    #expect(endings.values.count { $0 == .refused } == 1)
    let files = DemoRepository.pushed.merging(DemoRepository.released) { own, _ in own }
    #expect(files.count == 5)
    for name in endings.keys {
      let key = name.prefix { $0 != " " }
      #expect(files.values.contains { $0.contains("\n  \(key):\n") }, "\(name)")
    }
  }
}
