import Domain

/// A moment at which RunnerHub can be made to die, so that a test sees the next start go on from there: before or after a commit or an outward call.
///
/// Written `register:after`. All of them: `Failpoint.allCases`.
package struct Failpoint: Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// What it stands beside.
  package enum Step: Hashable, Sendable, CaseIterable {
    case commit(CommitPoint)
    case call(OutwardCall)

    package static var allCases: [Step] { CommitPoint.allCases.map(Step.commit) + OutwardCall.allCases.map(Step.call) }

    package var name: String {
      switch self {
      case .commit(let point): point.rawValue
      case .call(let call): call.rawValue
      }
    }
  }

  package enum Moment: String, Sendable, CaseIterable {
    /// Decided, and nothing done.
    case before
    /// Done, and nobody told. Not reached where the step failed.
    case after
  }

  package var step: Step
  package var moment: Moment

  package init(_ step: Step, _ moment: Moment) {
    self.step = step
    self.moment = moment
  }

  package static var allCases: [Failpoint] { Step.allCases.flatMap { step in Moment.allCases.map { Failpoint(step, $0) } } }
  package var description: String { "\(step.name):\(moment.rawValue)" }
}

/// One failpoint, and which of its hits counts: `put:after:2` is the second.
package struct FailpointOrder: Hashable, Sendable, CustomStringConvertible {
  package var failpoint: Failpoint
  /// From 1.
  package var hit: Int

  package init(_ failpoint: Failpoint, hit: Int = 1) {
    self.failpoint = failpoint
    self.hit = max(1, hit)
  }

  /// - Throws: `UnknownFailpoint`, which names the nearest one.
  package init(_ text: String) throws(UnknownFailpoint) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let name = parts.prefix(2).joined(separator: ":")
    guard let failpoint = Failpoint.allCases.first(where: { $0.description == name }) else { throw UnknownFailpoint(name: name) }
    guard parts.count > 2 else {
      self.init(failpoint)
      return
    }
    guard parts.count == 3, let hit = Int(parts[2]), hit > 0 else {
      throw UnknownFailpoint("\"\(text)\": after \(name) comes nothing, or the number of the hit from 1, as in \(name):3")
    }
    self.init(failpoint, hit: hit)
  }

  package var description: String { hit == 1 ? failpoint.description : "\(failpoint):\(hit)" }
}

/// A failpoint's name that is none.
package struct UnknownFailpoint: Error, Hashable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }

  init(name: String) {
    if Failpoint.Step.allCases.contains(where: { $0.name == name }) {
      self.init("\"\(name)\" lacks its moment: \(name):before or \(name):after")
      return
    }
    let nearest = Suggestion.nearest(to: name, among: Failpoint.allCases.lazy.map(\.description))
    self.init("there is no failpoint \"\(name)\"" + (nearest.map { "; did you mean \($0)?" } ?? ": docs/failpoints.md has them"))
  }
}
