/// A job's name with its expressions as wildcards.
struct NamePattern {
  /// Names are at most 100 characters long, so more of a pattern decides nothing.
  private static let maximumPieces = 400

  private enum Piece: Equatable {
    case character(Character)
    case wildcard
  }

  private let pieces: [Piece]

  /// - Parameter matrix: decides the expressions that name nothing else; nil where it is not known.
  init(_ text: String, matrix: ExpressionObject?) {
    guard let segments = try? ExpressionTemplate.segments(of: text) else {
      // Refused when the file was read; taken literally it matches nothing that GitHub would show.
      self.init(text.map(Piece.character))
      return
    }
    self.init(
      segments.flatMap { segment -> [Piece] in
        switch segment {
        case .literal(let literal): return literal.map(Piece.character)
        case .expression(let source):
          guard let matrix, let value = MatrixExpression.value(of: "${{ \(source) }}", matrix: matrix) else { return [.wildcard] }
          return value.text.map(Piece.character)
        }
      })
  }

  private init(_ pieces: [Piece]) {
    self.pieces = pieces.count > Self.maximumPieces ? pieces.prefix(Self.maximumPieces) + [.wildcard] : pieces
  }

  /// The pattern with ` (…)` behind it.
  var followedByValues: NamePattern { NamePattern(pieces + [.character(" "), .character("("), .wildcard, .character(")")]) }

  /// Whether GitHub may show this name; a name that ends in `...` at full length may be the beginning of what matches.
  func matches(_ name: String) -> Bool {
    let isCut = name.count == JobNaming.maximumLength && name.hasSuffix("...")
    var states = closure([0])
    for character in isCut ? name.dropLast(3) : name[...] {
      var next: Set<Int> = []
      for state in states where state < pieces.count {
        switch pieces[state] {
        case .wildcard: next.insert(state)
        case .character(let expected): if expected == character { next.insert(state + 1) }
        }
      }
      states = closure(next)
      if states.isEmpty { return false }
    }
    return isCut || states.contains(pieces.count)
  }

  /// A wildcard may stand for nothing.
  private func closure(_ states: Set<Int>) -> Set<Int> {
    var all = states
    for start in states {
      var state = start
      while state < pieces.count, pieces[state] == .wildcard {
        state += 1
        all.insert(state)
      }
    }
    return all
  }
}
