package import Domain

/// The engines by name, and the pools whose containers they run.
package struct EngineRoster: Sendable {
  package let engines: [String: any ContainerEngine]
  private let pools: [String: Pool]

  package init(engines: [any ContainerEngine], pools: [Pool]) {
    self.engines = Dictionary(engines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.pools = Dictionary(pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Throws: `invalid` when no engine of that name is configured any more.
  func engine(of container: Container) throws(EngineError) -> any ContainerEngine {
    guard let engine = engines[container.engine] else { throw .invalid("no engine \(container.engine) is configured") }
    return engine
  }

  /// nil when its pool was taken out of the configuration.
  func pool(of container: Container) -> Pool? { pools[container.pool] }

  /// What to make for a row. The same row gives the same specification.
  func spec(of container: Container) -> ContainerSpec {
    ContainerSpec(
      id: container.id, pool: container.pool, image: container.image, resources: container.resources,
      isReusable: pools[container.pool]?.reuse.isAllowed ?? false)
  }
}
