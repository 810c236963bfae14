/// One subject of docs/benchmarks.md.
protocol Benchmark: Sendable {
  /// One word, for the command line.
  static var name: String { get }
  static func figures(in surroundings: Surroundings) async throws -> [Figure]
}

/// What a benchmark may use.
struct Surroundings {
  let workshop: Workshop
  /// Folder of the Lua policies.
  let policies: String
}
