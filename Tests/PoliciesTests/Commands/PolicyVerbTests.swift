import Domain
import Foundation
import FoundationXML
import RunnerHub
import Testing

@testable import Policies

/// A folder with a routing policy of two branches, and a test of one of them.
private func halfTested() throws -> ScratchFolder {
  let folder = try ScratchFolder()
  try folder.write(
    "routing.lua",
    "local r = { api = 1 }\nfunction r.route(job)\n  if job.labels:has('linux') then\n    return 'orchestrator', 'linux'\n  end\n  return 'traditional', 'other'\nend\nreturn r\n"
  )
  try folder.write(
    "routing_test.lua",
    "local r = require('routing')\ntest('linux comes here', function()\n  expect((r.route(job({ labels = { 'linux' } })))).equals('orchestrator')\nend)\ntest('says <why>', function()\n  print('looked & saw')\n  expect(1).equals(1)\nend)\n"
  )
  return folder
}

@Suite("policy test")
struct PolicyTestTests {
  @Test("measures the lines that tests execute, and lists the others")
  func coverage() throws {
    let folder = try halfTested()
    let report = PolicyCommands.test(folder.path, .init(listsUncovered: true))
    #expect(report.isSuccess)
    #expect(report.text.contains("routing.lua  "))
    #expect(report.text.contains("not executed: 6\n"))
    #expect(report.text.contains("routing ✓ 2"))
    #expect(report.text.contains("2 passed in "))
    #expect(report.text.contains(", lines covered "))
    guard case .number(let percent)? = report.values["lines_covered_percent"] else { _ = Issue.record("no percent"); return }
    #expect((50..<100).contains(percent))
    let strict = PolicyCommands.test(folder.path, .init(minimumCoverage: 99))
    #expect(!strict.isSuccess)
    #expect(strict.text.contains("less than the 99.0 % of --minimum-coverage"))
    #expect(PolicyCommands.test(folder.path, .init(minimumCoverage: 50)).isSuccess)
  }

  @Test("a library that no test reaches counts with all its lines")
  func untested() throws {
    let folder = try halfTested()
    try folder.write("lib/idle.lua", "local idle = {}\nfunction idle.f()\n  return 1\nend\nreturn idle\n")
    let report = PolicyCommands.test(folder.path, .init(listsUncovered: true))
    #expect(report.text.contains("lib/idle.lua  0 %, not executed: "))
  }

  @Test("--filter runs some, and says where it names none")
  func filter() throws {
    let folder = try halfTested()
    #expect(PolicyCommands.test(folder.path, .init(filter: "LINUX")).values["passed"] == 1)
    let none = PolicyCommands.test(folder.path, .init(filter: "macos"))
    #expect(!none.isSuccess)
    #expect(none.text.contains("error: no test's name contains 'macos'"))
  }

  @Test("JUnit's XML holds every test, its failure and what it printed, escaped")
  func junit() throws {
    let folder = try halfTested()
    try folder.write("affinity_test.lua", "test('breaks', function() expect('a').equals('<b>') end)")
    let xml = PolicyCommands.runTests(folder.path).junit
    let document = try XMLDocument(xmlString: xml)
    let cases = try document.nodes(forXPath: "//testcase")
    #expect(cases.count == 3)
    #expect(try document.nodes(forXPath: "//failure").count == 1)
    let message = try document.nodes(forXPath: "//failure/@message").first?.stringValue
    #expect(message?.contains("expected \"<b>\", got \"a\"") == true)
    #expect(try document.nodes(forXPath: "//system-out").first?.stringValue == "looked & saw\n")
    #expect(try document.nodes(forXPath: "/testsuites/@failures").first?.stringValue == "1")
    let broken = try XMLDocument(xmlString: PolicyCommands.runTests("/nowhere/\u{1}").junit)
    #expect(try broken.nodes(forXPath: "//error").count == 1)
  }

  @Test("a watcher sees only what changed")
  func changes() throws {
    let folder = try halfTested()
    let first = PolicyCommands.runTests(folder.path).outcome
    #expect(PolicyCommands.runTests(folder.path).outcome.changes(since: first) == [])
    try folder.write(
      "routing_test.lua",
      "local r = require('routing')\ntest('linux comes here', function()\n  expect((r.route(job()))).equals('traditional')\nend)\ntest('more', function() end)\n"
    )
    let second = PolicyCommands.runTests(folder.path).outcome
    let changes = second.changes(since: first)
    #expect(changes.first == "✗ routing_test.lua: linux comes here")
    #expect(changes.contains("✓ routing_test.lua: more (new)"))
    #expect(changes.contains("– routing_test.lua: says <why> (gone)"))
    #expect(second.summary == "1 passed, 1 failed")
    try folder.write("routing.lua", "return {")
    let broken = PolicyCommands.runTests(folder.path).outcome
    #expect(broken.changes(since: second).first?.contains("routing.lua:1: error: ") == true)
    #expect(broken.summary == "the files are not sound: no test ran")
    let again = try halfTested()
    #expect(PolicyCommands.runTests(again.path).outcome.changes(since: broken).first == "✓ the files are sound again")
  }
}

@Suite("policy eval, explain and bench")
struct PolicyRehearsalTests {
  private let question = PolicyCommands.Question(
    job: PolicySamples.job, fleet: PolicySamples.fleet,
    containers: ["acme/storefront", nil].enumerated().map { index, repository in
      var container = PolicySamples.container
      container.id = "c\(index)"
      container.name = "warm-\(index)"
      container.repository = repository
      return container
    })

  @Test("affinity shows every candidate, the best first")
  func affinity() {
    let report = PolicyCommands.eval(.affinity, question, folder: projectPolicies)
    #expect(report.isSuccess)
    #expect(report.text.hasPrefix("warm-0    80 has this repository's cache\nwarm-1    50 warm container\nstrategy  the configured one\n"))
    guard case .list(let candidates)? = report.values["candidates"] else { _ = Issue.record("no candidates"); return }
    #expect(candidates.count == 2)
  }

  @Test("scaling shows each pool, or the one that is named")
  func scaling() {
    var question = question
    question.fleet.pools = [pool(idle: 0, busy: 10, pending: 9), pool(idle: 2, busy: 1, pending: 0)]
    question.fleet.pools[1].name = "arm"
    let all = PolicyCommands.eval(.scaling, question, folder: projectPolicies)
    #expect(all.text.contains("pool      linux (has 10)\nwanted    19\n"))
    #expect(all.text.contains("pool      arm (has 3)"))
    question.pool = "amr"
    let unknown = PolicyCommands.eval(.scaling, question, folder: projectPolicies)
    #expect(!unknown.isSuccess)
    #expect(unknown.text == "error: no pool 'amr' in the fleet – did you mean 'arm'?")
  }

  @Test("explain shows lines, values and what was returned, calls indented")
  func explain() throws {
    var question = question
    question.job = job(name: "deploy (eu)", labels: ["linux", "urgent"])
    let report = PolicyCommands.explain(.priority, question, folder: projectPolicies)
    #expect(report.isSuccess, "\(report.text)")
    let lines = report.text.components(separatedBy: "\n")
    #expect(lines.first == "priority.prioritise(deploy (eu))")
    #expect(lines.last == "→ \"CRITICAL\", \"deployment job deploy\"")
    #expect(lines.contains { $0.contains("priority.lua:") && $0.contains("  local deploys = deployment(job)") })
    #expect(lines.contains { $0.contains("lib/words.lua:") && $0.contains("name = \"deploy\"") })
    guard case .list(let calls)? = report.values["calls"], case .object(let call)? = calls.first, case .list(let steps)? = call["steps"]
    else {
      _ = Issue.record("no steps"); return
    }
    let depths = steps.compactMap { step -> Int? in
      guard case .object(let values) = step, case .integer(let depth)? = values["depth"] else { return nil }
      return depth
    }
    #expect(depths.first == 1)
    #expect(depths.max() == 4)
  }

  @Test("explain tells where a policy breaks")
  func broken() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", "local r = { api = 1 }\nfunction r.route(job)\n  local x = 1\n  return job.nme\nend\nreturn r")
    let report = PolicyCommands.explain(.routing, question, folder: folder.path)
    #expect(!report.isSuccess)
    #expect(report.text.contains("routing.lua:4"))
    #expect(report.text.contains("x = 1"))
    #expect(report.text.contains("✗ routing.lua:4: unknown field 'job.nme' – did you mean 'job.name'?"))
  }

  @Test("bench compares with the built-in rule, and shows what of the budget is used")
  func bench() {
    let report = PolicyCommands.bench(projectPolicies, questions: PolicySamples.questions, time: .milliseconds(5))
    #expect(report.isSuccess, "\(report.text)")
    guard case .list(let policies)? = report.values["policies"] else { _ = Issue.record("no policies"); return }
    #expect(policies.count == 4)
    for policy in policies {
      guard case .object(let values) = policy, case .number(let ratio)? = values["ratio"],
        case .integer(let memory)? = values["memory_bytes"],
        case .number(let median)? = values["p50_microseconds"], case .number(let late)? = values["p99_microseconds"]
      else {
        Issue.record("\(policy)")
        continue
      }
      #expect(ratio > 0 && memory > 1000 && median > 0 && late >= median)
    }
    #expect(!PolicyCommands.bench("/nowhere", questions: PolicySamples.questions).isSuccess)
  }

  @Test("inputs from files: what is left out follows, what is wrong is named")
  func given() throws {
    let now = PolicySamples.now
    let fleet = try GivenInputs.fleet(
      .map(["pools": .list([.map(["name": .text("gpu"), "total": .integer(4), "busy": .integer(3), "pending": .integer(2)])])]), now: now)
    #expect(fleet.pools[0].idle == 1)
    #expect(fleet.pending == 2 && fleet.active == 3 && fleet.now == now)
    let containers = try GivenInputs.containers(
      .list([
        .map(["name": .text("a"), "cpus": .number(1.5), "labels": .list([.text("GPU")]), "idle_seconds": .integer(30)]),
        .map(["is_new": .bool(true)]),
      ]),
      now: now)
    #expect(containers[0].resources.milliCPUs == 1500 && containers[0].labels.values == ["gpu"] && containers[0].idleSince == now - 30)
    #expect(containers[1].id.isEmpty && containers[1].createdAt == nil)
    let faults: [(LuaValue, String)] = [
      (.map(["pools": .list([.map(["nme": .text("x")])])]), "pools[1]: unknown field 'nme' – did you mean 'name'?"),
      (.map(["pending": .text("many")]), "fleet: pending is \"many\"; expected a whole number from 0"),
      (.map(["pools": .list([.map(["utilisation": .number(0.5)])])]), "pools[1]: utilisation follows from busy and total: leave it out"),
      (.text("x"), "fleet is \"x\"; expected names and values"), (.map(["pools": .integer(1)]), "fleet: pools is 1; expected a list"),
      (.map(["draining": .integer(1)]), "fleet: draining is 1; expected true or false"),
    ]
    for (value, message) in faults {
      let fault = #expect(throws: GivenInputs.Fault.self) { try GivenInputs.fleet(value, now: now) }
      #expect(fault?.description == message)
    }
  }
}

@Suite("policy diff, new and types")
struct PolicyWritingTests {
  private func bundle(_ files: [String: String]) throws -> PolicyBundle { try PolicyBundle(files: files.mapValues { Array($0.utf8) }) }

  @Test("diff names files and functions, and shows the text as diff -u does")
  func diff() throws {
    let old = try bundle([
      "routing.lua": "local r = {}\nfunction r.route()\n  return 1\nend\nlocal function gone() end\nreturn r\n", "lib/a.lua": "return 1\n",
    ])
    let new = try bundle([
      "routing.lua": "local r = {}\nfunction r.route()\n  return 2\nend\nlocal function more() end\nreturn r\n", "lib/b.lua": "return 1\n",
    ])
    let report = PolicyCommands.diff(old, new, names: ("old", "new"))
    #expect(
      report.text.hasPrefix(
        "bundle \(old.digest) → \(new.digest): 3 files changed\n  lib/a.lua  removed\n  lib/b.lua  added\n  routing.lua  −gone(), +more(), ~r.route()\n\n"
      ))
    #expect(
      report.text.hasSuffix(
        """
        --- old/routing.lua
        +++ new/routing.lua
        @@ -1,6 +1,6 @@
         local r = {}
         function r.route()
        -  return 1
        +  return 2
         end
        -local function gone() end
        +local function more() end
         return r
        """))
    #expect(report.text.contains("--- old/lib/a.lua\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-return 1"))
    #expect(PolicyCommands.diff(old, old, names: ("a", "b")).text == "no difference: both are bundle \(old.digest)")
  }

  @Test("far changes get hunks of their own, whose lines are counted right")
  func hunks() {
    let old = (1...40).map { "line \($0)" }
    var new = old
    new[2] = "changed"
    new.remove(at: 30)
    let text = TextDiff.unified(old.joined(separator: "\n") + "\n", new.joined(separator: "\n") + "\n", names: ("a", "b"))
    #expect(text.filter { $0.hasPrefix("@@") } == ["@@ -1,6 +1,6 @@", "@@ -28,7 +28,6 @@"])
    #expect(text.contains("-line 3") && text.contains("+changed") && text.contains("-line 31"))
  }

  @Test("what new writes is clean, passes, and is covered whole", arguments: PolicyCommands.NewKind.allCases)
  func new(kind: PolicyCommands.NewKind) throws {
    let folder = try ScratchFolder()
    let report = PolicyCommands.new(kind, name: kind == .lib ? "teams" : nil, in: folder.path)
    #expect(report.isSuccess, "\(report.text)")
    let analysis = BundleAnalysis(try PolicyBundle(folder: folder.path))
    // Nothing requires a library that was just made.
    #expect(analysis.diagnostics.filter { $0.severity == .error || kind != .lib } == [])
    let tests = PolicyCommands.test(folder.path, .init(minimumCoverage: 100))
    #expect(tests.isSuccess, "\(tests.text)")
    let again = PolicyCommands.new(kind, name: kind == .lib ? "teams" : nil, in: folder.path)
    #expect(!again.isSuccess)
    #expect(again.text.hasSuffix("is there already: nothing was written"))
  }

  @Test("new refuses names that make no bundle, and copies an example whole or not at all")
  func refusals() throws {
    let folder = try ScratchFolder()
    #expect(PolicyCommands.new(.lib, name: nil, in: folder.path).text.hasPrefix("error: name the library"))
    #expect(!PolicyCommands.new(.lib, name: "../evil", in: folder.path).isSuccess)
    #expect(!PolicyCommands.new(.routing, name: "mine", in: folder.path).isSuccess)
    let examples = try ScratchFolder()
    try examples.write("freeze/routing.lua", "return {}")
    try examples.write("freeze/lib/days.lua", "return {}")
    #expect(PolicyCommands.copy("freze", of: examples.path, to: folder.path).text == "error: no example 'freze' – did you mean 'freeze'?")
    try folder.write("lib/days.lua", "-- mine")
    #expect(!PolicyCommands.copy("freeze", of: examples.path, to: folder.path).isSuccess)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/routing.lua"))
    let empty = try ScratchFolder()
    #expect(PolicyCommands.copy("freeze", of: examples.path, to: empty.path).isSuccess)
    #expect(try PolicyBundle(folder: empty.path).files.count == 2)
  }

  @Test("types are printed, written and checked")
  func types() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/types/runnerhub.lua"
    #expect(PolicyCommands.types(at: nil, onlyChecks: false).text == PolicyTypes.annotations)
    #expect(!PolicyCommands.types(at: path, onlyChecks: true).isSuccess)
    #expect(PolicyCommands.types(at: path, onlyChecks: false).isSuccess)
    #expect(PolicyCommands.types(at: path, onlyChecks: true).text == "\(path) is up to date")
    #expect(PolicyCommands.types(at: projectPolicies + "/types/runnerhub.lua", onlyChecks: true).isSuccess)
  }

  @Test("numbers are written for people")
  func numbers() {
    #expect([0, 999, 1_000, 18_204, -1_234_567].map(PolicyCommands.grouped) == ["0", "999", "1,000", "18,204", "−1,234,567"])
    #expect([0, 0.04, 3.94, -1.25, 1234.56].map(PolicyCommands.decimal) == ["0.0", "0.0", "3.9", "−1.3", "1,234.6"])
    #expect(PolicyCommands.share(212, of: 18_204) == "1.2 %")
    #expect(LineCoverage.ranges([3, 7, 8, 9, 12]) == "3, 7-9, 12")
  }
}
