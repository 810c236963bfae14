import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static var bindings: [StoreContract] {
    [
      StoreContract("an assignment and a container come back whole, with the version that the commit answered") { store async throws in
        var container = Sample.container("c1")
        container.health = HealthStatus(isHealthy: false, failures: 2, detail: "no answer")
        container.lastHeartbeat = Date(timeIntervalSinceReferenceDate: 800_000_000.000_123)
        var assignment = Sample.assignment("r1")
        assignment.runnerID = 42
        let (newContainer, newAssignment) = (container, assignment)
        let stored = try await store.commit {
          $0.containers = [newContainer]
          $0.assignments = [newAssignment]
        }
        container.version = 1
        assignment.version = 1
        #expect(stored.containers == [container] && stored.assignments == [assignment])
        #expect(try await store.container(container.id) == container)
        #expect(try await store.assignment(assignment.id) == assignment)
        #expect(try await store.container(ContainerID(rawValue: "404")) == nil)
        #expect(try await store.assignment(AssignmentID(rawValue: "404")) == nil)
      },
      StoreContract("an old version of an assignment or a container is a conflict, and so is a second new one") { store async throws in
        let stored = try await store.commit {
          $0.containers = [Sample.container("c1")]
          $0.assignments = [Sample.assignment("r1")]
        }
        #expect(try await conflicts { try await store.commit { $0.containers = [Sample.container("c1")] } })
        #expect(try await conflicts { try await store.commit { $0.assignments = [Sample.assignment("r1")] } })
        try await store.commit {
          $0.containers = stored.containers
          $0.assignments = stored.assignments
        }
        #expect(try await conflicts { try await store.commit { $0.containers = stored.containers } })
        #expect(try await conflicts { try await store.commit { $0.assignments = stored.assignments } })
      },
      StoreContract("two assignments exchange their jobs in one commit, or not at all") { store async throws in
        var both = try await store.commit {
          $0.assignments = [Sample.assignment("r1", job: 1), Sample.assignment("r2", job: 2, container: "c2")]
        }.assignments
        let old = both[1]
        (both[0].jobID, both[1].jobID) = (both[1].jobID, both[0].jobID)
        let exchanged = both
        try await store.commit { $0.assignments = exchanged }
        #expect(try await store.activeAssignments().map(\.jobID.rawValue) == ["2", "1"])
        let current = try await store.activeAssignments()
        #expect(try await conflicts { try await store.commit { $0.assignments = [current[0], old] } })
        #expect(try await store.activeAssignments() == current)
        #expect(try await store.assignments(ofJob: JobID(rawValue: "2")).map(\.id.rawValue) == ["r1"])
      },
      StoreContract("active assignments are those not released, oldest first; those of a job include the released") { store async throws in
        var stored = try await store.commit {
          $0.assignments = [Sample.assignment("r3", at: 3), Sample.assignment("r1", at: 1), Sample.assignment("r2", job: 2, at: 2)]
        }.assignments
        #expect(try await store.activeAssignments().map(\.id.rawValue) == ["r1", "r2", "r3"])
        stored[1].phase = .released
        stored[1].releasedAt = Sample.time(9)
        let released = stored[1]
        try await store.commit { $0.assignments = [released] }
        #expect(try await store.activeAssignments().map(\.id.rawValue) == ["r2", "r3"])
        #expect(try await store.assignments(ofJob: JobID(rawValue: "1")).map(\.id.rawValue) == ["r1", "r3"])
      },
      StoreContract("live containers are those not gone, oldest first; recent ones are live and the latest gone, newest first") {
        store async throws in
        try await store.commit {
          $0.containers = [
            Sample.container("c5", state: .gone, at: 5), Sample.container("c1", at: 1), Sample.container("c4", state: .gone, at: 4),
            Sample.container("c2", state: .gone, at: 2), Sample.container("c3", state: .terminating, at: 3),
          ]
        }
        #expect(try await store.liveContainers().map(\.id.rawValue) == ["c1", "c3"])
        #expect(try await store.recentContainers(limit: 4).map(\.id.rawValue) == ["c5", "c4", "c3", "c1"])
        #expect(try await store.recentContainers(limit: 1).map(\.id.rawValue) == ["c3"])
      },
    ]
  }
}
