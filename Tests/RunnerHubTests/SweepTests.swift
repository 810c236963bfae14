import Domain
import Foundation
import RunnerHub
import Testing

/// Jobs that no delivery told of are looked for at the forge.
struct SweepTests {
  private static func run(_ id: Int64, _ status: String, repository: String = "acme/shop") -> RunReport {
    RunReport(
      action: nil, id: id, attempt: 1, repository: repository, headSHA: String(repeating: "a", count: 40), status: status, conclusion: nil,
      context: RunContext(event: "push", path: nil, headRepositoryID: nil, actor: nil), definitionRefs: [])
  }

  private static func repository(_ name: String) -> Repository {
    Repository(id: 1, fullName: name, isPrivate: true, defaultBranch: "main")
  }

  /// A repository that was heard of, by a job that has ended.
  private func meet(_ bench: Bench, _ id: Int64 = 1, repository: Repository = Bench.repository) async throws {
    try await bench.deliver(
      Bench.report(id, "queued", repository: repository), Bench.report(id, "completed", conclusion: "success", repository: repository))
  }

  @Test("a queued and a running job of which no delivery told are taken up, an ended one is not") func found() async throws {
    let bench = try Bench()
    try await meet(bench)
    bench.forge.with { state in
      state.runs = [10: Self.run(10, "queued"), 11: Self.run(11, "in_progress")]
      state.jobs = [
        20: Bench.report(20, nil, status: "queued", run: 10),
        21: Bench.report(21, nil, status: "in_progress", runner: "elsewhere", run: 11),
        22: Bench.report(22, nil, status: "completed", conclusion: "success", run: 11),
      ]
    }
    #expect(await bench.makeSweeper().turn() == 2)
    #expect(try await bench.job(20).state == .received)
    #expect(try await bench.job(21).state == .running)
    #expect(try await bench.store.job(JobID(forgeID: 22, attempt: 1)) == nil)
    let story = try await bench.store.timeline(ofJob: JobID(forgeID: 20, attempt: 1)).map(\.text)
    #expect(story.contains { $0.contains("no delivery told of it") }, "\(story)")
    #expect(await bench.makeSweeper().turn() == 0, "found is found")
  }

  @Test("the delivery that comes late after all changes nothing") func late() async throws {
    let bench = try Bench()
    try await meet(bench)
    bench.forge.with { state in
      state.runs = [10: Self.run(10, "queued")]
      state.jobs = [20: Bench.report(20, nil, status: "queued", run: 10)]
    }
    _ = await bench.makeSweeper().turn()
    try await bench.decide()
    let before = try await bench.job(20)
    #expect(before.state == .queued)
    try await bench.deliver(Bench.report(20, "queued", run: 10))
    #expect(try await bench.job(20) == before)
  }

  @Test("a known job whose end was lost is ended while its run goes on") func endLost() async throws {
    let bench = try Bench()
    let assignment = try await bench.running(5)
    bench.forge.with { state in
      state.runs = [100: Self.run(100, "in_progress")]
      state.jobs = [5: Bench.report(5, nil, status: "completed", conclusion: "failure", runner: assignment.id.rawValue)]
    }
    #expect(await bench.makeSweeper().turn() == 1)
    #expect(try await bench.job(5).state == .completed)
    #expect(try await bench.job(5).conclusion == .failure)
    #expect(try await bench.now(assignment).phase == .releasing)
  }

  @Test("in an organisation repositories that were never heard of are searched too, the latest push first") func organisation() async throws
  {
    let bench = try Bench { $0.scope = .organization("acme") }
    bench.forge.with { state in
      state.repositories = [Self.repository("acme/unheard")]
      state.runs = [10: Self.run(10, "queued", repository: "acme/unheard")]
      state.jobs = [20: Bench.report(20, nil, status: "queued", run: 10, repository: Self.repository("acme/unheard"))]
    }
    #expect(await bench.makeSweeper().turn() == 1)
    #expect(try await bench.job(20).repository.fullName == "acme/unheard")
  }

  @Test("a search asks no more than it may, and the next one begins with what was left out") func budget() async throws {
    // One question for the organisation, two for each of two repositories.
    let bench = try Bench {
      $0.scope = .organization("acme")
      $0.sweepQuestions = 6
    }
    bench.forge.with { state in
      state.repositories = (1...5).map { Self.repository("acme/r\($0)") }
      state.runs = [10: Self.run(10, "queued", repository: "acme/r4")]
      state.jobs = [20: Bench.report(20, nil, status: "queued", run: 10, repository: Self.repository("acme/r4"))]
    }
    let sweeper = bench.makeSweeper()
    #expect(await sweeper.turn() == 0)
    #expect(bench.forge.count(.search) == 5)
    #expect(await sweeper.turn() == 1, "r3 and r4")
    #expect(bench.forge.count(.search) <= 11)
  }

  @Test("a search that runs out of questions inside a repository goes on there with the older runs") func olderRuns() async throws {
    // The two lists of runs, and two runs.
    let bench = try Bench { $0.sweepQuestions = 4 }
    try await meet(bench)
    bench.forge.with { state in
      for id: Int64 in 10...14 {
        state.runs[id] = Self.run(id, id.isMultiple(of: 2) ? "queued" : "in_progress")
        state.jobs[id + 10] = Bench.report(id + 10, nil, status: "queued", run: id)
      }
    }
    let sweeper = bench.makeSweeper()
    #expect(await sweeper.turn() == 2)
    #expect(try await bench.store.job(JobID(forgeID: 24, attempt: 1)) != nil, "the newest first")
    bench.forge.with { state in
      state.runs[15] = Self.run(15, "queued")
      state.jobs[25] = Bench.report(25, nil, status: "queued", run: 15)
    }
    #expect(await sweeper.turn() == 2)
    #expect(try await bench.store.job(JobID(forgeID: 21, attempt: 1)) != nil)
    #expect(await sweeper.turn() == 1, "the oldest")
    #expect(await sweeper.turn() == 1, "from the newest again")
    #expect(try await bench.store.job(JobID(forgeID: 25, attempt: 1)) != nil)
  }

  @Test("the smallest number of questions still finds, also in an organisation") func fewest() async throws {
    let bench = try Bench {
      $0.scope = .organization("acme")
      $0.sweepQuestions = 3
    }
    try await meet(bench)
    bench.forge.with { state in
      state.runs = [10: Self.run(10, "queued")]
      state.jobs = [20: Bench.report(20, nil, status: "queued", run: 10)]
    }
    #expect(await bench.makeSweeper().turn() == 1)
    #expect(bench.forge.count(.search) == 3)
  }

  @Test(
    "a forge that wants silence or gives no answer ends the search; a repository that may not be seen is passed over",
    arguments: [
      (ForgeError.throttled(until: .distantFuture, "slow"), 1), (.unavailable("gone"), 1), (.notFound("no"), 2), (.forbidden("no"), 2),
    ])
  func refusals(error: ForgeError, questions: Int) async throws {
    let bench = try Bench()
    try await meet(bench, 1)
    try await meet(bench, 2, repository: Self.repository("acme/other"))
    bench.forge.set(error, on: .search)
    #expect(await bench.makeSweeper().turn() == 0)
    #expect(bench.forge.count(.search) == questions)
    bench.forge.set(nil, on: .search)
    #expect(await bench.makeSweeper().turn() == 0)
  }

  @Test("a repository of which nothing was heard for long is not searched") func memory() async throws {
    let bench = try Bench { $0.sweepMemory = 3600 }
    try await meet(bench)
    bench.clock.advance(3601)
    _ = await bench.makeSweeper().turn()
    #expect(bench.forge.count(.search) == 0)
  }

  @Test("those never asked about come first, then those not asked about for the longest; each once") func order() {
    let targets = ["a", "b", "c", "b"].map { SweepTarget(repository: Self.repository("acme/\($0)"), installationID: nil) }
    func names(_ targets: [SweepTarget]) -> [String] { targets.map { String($0.repository.fullName.suffix(1)) } }
    var order = SweepOrder()
    let now = Date(timeIntervalSince1970: 1_800_000_000)
    #expect(names(order.order(targets)) == ["a", "b", "c"])
    order.asked(targets[0], at: now)
    #expect(names(order.order(targets)) == ["b", "c", "a"])
    order.asked(targets[1], at: now + 1)
    order.asked(targets[2], at: now + 2)
    #expect(names(order.order(targets)) == ["a", "b", "c"])
    order.asked(targets[0], at: now + 3)
    #expect(names(order.order(targets)) == ["b", "c", "a"])
  }

  @Test("a repository in which the search stopped comes before all others, with its older runs, until it is done with") func stopped() {
    let targets = ["a", "b", "c"].map { SweepTarget(repository: Self.repository("acme/\($0)"), installationID: nil) }
    func names(_ targets: [SweepTarget]) -> [String] { targets.map { String($0.repository.fullName.suffix(1)) } }
    let runs = [3, 9, 5, 9].map { Self.run($0, "queued", repository: "acme/c") }
    var order = SweepOrder()
    let now = Date(timeIntervalSince1970: 1_800_000_000)
    #expect(names(order.order(targets)) == ["a", "b", "c"])
    #expect(order.remaining(runs, of: targets[2]).map(\.id) == [9, 5, 3])
    order.asked(targets[2], at: now)
    order.looked(at: runs[1], of: targets[2])
    #expect(names(order.order(targets)) == ["c", "a", "b"])
    #expect(order.remaining(runs, of: targets[2]).map(\.id) == [5, 3])
    #expect(order.remaining(runs, of: targets[0]).map(\.id) == [9, 5, 3], "a place is of one repository")
    order.asked(targets[2], at: now + 1)
    #expect(names(order.order(targets)) == ["a", "b", "c"])
    #expect(order.remaining(runs, of: targets[2]).map(\.id) == [9, 5, 3])
    order.looked(at: runs[2], of: targets[2])
    _ = order.order([targets[0]])
    #expect(order.remaining(runs, of: targets[2]).map(\.id) == [9, 5, 3], "forgotten with its repository")
  }
}
