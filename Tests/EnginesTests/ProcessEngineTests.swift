import Contracts
import Testing

@Suite("ProcessEngine")
struct ProcessEngineTests {
  @Test("keeps the contract of container engines", .timeLimit(.minutes(2)), arguments: ContainerEngineContract.promises)
  func keepsTheContract(_ promise: Promise) async throws {
    try await promise.keep(on: ProcessBench())
  }
}
