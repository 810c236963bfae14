import Foundation
import RunnerHub
import Storage
import StoreContract
import Testing

@Suite("SQLiteStore keeps the contract of the store")
struct SQLiteContractTests {
  @Test("in memory", arguments: StoreContract.all)
  func inMemory(contract: StoreContract) async throws {
    try await contract.check(try SQLiteStore())
  }

  @Test("in a file", arguments: StoreContract.all)
  func inFile(contract: StoreContract) async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path("store.sqlite"))
    try await contract.check(store)
    try store.close()
  }
}
