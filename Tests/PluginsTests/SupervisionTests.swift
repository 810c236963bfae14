import Domain
import Foundation
import JSON
@testable import Plugins
import RunnerHub
import Synchronization
import Testing

/// Plugins as the host runs them, with real processes.
@Suite("Supervision of plugins", .timeLimit(.minutes(1)))
struct SupervisionTests {
  @Test("nothing runs unless the configuration names it; named while the host runs, it starts; forgotten, it ends")
  func naming() async throws {
    let test = try TestHost()
    try test.add("plug")
    try await test.run {
      try await test.reaches(.available)
      await #expect(throws: PluginError.self) { try await test.echo() }
      test.name(PluginPlan(name: "plug"))
      try await test.reaches(.running)
      #expect(try await test.echo("hello") == "hello")
      test.name()
      try await test.reaches(.available)
      await #expect(throws: PluginError.self) { try await test.echo() }
    }
    #expect(test.adapter.told.withLock { $0 } == ["started plug 1.0.0", "removed plug"])
    #expect(test.events.withLock { $0 } == ["plug starting", "plug running", "plug available"])
  }

  @Test("a plugin that comes into the folder is started, and one whose folder goes is ended")
  func hotAddAndRemoval() async throws {
    let test = try TestHost()
    test.name(PluginPlan(name: "plug", place: "runnerhub.yaml:7:3"))
    try await test.run {
      try await test.reaches(.stopped)
      #expect(test.status("plug")?.reason?.hasPrefix("runnerhub.yaml:7:3: there is no folder") == true)
      try test.add("plug")
      try await test.reaches(.running)
      try FileManager.default.removeItem(at: test.plugins.appending(path: "plug"))
      try await test.reaches(.stopped)
    }
  }

  @Test("an upgrade takes over without losing a call, and a version that does not start leaves the old one running")
  func upgrade() async throws {
    let test = try TestHost()
    let slow =
      "def handle(request):\n    if request['method'] == 'notifier/notify': time.sleep(0.02); answer(request, {'text': VERSION}); return True\nserve()"
    try test.add("plug", slow)
    test.name(PluginPlan(name: "plug"))
    try await test.run {
      try await test.reaches(.running)
      let versions = Notes()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          // Calls are made all the time, and each must be answered.
          while !Task.isCancelled, versions.all.last != "2.0.0" {
            let version = try await test.echo()
            versions.add(version)
          }
        }
        try await eventually { versions.all.count > 2 }
        try test.add("plug", version: "2.0.0", slow)
        try await group.waitForAll()
      }
      #expect(Set(versions.all) == ["1.0.0", "2.0.0"])
      try await eventually { test.status("plug")?.version == "2.0.0" }
      try test.add("plug", version: "3.0.0", "sys.exit(1)")
      try await eventually { test.status("plug")?.reason?.contains("was not taken over") == true }
      #expect(try await test.echo() == "2.0.0")
      #expect(test.status("plug")?.state == .running)
    }
    #expect(test.status("plug")?.failures == 0)
  }

  @Test("what changes in the folder is seen by events of the kernel, long before the next look")
  func events() async throws {
    var pace = TestHost.pace
    pace.look = 3600
    pace.backstop = 3600
    let test = try TestHost(pace: pace)
    test.name(PluginPlan(name: "plug"))
    try await test.run {
      try await test.reaches(.stopped)
      try test.add("plug")
      try await test.reaches(.running)
      try test.add("plug", version: "2.0.0")
      try await eventually { test.status("plug")?.version == "2.0.0" }
      #expect(try await test.echo("on") == "on")
      // Within a folder of the plugin's, which came after it did.
      let library = test.plugins.appending(path: "plug/library")
      try FileManager.default.createDirectory(at: library, withIntermediateDirectories: true)
      try await eventually { test.events.withLock { $0.filter { $0 == "plug upgraded" }.count } >= 1 }
      let before = test.events.withLock { $0.filter { $0 == "plug upgraded" }.count }
      try "x = 1\n".write(to: library.appending(path: "x.py"), atomically: false, encoding: .utf8)
      try await eventually { test.events.withLock { $0.filter { $0 == "plug upgraded" }.count } > before }
      try FileManager.default.removeItem(at: test.plugins.appending(path: "plug"))
      try await test.reaches(.stopped)
    }
  }

  @Test("a rotated secret of its configuration is taken over by a new process, without losing a call; another one's changes nothing")
  func rotation() async throws {
    let secret = Mutex("first")
    let reference = try SecretReference("secret://vault/x#token")
    let test = try TestHost { value, _ in
      value["token"] == nil ? value : .object(["token": .string(secret.withLock { $0 })])
    }
    let script =
      "def handle(request):\n    if request['method'] == 'notifier/notify': time.sleep(0.01); answer(request, {'text': hello['configuration'].get('token', 'none') + ' ' + str(os.stat('/proc/self').st_ino)}); return True\nserve()"
    try test.add("plug", manifest: "configuration: {type: object}", script)
    try test.add("other", manifest: "configuration: {type: object}", script)
    test.name(
      PluginPlan(name: "plug", configuration: .object(["token": .string("\(reference)")])),
      PluginPlan(name: "other", configuration: .object(["name": .string("x")])))
    try await test.run {
      try await test.reaches(.running)
      try await test.reaches(.running, "other")
      let answers = Notes()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          // Calls are made all the time, and each must be answered.
          while !Task.isCancelled, answers.all.last?.hasPrefix("second") != true { answers.add(try await test.echo()) }
        }
        try await eventually { answers.all.count > 2 }
        secret.withLock { $0 = "second" }
        await test.host.renew(usersOf: reference)
        try await group.waitForAll()
      }
      #expect(answers.all.first?.hasPrefix("first") == true)
      try await eventually { test.events.withLock { $0.contains("plug upgraded") } }
      // Told again of what it has already.
      await test.host.renew(usersOf: reference)
      await test.host.renew(usersOf: try SecretReference("secret://vault/y"))
      _ = try await test.host.fulfil(.restart, of: "other")
      #expect(test.events.withLock { $0.filter { $0 == "plug upgraded" }.count } == 1)
    }
    #expect(test.status("plug")?.failures == 0)
    #expect(test.status("plug")?.errors == 0)
  }

  /// Says in its log with which secret it was greeted, and fails with a bad one.
  private static let greeted =
    "def handle(request):\n    if request['method'] == 'initialize':\n        token = request['params']['configuration']['token']\n        print('given ' + token, file=sys.stderr)\n        if token == 'bad': sys.exit(1)\n    return False\nserve()"

  @Test("a secret that is another one at each read makes no more than one new process in its time")
  func restlessSecret() async throws {
    let reads = Mutex(0)
    let reference = try SecretReference("secret://vault/x#token")
    let test = try TestHost { _, _ in
      let read = reads.withLock { reads in
        reads += 1
        return reads
      }
      return .object(["token": .string("\(read)")])
    }
    try test.add("plug", manifest: "configuration: {type: object}", Self.greeted)
    test.name(PluginPlan(name: "plug", configuration: .object(["token": .string("\(reference)")])))
    try await test.run {
      try await test.reaches(.running)
      for _ in 0..<10 {
        await test.host.renew(usersOf: reference)
        try await eventually { test.events.withLock { $0.contains("plug upgraded") } }
      }
      _ = try await test.host.fulfil(.restart, of: "plug")
      // One for the secrets, and one for the operator.
      #expect(test.events.withLock { $0.filter { $0 == "plug upgraded" }.count } == 2)
    }
  }

  @Test("a takeover with a new secret that fails is tried again, and a plugin that was given up is lifted by one")
  func failedRenewal() async throws {
    let secret = Mutex("first")
    let reference = try SecretReference("secret://vault/x#token")
    var pace = TestHost.pace
    pace.renewal = 0.2
    pace.restart.failures = 2
    let test = try TestHost(pace: pace) { _, _ in .object(["token": .string(secret.withLock { $0 })]) }
    try test.add("plug", manifest: "configuration: {type: object}", Self.greeted)
    test.name(PluginPlan(name: "plug", configuration: .object(["token": .string("\(reference)")])))
    @Sendable func given(_ token: String) -> Int {
      (try? test.host.logs(of: "plug", after: nil, limit: 1000).filter { $0.text == "given \(token)" }.count) ?? 0
    }
    try await test.run {
      try await test.reaches(.running)
      secret.withLock { $0 = "bad" }
      await test.host.renew(usersOf: reference)
      try await eventually { given("bad") >= 2 }
      try await eventually { test.status("plug")?.reason?.contains("was not taken over") == true }
      // Nobody tells of it: it is tried again by itself.
      secret.withLock { $0 = "second" }
      try await eventually { given("second") == 1 && test.status("plug")?.reason == nil }
      #expect(test.status("plug")?.failures == 0)
      secret.withLock { $0 = "bad" }
      _ = try await test.host.fulfil(.disable, of: "plug")
      _ = try await test.host.fulfil(.enable, of: "plug")
      try await test.reaches(.quarantined)
      secret.withLock { $0 = "third" }
      await test.host.renew(usersOf: reference)
      try await test.reaches(.running)
      #expect(given("third") == 1)
    }
  }

  @Test("a new plugin that is copied file by file is started once nothing changes any more")
  func slowCopy() async throws {
    var pace = TestHost.pace
    pace.stillness = .milliseconds(500)
    let test = try TestHost(pace: pace)
    try test.add("plug")
    let program = test.plugins.appending(path: "plug/plugin.py")
    let aside = test.root.appending(path: "plugin.py")
    try FileManager.default.moveItem(at: program, to: aside)
    try await test.run {
      try await test.reaches(.available)
      test.name(PluginPlan(name: "plug"))
      // Time in which it must not start.
      try await Task.sleep(for: .milliseconds(150))
      try FileManager.default.moveItem(at: aside, to: program)
      try await test.reaches(.running)
    }
    #expect(test.events.withLock { $0.prefix(2) } == ["plug starting", "plug running"])
    #expect(test.status("plug")?.failures == 0)
  }

  @Test("more than is granted, and a configuration that its schema does not allow, keep it from starting, with the line to write")
  func refusals() async throws {
    let test = try TestHost()
    try test.add("plug", manifest: "abilities: [network, environment:TOKEN]")
    test.name(PluginPlan(name: "plug", grants: [.network], place: "runnerhub.yaml:7:3"))
    try await test.run {
      try await test.reaches(.stopped)
      #expect(
        test.status("plug")?.reason
          == "runnerhub.yaml:7:3: plug asks for environment:TOKEN, which it is not granted: write plugins.plug.grant: [environment:TOKEN, network] where you agree"
      )
      test.name(
        PluginPlan(
          name: "plug", grants: [.network, .environment("TOKEN")], configuration: .object(["a": .integer(1)]), place: "runnerhub.yaml:7:3"))
      try await eventually { test.status("plug")?.reason?.contains("takes none") == true }
      test.name(PluginPlan(name: "plug", grants: [.network, .environment("TOKEN")]))
      try await test.reaches(.running)
    }
  }

  @Test("it is greeted with its settled configuration, its directory, and what it was granted")
  func greeting() async throws {
    let test = try TestHost { value, key in
      #expect(key == "plugins.plug.configuration")
      return value["token"] == .string("secret://vault/x") ? .object(["token": .string("s3cret")]) : value
    }
    try test.add(
      "plug", manifest: "abilities: [environment:TOKEN]\nconfiguration: {type: object}",
      "def handle(request):\n    if request['method'] == 'notifier/notify':\n        answer(request, {'text': json.dumps([hello['configuration'], hello['name'], hello['kind'], hello['abilities'], hello['directory'] == os.getcwd(), os.environ['TOKEN'], hello['host']['name']])})\n        return True\nserve()"
    )
    test.name(
      PluginPlan(name: "plug", grants: [.environment("TOKEN"), .network], configuration: .object(["token": .string("secret://vault/x")])))
    try await test.run {
      try await test.reaches(.running)
      let text = try await test.echo()
      #expect(text == #"[{"token": "s3cret"}, "plug", "notifier", ["environment:TOKEN"], true, "t", "RunnerHub"]"#)
    }
  }

  @Test(
    "one that greets wrongly or not at all fails, and after some failures it is quarantined with the reason",
    arguments: [
      ("sys.exit(3)", "it ended with status 3"),
      ("read()\ntime.sleep(600)", "initialize had"),
      ("answer(read(), {'protocolVersion': '2', 'version': VERSION})\nread()", "it chose version 2 of the protocol"),
      ("answer(read(), {'protocolVersion': '1', 'version': '9'})\nread()", "its manifest says 1.0.0"),
      ("answer(read(), {'hello': 'you'})\nread()", "'protocolVersion' is missing"),
      ("raw(b'\\xff\\xfe\\x00garbage\\n')\nread()\ntime.sleep(600)", "initialize had"),
    ])
  func quarantine(script: String, reason: String) async throws {
    var pace = TestHost.pace
    pace.greeting = .milliseconds(700)
    pace.restart.failures = 2
    let test = try TestHost(pace: pace)
    try test.add("plug", script)
    test.name(PluginPlan(name: "plug"))
    try await test.run {
      try await test.reaches(.quarantined)
      let status = try #require(test.status("plug"))
      #expect(status.failures == 2)
      #expect(status.reason?.contains(reason) == true, "\(status.reason ?? "")")
      #expect(status.reason?.contains("runnerhub plugin enable plug") == true)
      // Mended, it is taken again without another word.
      try test.add("plug")
      try await test.reaches(.running)
      #expect(try await test.echo("on") == "on")
    }
  }

  @Test("one that crashes in a call is started again, and one that was quarantined starts by an operator's wish")
  func crashes() async throws {
    var pace = TestHost.pace
    pace.restart.failures = 3
    let test = try TestHost(pace: pace)
    try test.add(
      "plug",
      "def handle(request):\n    if request['method'] == 'notifier/notify' and request['params']['text'] == 'die': os._exit(9)\nserve()")
    test.name(PluginPlan(name: "plug"))
    try await test.run {
      for crash in 1...3 {
        try await test.reaches(.running)
        await #expect(throws: PluginError.notRunning("it ended with status 9")) { try await test.echo("die") }
        try await eventually { test.status("plug")?.failures == crash }
      }
      try await test.reaches(.quarantined)
      #expect(try await test.host.fulfil(.enable, of: "plug").state == .running)
      #expect(try await test.echo("alive") == "alive")
    }
    #expect(test.adapter.told.withLock { $0.filter { $0 == "interrupted plug" }.count } == 3)
  }

  @Test("one that says that it fails, or does not answer, is degraded, and then started anew")
  func health() async throws {
    let test = try TestHost()
    // Its directory outlives it: the second process is well.
    try test.add(
      "plug",
      """
      first = not os.path.exists("was-here")
      open("was-here", "w").close()
      said = ["degraded", "failing", "failing", None]
      def handle(request):
          if request["method"] != "health" or not first: return False
          status = said.pop(0) if said else None
          if status: answer(request, {"status": status, "detail": "disk\\nfull"})
          return True
      serve()
      """)
    test.name(PluginPlan(name: "plug"))
    try await test.run {
      try await test.reaches(.degraded)
      #expect(test.status("plug")?.reason == "disk full")
      try await eventually { test.status("plug")?.failures == 1 }
      try await test.reaches(.running)
    }
    let events = test.events.withLock { $0 }
    #expect(
      events.starts(with: ["plug starting", "plug running", "plug degraded", "plug backing-off", "plug starting", "plug running"]),
      "\(events)")
  }

  @Test("an operator disables, enables and restarts; what cannot be is said")
  func wishes() async throws {
    let test = try TestHost(held: ["plug"])
    try test.add("plug", "print('up', file=sys.stderr)\nserve()")
    try test.add("other")
    test.name(PluginPlan(name: "plug"))
    try await test.run {
      try await test.reaches(.disabled)
      #expect(try await test.host.fulfil(.enable, of: "plug").state == .running)
      let status = try await test.host.fulfil(.restart, of: "plug")
      #expect(status.state == .running && status.failures == 0)
      try await eventually { (try? test.host.logs(of: "plug", after: nil, limit: 100).filter { $0.text == "up" }.count) == 2 }
      #expect(try await test.host.fulfil(.disable, of: "plug").state == .disabled)
      await #expect(throws: PluginWishError.self) { try await test.host.fulfil(.restart, of: "plug") }
      await #expect(throws: PluginWishError.self) { try await test.host.fulfil(.enable, of: "nobody") }
      #expect(test.host.objection(to: .enable, of: "other").map { "\($0)".contains("does not name other") } == true)
    }
  }

  @Test("at the end of the host it is told to finish, and one that does not is ended all the same")
  func ending() async throws {
    let test = try TestHost()
    try test.add(
      "plug",
      "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef handle(request):\n    if request['method'] == 'shutdown':\n        print('finishing', file=sys.stderr)\n        answer(request, {})\n        time.sleep(600)\nserve()"
    )
    test.name(PluginPlan(name: "plug"))
    try await test.run { try await test.reaches(.running) }
    #expect(test.status("plug")?.state == .stopped)
    #expect(test.adapter.told.withLock { $0.last } == "removed plug")
    #expect(try test.host.logs(of: "plug", after: nil, limit: 100).contains { $0.text == "finishing" })
  }

  @Test("the pause before a restart doubles, is bounded, and old failures are forgotten")
  func backoff() {
    var record = FailureRecord()
    var policy = RestartPolicy()
    policy.failures = 8
    let start = Date(timeIntervalSince1970: 0)
    let pauses = (0..<7).map { record.failed(at: start.addingTimeInterval(Double($0)), policy, jitter: 0.5) }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 60].map { .again(after: $0) })
    #expect(record.failed(at: start.addingTimeInterval(8), policy, jitter: 0) == .quarantine)
    #expect(record.failed(at: start.addingTimeInterval(700), policy, jitter: 0) == .again(after: 0.8))
  }
}

/// What a test has seen, in order.
private final class Notes: Sendable {
  private let notes = Mutex<[String]>([])
  var all: [String] { notes.withLock { $0 } }
  func add(_ note: String) { notes.withLock { $0.append(note) } }
}
