import Contracts
import Domain
import Foundation
import RunnerHub
import Testing

@testable import Engines

@Suite("DockerEngine")
struct DockerEngineTests {
  @Test("keeps the contract of container engines", .timeLimit(.minutes(2)), arguments: ContainerEngineContract.promises)
  func keepsTheContract(_ promise: Promise) async throws {
    try await promise.keep(on: try await DockerBench())
  }
}
