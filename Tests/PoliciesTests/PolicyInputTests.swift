import Domain
import Foundation
import RunnerHub
import Testing

@testable import Policies

@Suite("What policies see")
struct PolicyInputTests {
  private static let day = PolicySamples.now

  /// Everything filled.
  private static var fullJob: PolicyJob {
    var job = Job(
      id: JobID(rawValue: "7"), forgeID: 7, runID: 8, runAttempt: 2,
      repository: Repository(id: 1, fullName: "acme/shop", isPrivate: false, defaultBranch: "main", source: "gitlab"), organization: "acme",
      installationID: 9, workflow: "CI", name: "build (ubuntu)", labels: ["Linux"], headSHA: "abc", headBranch: "topic",
      htmlURL: "https://github.com/acme/shop/actions/runs/8/job/7", createdAt: day, receivedAt: day)
    job.run = RunContext(event: "pull_request", path: ".github/workflows/ci.yml", headRepositoryID: 5, actor: "octocat")
    job.definition = .found(
      .init(
        path: ".github/workflows/ci.yml", commit: "abc", key: "build", isExact: true, images: ["node:22"], environment: "eu",
        timeoutMinutes: 20, container: "node:22", services: ["db"], needs: ["lint"], matrix: ["os": "ubuntu"], runnerGroup: "large",
        concurrencyGroup: "ci", permissions: ["contents": "read"], calledWorkflow: "./.github/workflows/build.yml"))
    job.estimate = Estimate(
      resources: Resources(milliCPUs: 2500, memory: ByteCount(gibibytes: 4)), durationSeconds: 60, sources: ["label large-runner"],
      priorityHint: .high, affinityHints: ["cache"])
    return PolicyJob(job)
  }

  private static var fullFleet: PolicyFleet {
    var pool = PolicySamples.pool
    pool.grownAt = day - 30
    pool.shrunkAt = day - 300
    pool.history = [.init(at: day - 60, total: 4, busy: 3, pending: 2)]
    return PolicyFleet(
      now: day, pools: [pool],
      queue: [.init(scope: "acme", labels: ["linux"], count: 3, pool: "linux", priority: .high, queuedAt: day - 5)],
      repositories: [.init(repository: "acme/shop", active: 2)], waits: PolicyWaits([1, 2, 30]), pending: 3, active: 1)
  }

  private static var fullContainer: PolicyContainer {
    var container = PolicySamples.container
    container.repository = "acme/shop"
    container.lastJob = LastJob(workflow: "CI", name: "build", branch: "main")
    return container
  }

  static let full: [LuaValue] = [
    PolicyInput.job.value(of: .init(job: fullJob, now: day)), PolicyInput.fleet.value(of: fullFleet),
    PolicyInput.container.value(of: .init(container: fullContainer, now: day)),
  ]

  /// Whether a value has the type that the schema promises, and every field of its kind.
  private func check(_ value: LuaValue, is type: PolicyType, at place: String) {
    switch (type, value) {
    case (.text, .text), (.integer, .integer), (.number, .number), (.boolean, .bool), (.labels, .labels): break
    case (.optional(let inner), _): check(value, is: inner, at: place)
    case (.list(let element), .sealedList(let values)): for value in values { check(value, is: element, at: place + "[]") }
    case (.map(let inner), .object(kind: "map", let fields)):
      for field in fields { check(field.value, is: inner, at: "\(place).\(field.name)") }
    case (.object(let wantedKind), .object(let kind, let fields)):
      #expect(kind == wantedKind)
      let wanted = PolicyInput.kinds.first { $0.name == kind }?.fields ?? []
      #expect(fields.map(\.name) == wanted.map(\.name), "\(place) fills every field")
      for (field, wanted) in zip(fields, wanted) { check(field.value, is: wanted.type, at: "\(place).\(wanted.name)") }
    default: Issue.record("\(place) is \(value); the schema says \(type.word)")
    }
  }

  @Test("a full input has every field of the schema, each of its type", arguments: full)
  func shapes(value: LuaValue) {
    guard case .object(let kind, _) = value else {
      Issue.record("no object")
      return
    }
    check(value, is: .object(kind), at: kind)
  }

  @Test("every kind is reached from what a policy is given")
  func reach() {
    func kinds(in type: PolicyType) -> [String] {
      switch type {
      case .object(let name): [name]
      case .list(let inner), .map(let inner), .optional(let inner): kinds(in: inner)
      default: []
      }
    }
    let used = Set(PolicyInput.kinds.flatMap(\.fields).flatMap { kinds(in: $0.type) } + ["job", "fleet", "container"])
    #expect(used == Set(PolicyInput.kinds.map(\.name)))
  }

  @Test("an input of a policy file can be asked for every field")
  func lua() throws {
    let source = """
      local routing = { api = 1 }
      local function walk(value)
        local count = 0
        for _, inner in pairs(value) do count = count + 1 + (type(inner) == "table" and walk(inner) or 0) end
        return count
      end
      function routing.route(job, fleet)
        assert(job.definition.matrix.os == "ubuntu" and job.definition.matrix.arch == nil)
        assert(job.definition.permissions.contents == "read" and job.trust == "fork" and job.estimate.sources[1] == "label large-runner")
        assert(fleet.clock.weekday == 1 and job.clock.hour == 9 and fleet.queue[1].labels:has("LINUX") and fleet.waits.p95 == 30)
        assert(fleet.pools[1].history[1].utilisation == 0.75)
        return "orchestrator", walk(job) + walk(fleet) .. " values"
      end
      return routing
      """
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let verdict = engine.route(Self.fullJob, fleet: Self.fullFleet)
    #expect(verdict.fallbackCause == nil)
    #expect(verdict.reason.hasSuffix(" values"))
  }

  @Test("the clock is the calendar's, in every year")
  func clock() {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    var random = SeededGenerator(state: 5)
    // From 1600 on: before, Foundation's calendar is the Julian one.
    let moments = (0..<3000).map { _ in
      Date(timeIntervalSince1970: Double(Int64.random(in: -11_600_000_000...20_000_000_000, using: &random)))
    }
    for moment in moments + [Date(timeIntervalSince1970: 951_827_696), Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: -1)] {
      let clock = PolicyClock(moment)
      let wanted = calendar.dateComponents([.year, .month, .day, .hour, .minute, .weekday], from: moment)
      #expect(
        [clock.year, clock.month, clock.day, clock.hour, clock.minute].map(Int.init) == [
          wanted.year, wanted.month, wanted.day, wanted.hour, wanted.minute,
        ])
      #expect(Int(clock.weekday) == ((wanted.weekday ?? 0) + 5) % 7 + 1)
    }
    for bound in [Date(timeIntervalSince1970: .infinity), Date(timeIntervalSince1970: -.infinity)] {
      #expect((-9999...9999).contains(PolicyClock(bound).year))
    }
  }

  @Test("the generated files are what the schema gives", arguments: ["policies/types/runnerhub.lua", "docs/policy-reference.md"])
  func generated(path: String) throws {
    let text = path.hasSuffix(".md") ? PolicyReference.page : PolicyTypes.annotations
    let place = URL(filePath: projectPolicies).deletingLastPathComponent().appending(path: path)
    if ProcessInfo.processInfo.environment["RUNNERHUB_WRITE_TYPES"] == "1" { try Data(text.utf8).write(to: place) }
    #expect(try String(contentsOf: place, encoding: .utf8) == text)
  }
}

@Suite("The test harness")
struct TestHarnessTests {
  /// Runs one `_test.lua`; its first problem or failure.
  private func run(_ body: String) throws -> String? {
    let routing = "local r = { api = 1 }\nfunction r.route(job, fleet) return 'traditional', '' end\nreturn r"
    let test = "test('it', function()\n\(body)\nend)"
    return BundleCheck(try PolicyBundle(files: ["routing.lua": Array(routing.utf8), "routing_test.lua": Array(test.utf8)])).summary
  }

  static let sound = [
    "local f = fleet({ clock = '2024-02-29 23:59' }); expect(f.now).equals(moment('2024-02-29 23:59')); expect(f.clock.weekday).equals(4)",
    "local f = fleet({ now = 86400 * 365 }); expect(f.clock.year).equals(1971); expect(f.clock.day).equals(1)",
    "local j = job({ clock = '2025-12-31 08:05' }); expect(j.clock.month).equals(12); expect(j.clock.minute).equals(5)",
    "local j = job({ clock = fleet().clock }); expect(j.clock.seconds).equals(fleet().now // 1 | 0)",
    "local j = job({ definition = { matrix = { os = 'ubuntu' }, services = { 'db' } } }); expect(j.definition.matrix.os).equals('ubuntu')",
    "expect(job({ definition = {} }).definition.matrix.os).equals(nil); expect(#job({ definition = {} }).definition.services).equals(0)",
    "expect(fleet({ queue = { { count = 9 } } }).queue[1].count).equals(9); expect(fleet().waits.count).equals(0)",
    "expect(pool({ history = { { busy = 2, total = 2, utilisation = 1.0 } } }).history[1].utilisation).equals(1.0)",
    "expect(function() fleet({ clock = '2025-02-30 10:00' }) end).fails('there is no time')",
    "expect(function() moment('tomorrow') end).fails('2025-01-06 09:00')",
  ]

  @Test("builds inputs as the host does", arguments: sound)
  func builds(body: String) throws { #expect(try run(body) == nil) }

  static let misfits = [
    ("job({ definition = { matrix = { os = 1 } } })", "definition.matrix.os is a number; it should be a text"),
    ("fleet({ queue = { { cuont = 1 } } })", "a queue has no field 'cuont'"),
    ("job({ estimate = { sources = { 1 } } })", "should be a text"),
  ]

  @Test("says what does not fit an input", arguments: misfits)
  func misfit(body: String, message: String) throws { #expect(try #require(try run(body)).contains(message)) }

  @Test("calendar and harness agree in every month of fifty years")
  func months() throws {
    let source = """
      for year = 1990, 2040 do
        for month = 1, 12 do
          local text = ("%04d-%02d-28 13:07"):format(year, month)
          local clock = fleet({ clock = text }).clock
          expect(("%04d-%02d-%02d %02d:%02d"):format(clock.year, clock.month, clock.day, clock.hour, clock.minute)).equals(text)
          expect(fleet({ now = clock.seconds }).clock.weekday).equals(clock.weekday)
        end
      end
      """
    #expect(try run(source) == nil)
  }
}

@Suite("What policies answer")
struct PolicyAnswerTests {
  private func priority(_ answer: String) throws -> Verdict<Priority> {
    let source = "local p = { api = 1 }\nfunction p.prioritise() return \(answer) end\nreturn p"
    return LuaPolicyEngine(bundle: try PolicyBundle(files: ["priority.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
      .prioritise(PolicySamples.job, fleet: PolicySamples.fleet)
  }

  @Test("a level may have a weight within the level", arguments: [("20", 20.0), ("-30", -30), ("1.5", 1.5), ("0", 0), ("nil", 0)])
  func weight(given: String, weight: Double) throws {
    let verdict = try priority("'HIGH', 'why', \(given)")
    #expect(verdict.fallbackCause == nil)
    #expect(verdict.value == .high)
    #expect(verdict.weight == weight)
    #expect(verdict.reason == (weight == 0 ? "why" : "why (weight \(given))"))
  }

  static let refusedPriorities = [
    ("'CRITCAL'", #"priority.prioritise returned "CRITCAL" as level: expected CRITICAL, HIGH, NORMAL or LOW – did you mean CRITICAL?"#),
    ("'urgent', 'why'", #"returned "urgent" as level: expected CRITICAL, HIGH, NORMAL or LOW"#), ("nil", "returned nil as level"),
    ("3", "returned 3 as level"), ("'LOW', 'why', 31", "returned 31 as weight: expected nil or a number of minutes from -30 to 30"),
    ("'LOW', 'why', 0/0", "as weight"), ("'LOW', 'why', 1/0", "returned inf as weight"), ("'LOW', 'why', '7'", #"returned "7" as weight"#),
    ("'LOW', 'why', 1, 2", "returned 4 values"), ("'LOW', 5", "returned 5 as reason: expected nil or a text"),
    (#"'LOW\n\27[31m'"#, #"returned "LOW\n\u{1B}[31m" as level"#),
  ]

  @Test("what is no answer is an error that shows it", arguments: refusedPriorities)
  func refused(answer: String, message: String) throws {
    let verdict = try priority(answer)
    #expect(try #require(verdict.fallbackCause).contains(message))
    #expect(verdict.bundle == "built-in" && verdict.weight == 0)
  }

  static let refusedSizes = ["-1", "1.5", "0/0", "1/0", "-1/0", "'3'", "1e300", "1000001", "nil", "{}"]

  @Test("a pool's size is a whole number from 0", arguments: refusedSizes)
  func size(answer: String) throws {
    let source = "local s = { api = 1 }\nfunction s.scale() return \(answer) end\nreturn s"
    let verdict = LuaPolicyEngine(bundle: try PolicyBundle(files: ["scaling.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
      .scale(PolicySamples.pool, fleet: PolicySamples.fleet)
    #expect(try #require(verdict.fallbackCause).contains("expected a whole number of containers from 0 to 1000000"))
  }

  static let surplus = [
    ("return true, nil, 7", "return 50, 'x'", "affinity.filter returned a third value, 7: expected true or false and a reason"),
    ("return true", "return 50, 'x', 'y'", "affinity.score returned a third value, y: expected a number from 0 to 100 and a reason"),
    ("return false, 'no', {}", "return 50", "affinity.filter returned a third value, table"),
    ("return 1", "return 50", "affinity.filter returned 1: expected true, or false and a reason"),
    ("return nil, 'why'", "return 50", "affinity.filter returned nil"),
    ("return true", "return 101, 'x'", "affinity.score returned 101: expected a number from 0 to 100"),
    ("return true", "return false, 'x'", "affinity.score returned false"),
    ("return true", "return 50, 5", "affinity.score returned 5 as reason"),
    ("return true, 5", "return 50", "affinity.filter returned 5 as reason"),
  ]

  @Test("an answer about a candidate with a value too many, or of another shape, is an error that shows it", arguments: surplus)
  func candidate(filter: String, score: String, message: String) throws {
    let source = "return { api = 1, filter = function() \(filter) end, score = function() \(score) end }"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let verdict = engine.place(PolicySamples.job, candidates: [PolicySamples.container], now: PolicySamples.now)
    #expect(try #require(verdict.fallbackCause).contains(message))
  }

  @Test("candidates are let through with and without a reason, filtered out, and scored without one")
  func candidates() throws {
    let source = """
      return {
        api = 1,
        filter = function(_, c)
          if c.uses % 4 == 0 then return false, "used up" end
          if c.uses % 4 == 1 then return true, "fits" end
          return c.uses % 4 == 2
        end,
        score = function(_, c) if c.uses > 4 then return c.uses, "scored" end return c.uses end,
      }
      """
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let candidates = (0..<10).map { number in
      var container = PolicySamples.container
      container.id = "rh-\(number)"
      container.uses = number
      return container
    }
    let verdict = engine.place(PolicySamples.job, candidates: candidates, now: PolicySamples.now)
    #expect(verdict.fallbackCause == nil)
    #expect(verdict.value.candidates.map(\.score) == [nil, 1, 2, nil, nil, 5, 6, nil, nil, 9])
    #expect(verdict.value.candidates.map(\.reason) == ["used up", "", "", "", "used up", "scored", "scored", "", "used up", "scored"])
  }

  @Test("a reason is cut and cleaned, never a cause for the built-in rule: names that others chose stand in it")
  func reason() throws {
    let long = try priority("'LOW', ('ä'):rep(400)")
    #expect(long.fallbackCause == nil)
    #expect(long.reason.utf8.count <= 500 && long.reason.hasSuffix("ä…"))
    let coloured = try priority(#"'LOW', 'job \27[31mred\10next'"#)
    #expect(coloured.fallbackCause == nil)
    #expect(coloured.reason == "job  [31mred next")
  }
}
