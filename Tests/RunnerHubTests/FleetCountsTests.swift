import Domain
import Foundation
import RunnerHub
import Scheduling
import Testing

@Suite("Containers counted row by row")
struct FleetCountsTests {
  private let now = Date(timeIntervalSince1970: 1_780_000_000)
  private let pools = ["linux", "large"].map { name in
    Pool(
      name: name, engine: "engine-\(name)", image: "stand-in", labels: ["linux"],
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1)), minimum: 0, maximum: 10, warm: 0)
  }

  @Test("whatever happens to rows, the fleet and the room of hosts are those of a count of all", arguments: 0..<8 as Range<UInt64>)
  func walk(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var rows: [Container] = []
    var counts = FleetCounts()
    for step in 0..<400 {
      if rows.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
        let container = Container(pool: pools[step % 2], host: "process", token: "\(step)", at: now)
        counts.replace(nil, by: container)
        rows.append(container)
      } else {
        let index = rows.indices.randomElement(using: &random) ?? 0
        if Int.random(in: 0..<6, using: &random) == 0 {
          counts.replace(rows.remove(at: index), by: nil)
        } else {
          let old = rows[index]
          change(&rows[index], &random)
          counts.replace(old, by: rows[index])
        }
      }
      let counted = FleetCounts(rows)
      #expect(fleet(counts) == fleet(counted))
      #expect(places(counts) == places(counted))
    }
  }

  private func change(_ container: inout Container, _ random: inout SeededGenerator) {
    container.state = ContainerState.allCases.randomElement(using: &random) ?? .ready
    container.assignment = Bool.random(using: &random) ? AssignmentID(rawValue: "rh-1") : nil
    // More than a list of the fleet holds.
    container.trustScope = Bool.random(using: &random) ? "acme/\(Int.random(in: 0..<150, using: &random))" : nil
  }

  private func fleet(_ counts: FleetCounts) -> PolicyFleet {
    FleetObserver.fleet(pools: pools, counts: counts, queue: [], isDraining: false, now: now)
  }

  /// With a claim, so that what comes free counts.
  private func places(_ counts: FleetCounts) -> [Int] {
    let host = Resources(milliCPUs: 60_000, memory: ByteCount(gibibytes: 1000), disk: ByteCount(gibibytes: 100_000))
    let claims = pools.map {
      Plan.Claim(pool: $0.name, engine: $0.engine, resources: Resources(milliCPUs: 9000, memory: ByteCount(bytes: 0)))
    }
    let room = HostRoom(
      hosts: Dictionary(uniqueKeysWithValues: pools.map { ($0.engine, host) }), load: counts.load, limit: 200, claims: claims)
    return pools.map(room.places)
  }

  @Test("more repositories than the list has: those with the most containers are in it, then by name")
  func most() {
    var counts = FleetCounts()
    for number in 0..<130 {
      for use in 0...(number % 2) {
        var container = Container(pool: pools[0], host: "process", token: "\(number)-\(use)", at: now)
        container.assignment = AssignmentID(rawValue: "rh-\(number)")
        container.trustScope = "acme/\(1000 + number)"
        counts.replace(nil, by: container)
      }
    }
    let seen = fleet(counts).repositories
    #expect(seen.count == PolicyFleet.listLimit)
    #expect(seen.prefix(65).allSatisfy { $0.active == 2 } && seen.dropFirst(65).allSatisfy { $0.active == 1 })
    #expect(seen.dropFirst(65).map(\.repository) == (0..<35).map { "acme/\(1000 + 2 * $0)" })
  }
}
