import Foundation
import Testing

@testable import Policies

private func bundle(_ files: [String: String]) throws -> PolicyBundle {
  try PolicyBundle(files: files.mapValues { Array($0.utf8) })
}

/// `file:line:column: severity: message` of everything that is found.
private func findings(_ files: [String: String]) throws -> [String] {
  BundleAnalysis(try bundle(files)).diagnostics.map { $0.lines(folder: "", source: nil)[0] }
}

@Suite("A look at a bundle")
struct BundleAnalysisTests {
  private static func routing(_ body: String) -> String {
    "local routing = { api = 1 }\nfunction routing.route(job, fleet)\n\(body)\nreturn \"orchestrator\", fleet.now .. job.name\nend\nreturn routing"
  }

  /// What stands in `routing.route`, from line 3, and what is said of it.
  private static let faults: [(String, [String])] = [
    ("if job.enviroment then end", ["3:8: error: unknown field 'job.enviroment' – did you mean 'job.environment'?"]),
    ("local x = job['enviroment']", ["3:15: error: unknown field 'job.enviroment' – did you mean 'job.environment'?"]),
    ("local l = job.labels\nif l.include then end", ["4:6: error: labels have numbers and 'has': write labels:has(\"linux\")"]),
    ("if job.labels:contains('a') then end", ["3:15: error: labels have numbers and 'has': write labels:has(\"linux\")"]),
    (
      "for _, pool in ipairs(fleet.pools) do if pool.bussy > 1 then end end",
      ["3:47: error: unknown field 'pool.bussy' – did you mean 'pool.busy'?"]
    ),
    ("local first = fleet.pools[1]\nlocal n = first.nam", ["4:17: error: unknown field 'pool.nam' – did you mean 'pool.name'?"]),
    ("local e = job.estimate\nif e and e.cpu > 2 then end", ["4:12: error: unknown field 'estimate.cpu' – did you mean 'estimate.cpus'?"]),
    ("local x = job.attempt.number", ["3:23: error: 'job.attempt' is a whole number and has no field 'number'"]),
    ("if job.name:lowr() == 'x' then end", ["3:13: error: texts have no function 'lowr' – did you mean 'lower'?"]),
    ("local x = strng.format('x')", ["3:11: error: unknown name 'strng' – did you mean 'string'?"]),
    ("local x = string.formt('x')", ["3:18: error: unknown field 'string.formt' – did you mean 'string.format'?"]),
    ("local label = 1\nprint(lable)", ["4:7: error: unknown name 'lable' – did you mean 'label'?"]),
    ("local t = os.time()", ["3:11: error: 'os' is not available in policies"]),
    ("counter = 1", ["3:1: error: global names are read-only: write 'local counter'"]),
    ("job.name = 'x'", ["3:1: error: job is read-only"]),
    (
      "local w = require('lib.wrds')",
      ["3:19: error: no module 'lib.wrds': require reaches lib/ of the policies folder only, as in require \"lib.words\""]
    ),
    ("if job.event == 'pusch' then end", ["3:17: warning: job.event is never \"pusch\" – did you mean \"push\"?"]),
    ("if 'scheduled' ~= job.event then end", ["3:4: warning: job.event is never \"scheduled\" – did you mean \"schedule\"?"]),
    ("if job.attempt == '1' then end", ["3:19: warning: job.attempt is a whole number: this comparison is never true"]),
    ("if job.labels == 'linux' then end", ["3:18: warning: job.labels is a table: this comparison is never true"]),
    ("if job.private ~= 'true' then end", ["3:19: warning: job.private is true or false: this comparison is always true"]),
    ("if job then return 'orchestrater' end", ["3:20: error: routing.route returns \"orchestrater\" – did you mean \"orchestrator\"?"]),
    (
      "local where = 'here'\nif job then return where end",
      ["4:20: error: routing.route returns \"here\"; expected one of \"orchestrator\", \"traditional\""]
    ),
    ("if job then return nil end", ["3:20: error: routing.route returns nil; expected one of \"orchestrator\", \"traditional\""]),
    (
      "if job then return fleet.draining and 'tradtional' or 'orchestrator' end",
      ["3:39: error: routing.route returns \"tradtional\" – did you mean \"traditional\"?"]
    ),
    ("local function unused() end", ["3:16: warning: function 'unused' is never called"]),
    (
      "local function big(j) return j.estimat end\nif big(job) then end",
      ["3:32: error: unknown field 'job.estimat' – did you mean 'job.estimate'?"]
    ),
    (
      "local function inner(x) return x.ownr end\nlocal function outer(x) return inner(x) end\nif outer(job) then end",
      ["3:34: error: unknown field 'job.ownr' – did you mean 'job.owner'?"]
    ),
    ("\tif job.ownr then end", ["3:9: error: unknown field 'job.ownr' – did you mean 'job.owner'?"]),
    ("local s = 'é' if job.ownr then end", ["3:22: error: unknown field 'job.ownr' – did you mean 'job.owner'?"]),
  ]

  @Test("finds what cannot be meant, and says where", arguments: faults)
  func fault(body: String, wanted: [String]) throws {
    #expect(try findings(["routing.lua": Self.routing(body)]) == wanted.map { "routing.lua:" + $0 })
  }

  private static let silent: [String] = [
    // What is not known for certain.
    "local x = job\nx = {}\nif x.anything then end",
    "local function f(v) return v.anything end\nif f(job) and f({}) then end",
    "local function f(v) return v.name end\nif f(job) and f(fleet.pools[1]) then end",
    "local function f(v) return v.pools end\nlocal g = f\nif g(fleet) and f(job) then end",
    "local list = { job }\nif list[1].anything then end",
    "local function f(...) return ... end\nif f(job).anything then end",
    "local function f(v, w) return w.anything end\nif f(pcall(print)) then end",
    "table.sort({ 1 }, function(a, b) return a.anything < b.anything end)",
    "local handlers = { push = function(j) return j.name end, other = function(j) return j.busy end }\nif handlers[job.event](job) then end",
    // Errors that somebody waits for.
    "local ok = pcall(function() return job.enviroment end)\nif ok then end",
    // Names of one's own.
    "local string = { formt = 1 }\nprint(string.formt)",
    "for _, job in ipairs({ { anything = 1 } }) do print(job.anything) end",
    "local function f(job) return job end\nif f(1) then end",
    // Sound use.
    "local env = job.environment\nif env and env:lower():find('prod') then end",
    "if job.labels:has('linux') and #job.labels > 1 and job.labels[1] == 'a' then end",
    "if job.event == 'push' or job.event == 'my_own_event_of_next_year' then end",
    "local e = job.estimate or {}\nif e.anything then end",
    "local min, fmt = math.min, string.format\nprint(min(1, 2), fmt('%d', 1))",
    "if job.waiting_seconds ~= nil and job.branch ~= nil then end",
    "local f\nf = function() return f end\nif f() then end",
    "goto done\n::done::",
    "local t <const> = {}\nt.x = 1\nprint(t.y)",
    "local n = 0\nwhile n < 3 do n = n + 1 end\nrepeat local m = n until m > 1",
    "local function _later() end",
    "local function f(j) if j.name == 'x' then return 'whatever' end end\nif f(job) then end",
  ]

  @Test("says nothing where it is not certain", arguments: silent)
  func silence(body: String) throws {
    #expect(try findings(["routing.lua": Self.routing(body)]) == [])
  }

  private static let answers: [(String, String, [String])] = [
    (
      "priority", "function p.prioritise(job) return \"CRITCAL\", job.name end",
      ["2:35: error: priority.prioritise returns \"CRITCAL\" – did you mean \"CRITICAL\"?"]
    ),
    (
      "priority", "function p.prioritise(job) return job.name == 'x' and \"HIGH\" or \"high\" end",
      ["2:65: error: priority.prioritise returns \"high\" – did you mean \"HIGH\"?"]
    ),
    ("affinity", "function p.score() return 101 end", ["2:27: error: affinity.score returns 101; expected a number from 0 to 100"]),
    (
      "affinity", "function p.score() return 50 end function p.filter() return 'no' end",
      ["2:61: error: affinity.filter returns \"no\"; expected true, or false and a reason"]
    ),
    (
      "affinity", "function p.score() return 0.5 end function p.strategy() return 'least-loadad' end",
      ["2:64: error: affinity.strategy returns \"least-loadad\" – did you mean \"least-loaded\"?"]
    ),
    ("affinity", "function p.score(_, c) return c.uses end function p.strategy() return nil end function p.filter() return true end", []),
    (
      "scaling", "function p.scale(pool) return -1, pool.name end",
      ["2:31: error: scaling.scale returns -1; expected a whole number of containers from 0"]
    ),
    (
      "scaling", "function p.scale(pool) return 2.5, pool.name end",
      ["2:31: error: scaling.scale returns 2.5; expected a whole number of containers from 0"]
    ),
    (
      "scaling", "local function size(pool) return pool.tota end p.scale = function(pool) return size(pool) end",
      ["2:39: error: unknown field 'pool.tota' – did you mean 'pool.total'?"]
    ),
    (
      "scaling", "function p.scale(pool) return pool.total end function p.scael() end",
      ["2:57: warning: nothing asks 'scaling.scael' – did you mean 'scaling.scale'?"]
    ),
    ("scaling", "function p.helper() end function p.scale(pool) p.helper() return pool.total end", []),
  ]

  @Test("knows what each policy may answer", arguments: answers)
  func answer(file: String, body: String, wanted: [String]) throws {
    #expect(try findings([file + ".lua": "local p = { api = 1 }\n\(body)\nreturn p"]) == wanted.map { "\(file).lua:" + $0 })
  }

  @Test("follows a job into a library, and back out of nothing")
  func libraries() throws {
    let routing =
      "local team = require('lib.team')\nlocal r = { api = 1 }\nfunction r.route(job)\n  return team.of(job) and 'orchestrator' or team.fo(job) or 'traditional'\nend\nreturn r"
    let team = "local team = {}\nfunction team.of(job) return job.onwer end\nfunction team.rest() end\nreturn team"
    #expect(
      try findings(["routing.lua": routing, "lib/team.lua": team, "lib/idle.lua": "return {}"]) == [
        "lib/idle.lua: warning: required by nothing: require(\"lib.idle\") reaches it",
        "lib/team.lua:2:34: error: unknown field 'job.onwer' – did you mean 'job.owner'?",
        "lib/team.lua:3:15: warning: 'rest' is called by nothing",
        "routing.lua:4:50: error: 'team' has no function 'fo' – did you mean 'team.of'?",
      ])
  }

  @Test("an annotation tells the kind of a parameter")
  func annotation() throws {
    let source = "local M = {}\n--- Why.\n---@param j Job\n---@return string\nfunction M.f(j) return j.nam end\nreturn M"
    let routing =
      "local m = require('lib.m')\nlocal r = { api = 1 }\nfunction r.route(job, x) return x and m.f(x) or 'traditional', job.name end\nreturn r"
    #expect(
      try findings(["lib/m.lua": source, "routing.lua": routing.replacing("m.f(x)", with: "m.f()")]) == [
        "lib/m.lua:5:26: error: unknown field 'job.nam' – did you mean 'job.name'?"
      ])
  }

  @Test("tests are looked at as tests: their names, the fields they give, the errors they wait for")
  func tests() throws {
    let test = """
      local routing = require("routing")
      test("a", function()
        expect(routing.route(job({ enviroment = "x" }))).equals("traditional")
        expect(function() return job().anything end).fails("unknown field")
        local j = job()
        print(j.nme)
      end)
      """
    #expect(
      try findings(["routing.lua": Self.routing(""), "routing_test.lua": test]) == [
        "routing_test.lua:3:30: error: a job has no field 'enviroment' – did you mean 'environment'?",
        "routing_test.lua:6:11: error: unknown field 'job.nme' – did you mean 'job.name'?",
      ])
    #expect(try findings(["routing.lua": Self.routing("test('x')")]) == ["routing.lua:3:1: error: unknown name 'test'"])
  }

  @Test("data that no policy reads is told, by file and by key, and a table that is not there is an error")
  func data() throws {
    let files = [
      "data/teams.yaml": "payments: { tier: 1 }\nsearch: { tier: 2 }\n", "data/idle.yaml": "a: 1\n",
      "data/limits.yaml": "nightly: 3\nweekly: 4\n",
    ]
    let reading = "local tier = data.limits.nightly\nif data.teams[job.owner] and tier then return 'orchestrator' end\nlocal x = data.tems"
    #expect(
      try findings(files.merging(["routing.lua": Self.routing(reading)]) { $1 }) == [
        "data/idle.yaml: warning: is read by no policy", "data/limits.yaml:2:1: warning: 'weekly' is read by no policy",
        "routing.lua:5:16: error: unknown field 'data.tems' – did you mean 'data.teams'?",
      ])
    let whole = "local all = data\nfor _, table in pairs(all) do if table.x then return 'traditional' end end"
    #expect(try findings(files.merging(["routing.lua": Self.routing(whole)]) { $1 }) == [])
    let tested = "test('a', function() expect(data.idle.a).equals(1) end)"
    #expect(
      try findings(["data/idle.yaml": "a: 1\n", "routing.lua": Self.routing(""), "routing_test.lua": tested]) == [
        "data/idle.yaml: warning: is read by no policy"
      ])
  }

  @Test("the project's own policies are clean, and were all read")
  func clean() throws {
    let analysis = BundleAnalysis(try PolicyBundle(folder: projectPolicies))
    #expect(analysis.diagnostics == [])
    #expect(analysis.unread == [:])
  }

  @Test("the names that are known are those of the sandbox")
  func sandbox() throws {
    let names = PolicyLanguage.functions.union(PolicyLanguage.hostFunctions).union(PolicyLanguage.values).sorted()
    for name in names + PolicyLanguage.libraries.keys.sorted() { #expect(try value("return \(name) ~= nil") == [.bool(true)], "\(name)") }
    for name in PolicyLanguage.outside { #expect(throws: LuaFailure.self) { try value("return \(name)") } }
    for (library, members) in PolicyLanguage.libraries {
      let found = try value("local names = {} for name in pairs(\(library)) do names[#names + 1] = name end return names")
      #expect(found == [.list(members.sorted().map(LuaValue.text))], "\(library)")
    }
    // luacheck's list is kept by hand.
    let configuration = try LuaParser.parse(Array(Data(contentsOf: URL(filePath: projectPolicies).appending(path: "../.luacheckrc"))))
    #expect("\(configuration)".contains("xpcall"))
  }

  private func value(_ body: String) throws -> [LuaValue] {
    let runtime = try LuaRuntime()
    try runtime.addSource(module: "m", file: "m.lua", text: Array("return { f = function() \(body) end }".utf8))
    _ = try runtime.load("m")
    return try runtime.call("f", [])
  }

  @Test("an excerpt shows the line and underlines the part, tabs and wide letters included")
  func excerpt() throws {
    let text = Array("x\n\tif job.enviroment then\r\n".utf8)
    let finding = PolicyDiagnostic(file: "a.lua", place: SourceLines(text).place(of: 10..<20), message: "m")
    #expect(
      finding.lines(folder: "p/", source: text) == [
        "p/a.lua:2:9: error: m", "    2 | \tif job.enviroment then", "      | \t       ^^^^^^^^^^",
      ])
    let end = PolicyDiagnostic(file: "a.lua", place: SourceLines([]).place(of: 0..<0), message: "m")
    #expect(end.lines(folder: "", source: []) == ["a.lua:1:1: error: m", "    1 | ", "      | ^"])
  }
}

@Suite("policy check")
struct PolicyCheckTests {
  @Test("shows errors as the guide does, and ends with the count")
  func report() throws {
    let folder = try ScratchFolder()
    let source =
      String(repeating: "\n", count: 11)
      + "local priority = { api = 1 }\nfunction priority.prioritise(job)\n  if job.enviroment == \"production\" then return \"HIGH\" end\n  return \"NORMAL\"\nend\nreturn priority\n"
    try folder.write("priority.lua", source)
    let report = PolicyCommands.check(folder.path)
    #expect(!report.isSuccess)
    #expect(
      report.text.hasPrefix(
        """
        \(folder.path)/priority.lua:14:10: error: unknown field 'job.enviroment' – did you mean 'job.environment'?
           14 |   if job.enviroment == "production" then return "HIGH" end
              |          ^^^^^^^^^^

        """))
    #expect(report.text.hasSuffix("\n1 error in 1 file"))
    #expect(report.values["errors"] == 1)
  }

  @Test("what running and looking both find is said once, with its column")
  func once() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", "local r = { api = 1, names = strng }\nfunction r.route() return 'traditional' end\nreturn r")
    let report = PolicyCommands.check(folder.path)
    #expect(report.text.components(separatedBy: "error:").count == 2)
    #expect(report.text.contains("routing.lua:1:30: error: unknown name 'strng' – did you mean 'string'?"))
  }

  @Test("a syntax error has a column too")
  func syntax() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", "return {\n  route = = 1\n}\n")
    #expect(PolicyCommands.check(folder.path).text.contains("routing.lua:2:11: error: "))
  }

  @Test("warnings let a bundle pass, but not under --strict")
  func warnings() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "routing.lua", "local r = { api = 1 }\nlocal function idle() end\nfunction r.route() return 'traditional' end\nreturn r")
    let report = PolicyCommands.check(folder.path)
    #expect(report.isSuccess)
    #expect(report.text.contains("1 file, bundle "))
    #expect(report.text.hasSuffix(": fit, 1 warning"))
    #expect(!PolicyCommands.check(folder.path, isStrict: true).isSuccess)
  }
}
