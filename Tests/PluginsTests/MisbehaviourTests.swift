import Domain
import Foundation
import Glibc
import Plugins
import RunnerHub
import Synchronization
import Testing

/// What a plugin can do wrong, each as a real process: it harms nothing but itself, and the host says what it was.
@Suite("A plugin that misbehaves", .timeLimit(.minutes(1)))
struct MisbehaviourTests {
  /// Few, and soon.
  private var strict: ConnectionSettings {
    var settings = ConnectionSettings()
    settings.malformed = (burst: 5, perSecond: 0.01)
    return settings
  }

  /// The error of a call; nil: it was answered.
  private func error(of connection: ProcessConnection, limit: Duration = .seconds(20)) async -> PluginError? {
    do throws(PluginError) {
      let _: Echo = try await connection.call("any", PluginNothing(), limit: limit)
      return nil
    } catch {
      return error
    }
  }

  // MARK: - Hangs

  @Test(
    "one that does not read its input: calls end with their limit, what waits for it is bounded, and it is ended though it ignores SIGTERM")
  func deaf() async throws {
    let plugin = try TestPlugin(
      "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', file=sys.stderr)\ntime.sleep(600)")
    var settings = ConnectionSettings()
    settings.outgoing = 300_000
    try await plugin.run(concurrency: 64, settings: settings) { connection in
      let text = Echo(text: String(repeating: "x", count: 100_000))
      let errors = await withTaskGroup(of: PluginError?.self) { group in
        for _ in 0..<12 {
          group.addTask {
            do throws(PluginError) {
              let _: Echo = try await connection.call("any", text, limit: .milliseconds(300))
              return nil
            } catch {
              return error
            }
          }
        }
        return await group.reduce(into: [PluginError?]()) { $0.append($1) }
      }
      #expect(errors.contains(.timedOut("any had 300 ms")))
      #expect(errors.contains { if case .refused(.unavailable, let why) = $0 { why.contains("does not read") } else { false } })
      #expect(errors.allSatisfy { $0 != nil })
      connection.closeInput()
      connection.terminate()
      #expect(await connection.waitForEnd(within: .milliseconds(200)) == nil)
    }
    #expect(plugin.end.withLock { $0?.reason } == "the test is over")
  }

  // MARK: - Floods

  @Test("one line without an end: it is ended at the limit of a message")
  func endlessLine() async throws {
    let plugin = try TestPlugin("read()\nwhile True: raw('x' * 65536)")
    try await plugin.run { connection in
      #expect(await error(of: connection) == .notRunning("it sent a message of more than 4194304 bytes"))
    }
  }

  @Test("a million notifications: they are read at a bounded rate, and calls are answered meanwhile")
  func notifications() async throws {
    struct Counting: PluginService {
      let count = Counter()
      final class Counter: Sendable { let value = Mutex(0) }
      func answer(_ method: String, parameters: Data, from plugin: String) async throws(PluginError) -> Data {
        count.value.withLock { $0 += 1 }
        return Data()
      }
    }
    let plugin = try TestPlugin(
      """
      import threading
      note = (json.dumps({"jsonrpc": "2.0", "method": "engine/changed", "params": {}}) + "\\n").encode()
      def flood():
          for _ in range(1000000): raw(note)
      threading.Thread(target=flood, daemon=True).start()
      request = read()
      raw(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {"text": "through"}}) + "\\n")
      time.sleep(600)
      """)
    let service = Counting()
    var settings = ConnectionSettings()
    settings.messages = (burst: 200, perSecond: 2000)
    try await plugin.run(settings: settings, service: service) { connection in
      let begin = ContinuousClock.now
      let answer: Echo = try await connection.call("any", PluginNothing(), limit: .seconds(20))
      #expect(answer.text == "through")
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      // A line may come in several to a read: one buffer's worth more.
      #expect(Double(service.count.value.withLock { $0 }) < 200 + 2000 * (seconds + 1) + 1500)
    }
  }

  @Test("a flood of its log: some lines are kept, the rest is counted, and calls are answered meanwhile")
  func logFlood() async throws {
    let plugin = try TestPlugin(
      """
      import threading
      def flood():
          while True: sys.stderr.write("line\\n" * 1000)
      threading.Thread(target=flood, daemon=True).start()
      request = read()
      answer(request, {"text": "through"})
      time.sleep(600)
      """)
    var settings = ConnectionSettings()
    settings.logLines = (burst: 20, perSecond: 0.1)
    settings.logBytes = (burst: 100_000, perSecond: 100_000)
    try await plugin.run(settings: settings) { connection in
      let answer: Echo = try await connection.call("any", PluginNothing())
      #expect(answer.text == "through")
      try await eventually { plugin.lines.withLock { $0.count } >= 20 }
    }
    #expect(plugin.lines.withLock { $0.count } < 40)
    #expect(plugin.droppedLines.withLock { $0 } > 100)
  }

  // MARK: - Lies

  @Test("answers to what was not asked, and two answers to one question: counted, and the right one counts")
  func wrongAnswers() async throws {
    let plugin = try TestPlugin(
      """
      request = read()
      answer({"id": 4711}, {"text": "who?"})
      answer(request, {"text": "first"})
      answer(request, {"text": "second"})
      while True: answer({"id": read()["id"] + 1000}, {})
      """)
    try await plugin.run(settings: strict) { connection in
      let answer: Echo = try await connection.call("any", PluginNothing())
      #expect(answer.text == "first")
      try await eventually { plugin.faults.withLock { $0.count } == 2 }
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 { group.addTask { _ = await error(of: connection) } }
      }
      let end = await connection.waitForEnd()
      #expect(end?.reason?.contains("broke the protocol too often") == true, "\(String(describing: end))")
    }
  }

  @Test("a result of another shape is an error of that call, and counted")
  func wrongShape() async throws {
    let plugin = try TestPlugin(#"answer(read(), {"text": 7})"# + "\n" + #"answer(read(), {"text": "right"})"# + "\nread()")
    try await plugin.run(settings: strict) { connection in
      #expect(await error(of: connection) == .malformed("the result of any is not as expected: 'text' is of another type"))
      #expect(await error(of: connection) == nil)
    }
    #expect(plugin.faults.withLock { $0.count } == 1)
  }

  // MARK: - Garbage

  @Test(
    "what is no message is counted, told, and too much of it ends it",
    arguments: [
      #"raw(os.urandom(64).replace(b"\n", b"") + b"\n")"#, #"raw('{"jsonrpc": "2.0", "id": \n')"#, #"raw('{"hello": "world"}\n')"#,
      #"raw('[' * 100000 + '\n')"#,
    ])
  func garbage(statement: String) async throws {
    let plugin = try TestPlugin("read()\nwhile True:\n    \(statement)\n")
    try await plugin.run(settings: strict) { connection in
      guard case .notRunning(let why) = await error(of: connection) else {
        Issue.record("the call did not end with the process")
        return
      }
      #expect(why.contains("broke the protocol too often"))
    }
    #expect(plugin.faults.withLock { $0.count } >= 5)
  }

  // MARK: - Leaks

  @Test("one whose processes take more memory together than they may is ended, with what they took, and quarantined")
  func togetherMemory() async throws {
    var pace = TestHost.pace
    pace.restart.failures = 1
    let test = try TestHost(pace: pace)
    // Each keeps to the limit of one process, and what it shares with its parent is counted once.
    try test.add(
      "plug",
      """
      held = bytearray(b"x" * (40 << 20))
      def handle(request):
          if request["method"] != "notifier/notify": return False
          for _ in range(int(request["params"]["text"])):
              if os.fork() == 0:
                  mine = bytearray(b"y" * (40 << 20))
                  time.sleep(600)
          return False
      serve()
      """)
    var bounds = PluginBounds()
    bounds.memory = ByteCount(mebibytes: 200)
    bounds.totalMemory = ByteCount(mebibytes: 180)
    test.name(PluginPlan(name: "plug", bounds: bounds))
    try await test.run {
      try await test.reaches(.running)
      #expect(try await test.echo("2") == "2")
      try await Task.sleep(for: .seconds(1))
      #expect(test.status("plug")?.state == .running)
      #expect(try await test.echo("2") == "2")
      try await test.reaches(.quarantined)
      let reason = test.status("plug")?.reason ?? ""
      #expect(reason.contains("of memory together, and may take 180 MiB: see plugins.plug.total-memory"), "\(reason)")
    }
  }

  @Test("one whose directory holds more than it may is ended, is not started while it does, and runs again once it is emptied")
  func disk() async throws {
    var pace = TestHost.pace
    pace.restart.failures = 2
    let test = try TestHost(pace: pace)
    try test.add(
      "plug",
      """
      def handle(request):
          if request["method"] != "notifier/notify": return False
          os.makedirs("a/b", exist_ok=True)
          with open("a/b/c", "wb") as file: file.write(b"x" * int(request["params"]["text"]))
          return False
      serve()
      """)
    var bounds = PluginBounds()
    bounds.disk = ByteCount(mebibytes: 2)
    test.name(PluginPlan(name: "plug", bounds: bounds))
    try await test.run {
      try await test.reaches(.running)
      #expect(try await test.echo("1000000") == "1000000")
      #expect(try await test.echo("3000000") == "3000000")
      try await test.reaches(.quarantined)
      #expect(test.status("plug")?.failures == 2)
      let reason = test.status("plug")?.reason ?? ""
      #expect(reason.contains("holds more than 2 MiB: empty it, or raise plugins.plug.disk"), "\(reason)")
      try FileManager.default.removeItem(at: test.root.appending(path: "data/plug/a"))
      #expect(try await test.host.fulfil(.enable, of: "plug").state == .running)
      #expect(try await test.echo("1") == "1")
    }
  }

  @Test("one that takes memory without end fails at its limit")
  func memory() async throws {
    let plugin = try TestPlugin("read()\nheld = []\nwhile True: held.append(bytearray(8 << 20))")
    var bounds = PluginBounds()
    bounds.memory = ByteCount(mebibytes: 128)
    try await plugin.run(bounds: bounds) { connection in
      #expect(await error(of: connection) == .notRunning("it ended with status 1"))
    }
    #expect(plugin.lines.withLock { $0.last?.hasPrefix("MemoryError") } == true)
  }

  @Test("one that opens files without end fails at its limit")
  func files() async throws {
    let plugin = try TestPlugin(
      "request = read()\nheld = []\ntry:\n    while True: held.append(open('/dev/null'))\nexcept OSError as error: answer(request, {'text': str(len(held) < 256)})\nread()"
    )
    try await plugin.run { connection in
      let answer: Echo = try await connection.call("any", PluginNothing())
      #expect(answer.text == "True")
    }
  }

  @Test("one that forks without end stays within its processes, and all of them end with it")
  func forks() async throws {
    let plugin = try TestPlugin(
      """
      request = read()
      made = 0
      try:
          while True:
              if os.fork() == 0: time.sleep(600)
              made += 1
      except OSError: pass
      answer(request, {"text": str(made)})
      read()
      """)
    var bounds = PluginBounds()
    bounds.processes = 20
    let before = Self.sleepers()
    try await plugin.run(bounds: bounds) { connection in
      let answer: Echo = try await connection.call("any", PluginNothing())
      #expect((1..<20).contains(Int(answer.text) ?? 0), "\(answer.text)")
    }
    #expect(Self.sleepers().subtracting(before).isEmpty)
  }

  @Test("a daemon that a plugin leaves behind ends with it; an engine's containers do not")
  func daemon() async throws {
    let script = """
      import subprocess
      request = read()
      child = subprocess.Popen(["/bin/sleep", "611"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
      answer(request, {"text": "made"})
      read()
      """
    for leaves in [false, true] {
      let plugin = try TestPlugin(script)
      let before = Self.sleepers(of: "611")
      try await plugin.run(leavesChildren: leaves) { connection in
        let _: Echo = try await connection.call("any", PluginNothing())
        #expect(Self.sleepers(of: "611").subtracting(before).count == 1)
      }
      let left = Self.sleepers(of: "611").subtracting(before)
      #expect(left.count == (leaves ? 1 : 0))
      for pid in left { kill(pid, SIGKILL) }
    }
  }

  @Test("nothing of the host is open in it")
  func descriptors() async throws {
    let secret = open("/dev/null", O_RDONLY)
    // As a careless library would have opened it: inherited over exec.
    let careless = fcntl(secret, F_DUPFD, 200)
    defer {
      close(secret)
      close(careless)
    }
    let plugin = try TestPlugin("answer(read(), {'text': ','.join(sorted(os.listdir('/proc/self/fd'), key=int))})\nread()")
    try await plugin.run { connection in
      let answer: Echo = try await connection.call("any", PluginNothing())
      // The last one is that of the listing.
      #expect(answer.text == "0,1,2,3")
    }
  }

  /// Pids of processes that sleep for a test's own number of seconds, or run a test's script.
  private static func sleepers(of seconds: String? = nil) -> Set<Int32> {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return Set(
      names.compactMap(Int32.init).filter { pid in
        let words = String(decoding: FileHandle(forReadingAtPath: "/proc/\(pid)/cmdline")?.readDataToEndOfFile() ?? Data(), as: UTF8.self)
          .split(separator: "\0")
        if let seconds { return words == ["/bin/sleep", Substring(seconds)] }
        return words.last?.hasSuffix("plugin/plugin.py") == true
      })
  }
}

/// Waits until something holds, for ten seconds at most.
func eventually(_ condition: () -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(10)
  while !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("it did not come to hold")
      return
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}
