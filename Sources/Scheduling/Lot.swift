import Domain

/// The live containers of one pool on one engine, summed up.
struct Lot {
  let pool: String
  let engine: String
  private(set) var count = 0
  private(set) var resources = Resources.nothing
  /// Those that a job has, where that was asked.
  var held = 0

  fileprivate init(pool: String, engine: String) {
    self.pool = pool
    self.engine = engine
  }

  mutating func add(_ resources: Resources) {
    count += 1
    self.resources = self.resources.adding(resources)
  }
}

extension [Lot] {
  /// The place of a pool on an engine, which is made where there is none. Pools are few, and neighbouring rows mostly of one: to compare names
  /// costs less than to hash them.
  /// - Parameter last: the place of the row before.
  mutating func place(of pool: String, on engine: String, after last: Int) -> Int {
    if last < count, self[last].pool == pool, self[last].engine == engine { return last }
    if let known = firstIndex(where: { $0.pool == pool && $0.engine == engine }) { return known }
    append(Lot(pool: pool, engine: engine))
    return count - 1
  }
}
