/// What an operator has closed to new jobs. What runs there goes on; drained, it ends as soon as its job has.
package struct Cordons: Hashable, Sendable, Codable {
  /// How far a thing is closed.
  package enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing new goes there; idle containers stay.
    case cordoned
    /// Nothing new goes there, and idle containers end.
    case draining
  }

  /// By the name of the engine host.
  package var hosts: [String: Mode]
  package var pools: [String: Mode]

  package init(hosts: [String: Mode] = [:], pools: [String: Mode] = [:]) {
    self.hosts = hosts
    self.pools = pools
  }

  /// How far a place is closed by its pool or its host; nil: it is open.
  package func mode(pool: String, host: String) -> Mode? {
    if hosts.isEmpty && pools.isEmpty { return nil }
    let found = [pools[pool], hosts[host]].compactMap { $0 }
    return found.contains(.draining) ? .draining : found.first
  }
}
