import Domain
import Foundation
import Testing
import Workflow

@testable import RunnerHub

@Suite("What is asked for to know a job's definition, and what becomes of it when that is slow", .timeLimit(.minutes(1)))
struct DefinitionRequestsTests {
  private static let commit = String(repeating: "a", count: 40)
  private static let path = ".github/workflows/ci.yml"
  private static let called = ".github/workflows/build.yml"
  private static let hints = ".github/runnerhub.yaml"
  private static let own = "  own:\n    runs-on: [self-hosted, linux]\n    steps: [{ run: x }]\n"
  private static let caller = "on: push\njobs:\n  ci:\n    uses: ./\(called)\n\(own)"
  private static let callee = "on: workflow_call\njobs:\n  build:\n    runs-on: [self-hosted, linux]\n    steps: [{ run: x }]\n"

  /// A bench whose forge knows run 100.
  private func bench(
    _ files: [String: String], refs: [String] = [Self.commit], head: Int64 = 1, readsHints: Bool = false
  ) throws -> Bench {
    let bench = try Bench {
      $0.definitionTimeLimit = .seconds(2)
      $0.workflow.readsHints = readsHints
      $0.pools = [Bench.pool { $0.acceptsForks = true }]
    }
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: Self.commit, status: "queued", conclusion: nil,
        context: RunContext(event: "push", path: Self.path, headRepositoryID: head, actor: nil), definitionRefs: refs)
      $0.files = files
    }
    return bench
  }

  private func parser(_ bench: Bench) -> JobParser {
    JobParser(
      source: DefinitionSource(forge: bench.forge), hints: HintSource(forge: bench.forge), history: bench.store, settings: bench.settings)
  }

  private func job(_ id: Int64 = 7, name: String = "build") -> Job {
    let now = Date(timeIntervalSince1970: 1_790_000_000)
    return Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 100, runAttempt: 1, repository: Bench.repository, workflow: "CI", name: name,
      labels: ["self-hosted", "linux"], headSHA: Self.commit, state: .received, createdAt: now, receivedAt: now)
  }

  // MARK: Time

  @Test("a called workflow that is slow costs its own jobs their definition, and not the caller's")
  func slowCall() async throws {
    let bench = try bench(["\(Self.path)@\(Self.commit)": Self.caller, "\(Self.called)@\(Self.commit)": Self.callee])
    bench.forge.with { $0.fileDelays[Self.called] = .seconds(60) }
    let parser = parser(bench)
    let jobs = [job(7, name: "own"), job(8, name: "ci / build")]
    var findings = await parser.parse(jobs, at: bench.clock.now)
    // On a busy machine even what came in time may be read too late; it is kept, and here at once when asked for again.
    if findings.first?.definition.definition == nil { findings = await parser.parse(jobs, at: bench.clock.now) }
    try #require(findings.count == 2)
    #expect(findings[0].definition.definition?.key == "own", "\(findings[0].definition)")
    #expect(
      findings[1].definition
        == .unknown(
          reason: "'ci / build' runs in a workflow that job 'ci' calls; ./\(Self.called) is not known: not found in time"))
    // What came is kept for a short while.
    let asked = bench.forge.count(.file)
    _ = await parser.parse([job(9, name: "own")], at: bench.clock.now)
    #expect(bench.forge.count(.file) == asked)
  }

  // MARK: Number of requests

  @Test(
    "a run's files are asked for once in its attempt, though a merge ref or a call that is not there is among them",
    arguments: [true, false], [true, false])
  func once(isMerge: Bool, isThere: Bool) async throws {
    let ref = isMerge ? "refs/pull/7/merge" : Self.commit
    var files = ["\(Self.path)@\(ref)": Self.caller]
    if isThere { files["\(Self.called)@\(ref)"] = Self.callee }
    let bench = try bench(files, refs: [ref])
    let parser = parser(bench)
    for id in 7...9 as ClosedRange<Int64> {
      let findings = await parser.parse([job(id, name: "ci / build")], at: bench.clock.now)
      #expect((findings.first?.definition.definition?.key == "build") == isThere)
    }
    #expect(bench.forge.count(.file) == 2)
  }

  @Test("a file on its way is not asked for twice; at a commit it is kept, and for a minute that it is not there")
  func shared() async throws {
    let forge = FakeForge()
    forge.with {
      $0.files = ["x@\(Self.commit)": "text"]
      $0.fileDelays["x"] = .milliseconds(100)
    }
    let texts = FileTexts(forge: forge)
    let deadline = ContinuousClock.now + .seconds(30)
    let key = FileTexts.Key(repository: "acme/ci", ref: Self.commit, path: "x", installationID: nil)
    async let one = texts.text(of: key, until: deadline)
    async let other = texts.text(of: key, until: deadline)
    let answers = await [one, other, texts.text(of: key, until: deadline)]
    for answer in answers { #expect(try answer?.get() == "text") }
    #expect(forge.count(.file) == 1)
    let absent = FileTexts.Key(repository: "acme/ci", ref: "main", path: "y", installationID: nil)
    for _ in 0..<3 {
      let answer = await texts.text(of: absent, until: deadline)
      guard case .failure(.notFound)? = answer else {
        Issue.record("\(String(describing: answer))")
        return
      }
    }
    #expect(forge.count(.file) == 2)
  }

  @Test("called files have a bound in bytes together; what is past it is named")
  func budget() async throws {
    let forge = FakeForge()
    let long = String(repeating: "#", count: CalledFiles.maximumBytes / 2 + 1)
    forge.with {
      for name in ["a", "b"] { $0.files[".github/workflows/\(name).yml@\(Self.commit)"] = long }
    }
    let caller = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/a.yml\n  b:\n    uses: ./.github/workflows/b.yml\n"
    let outcome = await CalledFiles(
      files: FileTexts(forge: forge), repository: "acme/shop", ref: Self.commit, commits: [:], installationID: nil,
      deadline: ContinuousClock.now + .seconds(30)
    ).texts(calledBy: caller, path: Self.path)
    #expect(outcome.texts.keys.map(\.path) == [".github/workflows/a.yml"])
    #expect(outcome.unread.values.first?.contains("longer than") == true && !outcome.isWorthAnotherTry)
  }

  // MARK: Hints

  @Test("a repository without hints is asked again after a quarter of an hour, one with hints after a minute", arguments: [true, false])
  func lifetimes(isThere: Bool) async throws {
    let forge = FakeForge()
    if isThere { forge.with { $0.files["\(Self.hints)@main"] = "jobs: { build: { cpus: 3 } }" } }
    let source = HintSource(forge: forge)
    let begin = ContinuousClock.now
    for (seconds, asked) in isThere ? [(0, 1), (59, 1), (61, 2)] : [(0, 1), (61, 1), (899, 1), (901, 2)] {
      let answer = await source.answer(for: job(), at: begin + .seconds(seconds), until: begin + .seconds(30))
      #expect((answer.hints != nil) == isThere)
      #expect(forge.count(.file) == asked, "after \(seconds) s")
    }
  }

  @Test("hints that came too late for one job are asked for again seconds later; a failure does not undo what is known")
  func lateHints() async throws {
    let forge = FakeForge()
    forge.with {
      $0.files["\(Self.hints)@main"] = "jobs: { build: { cpus: 3 } }"
      $0.fileDelays[Self.hints] = .seconds(60)
    }
    let source = HintSource(forge: forge)
    let begin = ContinuousClock.now
    let late = await source.answer(for: job(), at: begin, until: begin + .milliseconds(50))
    #expect(late.hints == nil && late.complaints == ["\(Self.hints) did not come in time"])

    forge.with { $0.fileDelays[Self.hints] = .milliseconds(100) }
    let next = begin + .seconds(6)
    async let one = source.answer(for: job(), at: next, until: begin + .seconds(30))
    async let other = source.answer(for: job(), at: next, until: begin + .seconds(30))
    let answers = await [one, other]
    #expect(answers.allSatisfy { $0.hints != nil && $0.complaints.isEmpty })
    #expect(forge.count(.file) == 2, "both share a request")

    forge.set(.unavailable("down"), on: .file)
    let later = await source.answer(for: job(), at: next + .seconds(61), until: begin + .seconds(30))
    #expect(later.hints != nil && forge.count(.file) == 3)
  }

  @Test("a fork's job takes its size from the target's hints, not their priority and affinity", arguments: [true, false])
  func forkHints(isFork: Bool) async throws {
    let bench = try bench(
      [
        "\(Self.path)@\(Self.commit)": "on: push\njobs:\n\(Self.own)",
        "\(Self.hints)@main": "jobs: { own: { cpus: 3, priority: HIGH, affinity: [cache] } }",
      ], head: isFork ? 99 : Bench.repository.id, readsHints: true)
    let finding = try #require(await parser(bench).parse([job(name: "own")], at: bench.clock.now).first)
    #expect(finding.estimate.resources.milliCPUs == 3_000)
    let priority: Priority? = isFork ? nil : .high
    #expect(finding.estimate.priorityHint == priority)
    #expect((finding.estimate.affinityHints == ["cache"]) == !isFork)
  }
}
