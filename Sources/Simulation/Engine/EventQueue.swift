import Domain
import HeapModule

/// What happens at a moment of the virtual clock.
enum Event {
  /// The job's place is decided: its delivery came and triage looked at it.
  case arrival(Int)
  /// A turn of planner and scaling.
  case turn
  case containerMade(ContainerID, failed: Bool)
  /// GitHub's limits let a registration through.
  case mayRegister(AssignmentID)
  case registered(AssignmentID)
  /// A runner listens at GitHub, or has vanished on its way.
  case connected(AssignmentID, vanished: Bool)
  /// The time that a started runner gets to take a job is over.
  case startLimit(AssignmentID)
  case jobEnded(Int, AssignmentID, lost: Bool)
  case runnerEnded(AssignmentID)
  case recycled(AssignmentID)
  /// A runner without a job is deregistered.
  case unusedReleased(AssignmentID)
  case containerGone(ContainerID)
  /// GitHub cancels what has waited for a day.
  case patienceEnded(Int)
}

/// Events in the order of their moments, and of their asking within one moment.
struct EventQueue {
  private struct Entry: Comparable {
    var moment: Double
    var number: Int
    var event: Event
    static func < (a: Entry, b: Entry) -> Bool { (a.moment, a.number) < (b.moment, b.number) }
    static func == (a: Entry, b: Entry) -> Bool { a.number == b.number }
  }
  private var heap = Heap<Entry>()
  private(set) var asked = 0

  mutating func ask(_ event: Event, at moment: Double) {
    asked += 1
    heap.insert(Entry(moment: moment, number: asked, event: event))
  }

  mutating func next() -> (moment: Double, event: Event)? { heap.popMin().map { ($0.moment, $0.event) } }
}
