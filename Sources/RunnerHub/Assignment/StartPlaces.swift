/// How many starts may be under way: all together, and of them those for which an engine makes a container. What has no place waits in the
/// store, where it can still be reordered; an engine's own queue could not.
struct StartPlaces {
  /// One start.
  struct Start: Sendable {
    /// The engine that has to make a container for it; nil where a warm one is there.
    var maker: String?
  }

  /// Free places.
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

  /// - Returns: false where there is no place, and nothing was taken.
  mutating func take(_ start: Start) -> Bool {
    guard isFree(for: start) else { return false }
    all -= 1
    if let maker = start.maker { byMaker[maker]? -= 1 }
    return true
  }

  mutating func giveBack(_ start: Start) {
    all += 1
    if let maker = start.maker { byMaker[maker]? += 1 }
  }
}
