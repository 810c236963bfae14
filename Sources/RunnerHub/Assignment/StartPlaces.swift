/// How many starts may be under way: all together, and of them those for which an engine makes a container. What has no place waits in the
/// store, where it can still be reordered; an engine's own queue could not.
struct StartPlaces {
  /// One start.
  struct Start {
    /// The engine that has to make a container for it; nil where a warm one is there.
    var maker: String?
  }

  private var all: Int
  private var byMaker: [String: Int]

  /// - Parameters:
  ///   - all: starts at once.
  ///   - byMaker: containers that an engine makes at once; no entry: as many as there are starts.
  init(all: Int, byMaker: [String: Int]) {
    self.all = all
    self.byMaker = byMaker
  }

  func isFree(for start: Start) -> Bool {
    all > 0 && (start.maker.flatMap { byMaker[$0] } ?? 1) > 0
  }

  mutating func take(_ start: Start) {
    all -= 1
    if let maker = start.maker { byMaker[maker]? -= 1 }
  }
}
