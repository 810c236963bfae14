import Domain
import Testing

@Suite("Random walks over the state tables")
struct StateWalkTests {
  static let decisions: [JobEvent] = [
    .refuse, .forward, .enqueue, .assign, .start, .startFailed(triesLeft: 2), .startFailed(triesLeft: 0), .requeue, .fallBack,
  ]
  /// How far a job has come; what the forge says may only raise it.
  static func rank(_ state: JobState) -> Int {
    switch state {
    case .received, .waiting: 0
    case .queued, .refused, .forwarded, .failed: 1
    case .assigned: 2
    case .starting: 3
    case .running: 4
    case .completed, .cancelled: 5
    }
  }

  @Test("no event of the forge is illegal or moves a job backwards, in any state")
  func forgeEvents() {
    let conclusions: [Conclusion] = [.success, .failure, .cancelled, .skipped, .timedOut, .neutral, .actionRequired, .stale, .other("new")]
    let events: [JobEvent] =
      [.queuedAtForge, .waitingAtForge, .inProgress(ours: true), .inProgress(ours: false)] + conclusions.map { .completedAtForge($0) }
    for state in JobState.allCases {
      for event in events {
        switch state.transition(on: event) {
        case .illegal: Issue.record("\(event) is illegal in \(state)")
        case .to(let next): #expect(Self.rank(next) >= Self.rank(state) && next != state, "\(event) moves \(state) to \(next)")
        case .stays: continue
        }
      }
    }
  }

  @Test("a completed event ends the job from every state, and final states are never left")
  func completion() {
    for state in JobState.allCases {
      for conclusion in [Conclusion.success, .cancelled, .failure] {
        switch state.transition(on: .completedAtForge(conclusion)) {
        case .to(let next): #expect(next.isFinal && !state.isFinal)
        case .stays: #expect(state.isFinal)
        case .illegal: Issue.record("completed is illegal in \(state)")
        }
      }
      guard state.isFinal else { continue }
      for decision in Self.decisions { #expect(state.transition(on: decision) == .illegal) }
      for event in [JobEvent.queuedAtForge, .waitingAtForge, .inProgress(ours: true)] { #expect(state.transition(on: event) == .stays) }
    }
  }

  @Test("a walk with lost, doubled and reordered events ends when the forge's end arrives", arguments: 0..<300)
  func walk(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let conclusion: Conclusion = [.success, .failure, .cancelled][Int.random(in: 0..<3, using: &random)]
    let ours = Bool.random(using: &random)
    var mail: [JobEvent] = [.queuedAtForge, .waitingAtForge, .queuedAtForge, .inProgress(ours: ours), .completedAtForge(conclusion)]
    mail = mail.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
    mail += mail.filter { _ in Bool.random(using: &random) }
    mail.shuffle(using: &random)

    var state = JobState.received
    var hasEnded = false
    var hasRun = false
    func apply(_ event: JobEvent) {
      let before = state
      switch state.transition(on: event) {
      case .illegal:
        // The host asks the table before it acts: an illegal decision is simply not taken.
        #expect(Self.decisions.contains(event))
      case .stays: break
      case .to(let next):
        state = next
        if next == .running {
          #expect(!hasRun, "it runs twice")
          hasRun = true
        }
      }
      if before.isFinal { #expect(state == before) }
      if hasEnded { #expect(state.isFinal) }
    }
    for event in mail {
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        apply(Self.decisions[Int.random(in: 0..<Self.decisions.count, using: &random)])
      }
      if case .completedAtForge = event { hasEnded = true }
      apply(event)
    }
    apply(.completedAtForge(conclusion))
    #expect(state == .completed || state == .cancelled)
  }

  @Test("every state of a job can be reached from received, and an end from every state")
  func reachable() {
    let events = StateTables.jobEvents.map(\.event)
    func closure(from start: JobState) -> Set<JobState> {
      var seen: Set = [start]
      var open = [start]
      while let state = open.popLast() {
        for event in events {
          if case .to(let next) = state.transition(on: event), seen.insert(next).inserted { open.append(next) }
        }
      }
      return seen
    }
    #expect(closure(from: .received) == Set(JobState.allCases))
    for state in JobState.allCases { #expect(!closure(from: state).isDisjoint(with: [.completed, .cancelled])) }
  }

  @Test("a container never serves after its end has begun, and holds a job only by assignment", arguments: 0..<200)
  func containerWalk(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var state = ContainerState.creating
    var isEnding = false
    for _ in 0..<60 {
      let event = ContainerEvent.allCases[Int.random(in: 0..<ContainerEvent.allCases.count, using: &random)]
      guard let next = state.next(on: event) else { continue }
      #expect(next != state)
      switch next {
      case .busy: #expect(state == .assigned)
      case .assigned: #expect(state == .ready || state == .creating)
      case .ready: #expect(state != .draining && state != .terminating && state != .gone)
      case .gone: #expect(event == .vanished)
      case .creating: Issue.record("\(event) leads back to creating")
      case .draining, .unhealthy, .terminating: break
      }
      if isEnding { #expect(next == .terminating || next == .gone) }
      if next == .draining || next == .terminating { isEnding = true }
      state = next
    }
  }

  @Test("every container can be ended, and a lost one is gone, from every state")
  func containerEnds() {
    for state in ContainerState.allCases where state != .gone {
      #expect(state.next(on: .vanished) == .gone)
      #expect(state.next(on: .terminate) == .terminating || state == .terminating)
    }
    for event in ContainerEvent.allCases { #expect(ContainerState.gone.next(on: event) == nil) }
  }

  @Test("a plugin serves only after it has greeted, and has a process only between a start and its end", arguments: 0..<200)
  func pluginWalk(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var state = PluginState.available
    var wasGreeted = false
    for _ in 0..<60 {
      let event = PluginEvent.allCases[Int.random(in: 0..<PluginEvent.allCases.count, using: &random)]
      guard let next = state.next(on: event) else { continue }
      #expect(next != state)
      if event == .start { wasGreeted = false }
      if event == .greeted { wasGreeted = true }
      if next.isUp { #expect(wasGreeted) }
      if next == .backingOff || next == .quarantined { #expect(state.isUp || state == .starting) }
      // Whatever it is, an operator can stop it and the configuration can forget it.
      #expect(next == .disabled || next.next(on: .disabled) == .disabled)
      #expect(next == .available || next.next(on: .forgotten) == .available)
      state = next
    }
  }

  @Test("signals that change one at a time only make allowed steps of the orchestrator", arguments: 0..<200)
  func orchestratorWalk(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var signals = OrchestratorState.Signals()
    var state = OrchestratorState(signals)
    #expect(state == .initializing)
    for _ in 0..<100 {
      switch Int.random(in: 0..<7, using: &random) {
      case 0: signals.hasStarted = true
      // Draining and the end are never taken back.
      case 1 where Int.random(in: 0..<10, using: &random) == 0: signals.isDraining = true
      case 2 where Int.random(in: 0..<20, using: &random) == 0: signals.hasStopped = true
      case 3: signals.hasCriticalFailure = Int.random(in: 0..<4, using: &random) == 0
      case 4: signals.activeJobs = Int.random(in: 0...2, using: &random)
      default: signals.changingContainers = Int.random(in: 0...1, using: &random)
      }
      let next = OrchestratorState(signals)
      if next != state { #expect(state.successors.contains(next), "\(state) → \(next)") }
      if signals.hasStopped { #expect(next == .stopped) }
      state = next
    }
  }
}
