import Domain
import Foundation
import RunnerHub
import Testing

@testable import Policies

/// The state keeps inputs between calls; no policy may see that.
@Suite("Kept inputs")
struct KeptInputsTests {
  private static let names = ["rh-1", "rh-2", "rh-3", "rh-4", "rh-5", "rh-6", ""]

  /// Says all that a policy can see of a job and a candidate.
  private static let source = """
    local a = { api = 1 }
    local function all(object)
      local parts = {}
      for name, value in pairs(object) do
        if name == "labels" then value = table.concat(value, "+") end
        parts[#parts + 1] = name .. "=" .. tostring(value)
      end
      return table.concat(parts, " ")
    end
    function a.score(job, container)
      local direct = tostring(container.age_seconds) .. " " .. tostring(container.idle_seconds) .. " " .. tostring(container.repository)
      return percent(all(container), all(job), direct), direct .. " " .. percent(all(container))
    end
    return a
    """

  private func container(_ random: inout SeededGenerator) -> PolicyContainer {
    let id = Self.names.randomElement(using: &random) ?? ""
    let pool = ["linux", "gpu"].randomElement(using: &random) ?? "linux"
    let now = PolicySamples.now
    return PolicyContainer(
      id: id, name: id.isEmpty ? "new" : id, pool: pool, isNew: id.isEmpty,
      labels: [["linux"], ["linux", "x64"], []].randomElement(using: &random).map { Labels($0) } ?? [],
      resources: Resources(milliCPUs: Int.random(in: 1...2, using: &random) * 1000, memory: ByteCount(gibibytes: 1)),
      uses: Int.random(in: 0...2, using: &random),
      repository: ["acme/shop", nil].randomElement(using: &random) ?? nil,
      createdAt: id.isEmpty ? nil : now - Double(Int.random(in: 1...3, using: &random)),
      idleSince: Bool.random(using: &random) ? nil : now - Double(Int.random(in: 1...3, using: &random)))
  }

  @Test("give, over any sequence of candidates, the answers of an engine that was asked nothing before")
  func sequences() throws {
    var random = SeededGenerator(state: 7)
    let bundle = try PolicyBundle(files: ["affinity.lua": Array(Self.source.utf8)])
    let kept = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    for round in 0..<150 {
      let candidates = (0..<Int.random(in: 0...8, using: &random)).map { _ in container(&random) }
      let now = PolicySamples.now + Double(Int.random(in: -2...2, using: &random))
      var job = PolicySamples.job
      job.labels = [["linux"], ["linux", "docker"]].randomElement(using: &random) ?? []
      job.branch = round.isMultiple(of: 3) ? nil : "production"
      let fresh = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
      let (one, other) = (kept.place(job, candidates: candidates, now: now), fresh.place(job, candidates: candidates, now: now))
      #expect(one.fallbackCause == nil)
      #expect(other.fallbackCause == nil)
      #expect(one.value.candidates == other.value.candidates)
      #expect(one.value.candidates.count == candidates.count)
      #expect(one.instructions == other.instructions)
    }
  }

  @Test("a policy that only reads is given candidates without their views, and answers as one does that could do more")
  func onlyReading() throws {
    func source(_ first: String) -> String {
      """
      return { api = 1, score = function(job, c)
        \(first)
        if c.is_new then return 20, "new" end
        if c.repository == job.repository or c.repository and c.pool == "gpu" then return 80 + c.uses, c.id .. job.commit end
        return c.cpus * 10, c.repository or job.branch
      end }
      """
    }
    func engine(_ first: String) throws -> LuaPolicyEngine {
      LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source(first).utf8)]), builtIn: BuiltInPolicy())
    }
    var random = SeededGenerator(state: 3)
    let (reading, calling) = (try engine(""), try engine("local _ = type(c)"))
    for round in 0..<100 {
      let candidates = (0..<Int.random(in: 0...8, using: &random)).map { _ in container(&random) }
      var job = PolicySamples.job
      job.repository = ["acme/shop", "acme/other"].randomElement(using: &random) ?? ""
      job.branch = round.isMultiple(of: 3) ? nil : "production"
      let (one, other) = (
        reading.place(job, candidates: candidates, now: PolicySamples.now),
        calling.place(job, candidates: candidates, now: PolicySamples.now)
      )
      #expect(one.fallbackCause == nil && other.fallbackCause == nil)
      #expect(one.value.candidates == other.value.candidates)
    }
  }

  static let misreadings = [
    ("return 1, c.repositry", "unknown field 'container.repositry' – did you mean 'container.repository'?"),
    ("return 1, job.lables", "unknown field 'job.lables' – did you mean 'job.labels'?"),
    ("local same = c or job return 1, same.repositry", "unknown field 'container.repositry'"),
    ("c.uses = 5 return 1", "container is read-only"), ("return 1, c", "as reason: expected nil or a text"),
    ("return c", "affinity.score returned {"), ("return 1 + c", "attempt to perform arithmetic on a container value (local 'c')"),
    ("return c < 1", "attempt to compare container with number"), ("return #c, c .. ''", "attempt to concatenate a container value"),
    ("return c.labels.x", "labels have numbers and 'has'"), ("return c.age_seconds, c.cpus.x", "attempt to index a number value"),
  ]

  @Test("what a policy may not do with a candidate is the same error, whatever else it does", arguments: misreadings)
  func misreading(body: String, message: String) throws {
    let source = "return { api = 1, score = function(job, c) \(body) end }"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let cause = engine.place(PolicySamples.job, candidates: [PolicySamples.container], now: PolicySamples.now).fallbackCause
    #expect(try #require(cause).contains(message))
  }

  @Test("are gone after a call that failed: no candidate of before is asked again")
  func failure() throws {
    let source = "return { api = 1, score = function(job, c) if c.uses > 0 then error('used') end return 1, c.id end }"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    var used = PolicySamples.container
    used.uses = 1
    #expect(engine.place(PolicySamples.job, candidates: [used], now: PolicySamples.now).fallbackCause?.contains("used") == true)
    #expect(engine.place(PolicySamples.job, candidates: [], now: PolicySamples.now).value.candidates.isEmpty)
    let verdict = engine.place(PolicySamples.job, candidates: [PolicySamples.container], now: PolicySamples.now)
    #expect(verdict.value.candidates.map(\.reason) == ["rh-linux-1"])
    #expect(verdict.fallbackCause == nil)
  }

  @Test("hold as moments whatever depends on the time")
  func timed() {
    var container = PolicySamples.container
    container.createdAt = Date(timeIntervalSinceReferenceDate: 5)
    container.idleSince = Date(timeIntervalSinceReferenceDate: 5)
    #expect(PolicyInput.timedFields(of: container) == PolicyInput.keptAsMoments)
  }

  @Test("tell ages by the time of the call, also of a container that did not change")
  func ages() throws {
    let source = "return { api = 1, score = function(job, c) return 1, c.age_seconds .. ' ' .. c.idle_seconds end }"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["affinity.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    var container = PolicySamples.container
    container.createdAt = PolicySamples.now - 60
    container.idleSince = PolicySamples.now - 5
    func reason(_ now: Date) -> String? {
      engine.place(PolicySamples.job, candidates: [container], now: now).value.candidates.first?.reason
    }
    #expect(reason(PolicySamples.now) == "60.0 5.0")
    #expect(reason(PolicySamples.now + 10) == "70.0 15.0")
    #expect(reason(PolicySamples.now - 100) == "0.0 0.0")
  }

  @Test("follow a fleet and a job from call to call, and are sent anew after a call that failed")
  func routing() throws {
    let source = """
      return { api = 1, route = function(job, fleet)
        if job.name == "fails" then error("as asked") end
        local names = {}
        for i, pool in ipairs(fleet.pools) do names[i] = pool.name .. pool.pending end
        return "traditional", job.name .. " " .. tostring(job.branch) .. " " .. fleet.pending .. " " .. table.concat(names, ",")
      end }
      """
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    var (job, fleet) = (PolicySamples.job, PolicySamples.fleet)
    var pool = PolicySamples.pool
    fleet.pools = []
    fleet.pending = 1
    job.name = "a"
    job.branch = "production"
    #expect(engine.route(job, fleet: fleet).reason == "a production 1 ")
    job.branch = nil
    pool.name = "gpu"
    pool.pending = 9
    fleet.pools = [pool]
    #expect(engine.route(job, fleet: fleet).reason == "a nil 1 gpu9")
    job.name = "fails"
    #expect(engine.route(job, fleet: fleet).fallbackCause != nil)
    job.name = "b"
    #expect(engine.route(job, fleet: fleet).reason == "b nil 1 gpu9")
  }

  @Test("hold only what a file names; what it reads by other names is sent when it asks, and no pcall notices")
  func unnamed() throws {
    let source = """
      return { api = 1, route = function(job, fleet)
        local ok, found = pcall(function() return job["na" .. "me"] .. " " .. tostring(job["de" .. "finition"]) end)
        return "traditional", tostring(ok) .. " " .. found .. " " .. fleet["pen" .. "ding"]
      end }
      """
    let bundle = try PolicyBundle(files: ["routing.lua": Array(source.utf8)])
    let runtime = try bundle.makeRuntime(for: .routing, limits: .loading)
    _ = try runtime.load("routing")
    #expect(runtime.wanted.allSatisfy { $0 == 0 })
    let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    var job = PolicySamples.job
    for name in ["first", "second"] {
      job.name = name
      let verdict = engine.route(job, fleet: PolicySamples.fleet)
      #expect(verdict.fallbackCause == nil)
      #expect(verdict.reason == "true \(name) nil 0")
    }
  }

  @Test("a field that no kind has is an error, however it is named, also where nothing was sent")
  func unknown() throws {
    let source = "return { api = 1, route = function(job) return 'traditional', job['labl' .. 'es'] end }"
    let engine = LuaPolicyEngine(bundle: try PolicyBundle(files: ["routing.lua": Array(source.utf8)]), builtIn: BuiltInPolicy())
    let cause = engine.route(PolicySamples.job, fleet: PolicySamples.fleet).fallbackCause
    #expect(cause?.contains("unknown field 'job.lables' – did you mean 'job.labels'?") == true)
  }

  @Test("follow each part of a fleet, and tell it as an engine does that was asked nothing before")
  func parts() throws {
    let source = """
      local function all(value)
        if type(value) ~= "table" then return tostring(value) end
        local parts = {}
        for name, inner in pairs(value) do parts[#parts + 1] = name .. "=" .. all(inner) end
        return "{" .. table.concat(parts, " ") .. "}"
      end
      return { api = 1, scale = function(pool, fleet)
        return 1, percent(all(pool)) .. " " .. percent(all(fleet)) .. " " .. #fleet.pools .. " " .. #fleet.queue
      end }
      """
    var random = SeededGenerator(state: 11)
    let bundle = try PolicyBundle(files: ["scaling.lua": Array(source.utf8)])
    let kept = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    var fleet = PolicySamples.fleet
    for _ in 0..<100 {
      fleet.now += Double(Int.random(in: 0...1, using: &random))
      fleet.pools = (0..<Int.random(in: 1...3, using: &random)).map { number in
        var pool = PolicySamples.pool
        pool.name = "pool-\(number)"
        pool.pending = Int.random(in: 0...1, using: &random)
        pool.grownAt = Bool.random(using: &random) ? fleet.now : nil
        pool.history = (0..<Int.random(in: 0...2, using: &random)).map { .init(at: fleet.now, total: 1, busy: $0, pending: 0) }
        return pool
      }
      fleet.queue = (0..<Int.random(in: 0...3, using: &random)).map { number in
        PolicyQueue(scope: "acme", labels: ["linux"], count: number, queuedAt: PolicySamples.now - Double(number))
      }
      fleet.waits = PolicyWaits(Bool.random(using: &random) ? [1, 2] : [])
      let fresh = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
      let (one, other) = (kept.scale(fleet.pools[0], fleet: fleet), fresh.scale(fleet.pools[0], fleet: fleet))
      #expect(one.fallbackCause == nil)
      #expect(one.reason == other.reason)
      #expect(one.instructions == other.instructions)
    }
  }

  @Test("the shim numbers kinds and fields as the schema does")
  func numbers() throws {
    let words = PolicyKindName.allCases.map(\.word)
    #expect(words == words.sorted())
    #expect(Set(words) == Set(PolicyInput.kinds.map(\.name)))
    #expect(PolicyInput.kinds.allSatisfy { $0.fields.count <= 64 })
  }

  @Test("do not grow with the containers that ever were")
  func bounded() throws {
    let bundle = try PolicyBundle(files: ["affinity.lua": Array(Self.source.utf8)])
    let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    var memory: [Int] = []
    for round in 0..<60 {
      let candidates = (0..<200).map { number in
        var container = PolicySamples.container
        container.id = "rh-\(round)-\(number)"
        return container
      }
      let verdict = engine.place(PolicySamples.job, candidates: candidates, now: PolicySamples.now)
      #expect(verdict.fallbackCause == nil)
      memory.append(engine.memory(of: .affinity))
    }
    let half = try #require(memory.prefix(30).max())
    #expect(memory.allSatisfy { $0 < half + half / 2 })
  }
}
