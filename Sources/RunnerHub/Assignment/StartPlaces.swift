/// How many starts may be under way: all together, and of them those for which an engine makes a container. What has no place waits in the
/// store, where it can still be reordered; an engine's own queue could not.
package struct StartPlaces {
  /// One start.
  package struct Start: Sendable {
    /// The engine that has to make a container for it; nil where a warm one is there.
    package var maker: String?
    package init(maker: String?) { self.maker = maker }
  }

  /// Free places.
  private var all: Int
  private var byMaker: [String: Int]

  /// - Parameters:
  ///   - all: starts at once.
  ///   - byMaker: containers that an engine makes at once; no entry: as many as there are starts.
  package init(all: Int, byMaker: [String: Int]) {
    self.all = all
    self.byMaker = byMaker
  }

  package func isFree(for start: Start) -> Bool {
    all > 0 && (start.maker.flatMap { byMaker[$0] } ?? 1) > 0
  }

  /// - Returns: false where there is no place, and nothing was taken.
  package mutating func take(_ start: Start) -> Bool {
    guard isFree(for: start) else { return false }
    all -= 1
    if let maker = start.maker { byMaker[maker]? -= 1 }
    return true
  }

  package mutating func giveBack(_ start: Start) {
    all += 1
    if let maker = start.maker { byMaker[maker]? += 1 }
  }
}
