import Foundation
import Plugins
import Synchronization
import Testing

struct Echo: Codable, Hashable, Sendable {
  var text: String
}

@Suite("Talk with a plugin's process", .timeLimit(.minutes(1)))
struct ProcessConnectionTests {
  private static let echo = "while True:\n    request = read()\n    if 'id' in request: answer(request, request['params'])\n"

  @Test("a call is answered")
  func echo() async throws {
    let plugin = try TestPlugin(Self.echo)
    let answer: Echo = try await plugin.run { try await $0.call("echo", Echo(text: "é\n\"quoted\"")) }
    #expect(answer == Echo(text: "é\n\"quoted\""))
  }

  @Test("callers that read themselves and those that do not get their own answers, with the plugin's requests in between")
  func quick() async throws {
    let plugin = try TestPlugin(
      """
      number = 0
      while True:
          request = read()
          if 'method' not in request: continue
          number += 1
          if number % 7 == 0: write({"id": number, "method": "double", "params": [1]})
          if number % 5 == 0: time.sleep(0.001)
          answer(request, request['params'])
      """)
    try await plugin.run(service: Doubling()) { connection in
      for number in 0..<300 {
        let answer: Echo = try await connection.call("echo", Echo(text: "\(number)"))
        #expect(answer.text == "\(number)")
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<300 {
          group.addTask {
            let answer: Echo = try await connection.call("echo", Echo(text: "\(number)"))
            #expect(answer.text == "\(number)")
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(plugin.faults.withLock { $0 }.isEmpty)
  }

  @Test("answers may come in any order, and no more calls are under way than the manifest says")
  func order() async throws {
    let plugin = try TestPlugin(
      """
      held = []
      while True:
          held.append(read())
          if len(held) == 4:
              for request in reversed(held): answer(request, {"text": str(len(held)) + request["params"]["text"]})
              held = []
      """)
    let answers = try await plugin.run(concurrency: 4) { connection in
      try await withThrowingTaskGroup(of: Echo.self) { group in
        for number in 0..<12 { group.addTask { try await connection.call("echo", Echo(text: ":\(number)")) } }
        return try await group.reduce(into: Set<Echo>()) { $0.insert($1) }
      }
    }
    #expect(answers == Set((0..<12).map { Echo(text: "4:\($0)") }))
  }

  @Test("a call that is cancelled returns at once, and the plugin is told")
  func cancel() async throws {
    let plugin = try TestPlugin(
      """
      first = read()
      second = read()
      print("told", second["method"], second["params"]["id"] == first["id"], file=sys.stderr)
      answer(first, {})
      third = read()
      answer(third, third["params"])
      """)
    try await plugin.run { connection in
      let call = Task { () async -> PluginError? in
        do throws(PluginError) {
          let _: PluginNothing = try await connection.call("slow", PluginNothing())
          return nil
        } catch {
          return error
        }
      }
      try await Task.sleep(for: .milliseconds(50))
      call.cancel()
      #expect(await call.value == .refused(.cancelled, "slow was cancelled"))
      // The late answer is no fault, and the talk goes on.
      let answer: Echo = try await connection.call("echo", Echo(text: "on"))
      #expect(answer.text == "on")
    }
    #expect(plugin.lines.withLock { $0 } == ["told $/cancel True"])
    #expect(plugin.faults.withLock { $0 }.isEmpty)
  }

  @Test("a call without an answer ends with its limit, and progress renews it")
  func limits() async throws {
    let plugin = try TestPlugin(
      """
      request = read()
      for step in range(4):
          time.sleep(0.1)
          write({"method": "$/progress", "params": {"id": request["id"], "message": "step", "fraction": step / 4}})
      answer(request, {})
      read()
      time.sleep(60)
      """)
    let steps = Mutex<[Double?]>([])
    try await plugin.run { connection in
      let _: PluginNothing = try await connection.call("long", PluginNothing(), limit: .milliseconds(300)) { progress in
        steps.withLock { $0.append(progress.fraction) }
      }
      #expect(steps.withLock { $0 } == [0, 0.25, 0.5, 0.75])
      await #expect(throws: PluginError.timedOut("hang had 100 ms")) {
        let _: PluginNothing = try await connection.call("hang", PluginNothing(), limit: .milliseconds(100))
      }
    }
  }

  @Test("an error of the plugin has its meaning, and when to ask again")
  func errors() async throws {
    let plugin = try TestPlugin(
      """
      for error in [{"code": -32001, "message": "no such\\nsecret"}, {"code": 7, "message": "odd"}, {"code": -32006, "message": "slow down", "data": {"retryAfter": 2.5}}]:
          write({"id": read()["id"], "error": error})
      read()
      """)
    try await plugin.run { connection in
      let expected: [PluginError] = [
        .refused(.notFound, "no such secret"), .refused(.failed, "odd"), .throttled("slow down", after: .seconds(2.5)),
      ]
      for error in expected {
        await #expect(throws: error) { let _: PluginNothing = try await connection.call("any", PluginNothing()) }
      }
    }
  }

  /// Doubles numbers.
  private struct Doubling: PluginService {
    func answer(_ method: String, parameters: Data, from plugin: String) async throws(PluginError) -> Data {
      guard method == "double" else { throw .refused(.methodNotFound, "only double") }
      do {
        return try PluginJSON.encoder.encode(try PluginJSON.decoder.decode([Int].self, from: parameters).map { $0 * 2 })
      } catch {
        throw .refused(.invalidParameters, "expected numbers")
      }
    }
  }

  @Test("the plugin's own requests are answered, with ids of its own")
  func requests() async throws {
    let plugin = try TestPlugin(
      """
      request = read()
      write({"id": "a-\\u00e9", "method": "double", "params": [1, 2]})
      first = read()
      write({"id": 1, "method": "treble", "params": [1, 2]})
      second = read()
      answer(request, {"text": json.dumps([first["id"], first["result"], second["id"], second["error"]["code"]])})
      read()
      """)
    let answer: Echo = try await plugin.run(service: Doubling()) { try await $0.call("start", PluginNothing()) }
    #expect(answer.text == #"["a-\u00e9", [2, 4], 1, -32601]"#)
  }

  @Test("a process that ends fails the calls that wait for it, with how it ended")
  func crash() async throws {
    let plugin = try TestPlugin("read()\nprint('boom', file=sys.stderr)\nos._exit(3)")
    try await plugin.run { connection in
      await #expect(throws: PluginError.notRunning("it ended with status 3")) {
        let _: PluginNothing = try await connection.call("any", PluginNothing())
      }
      #expect(await connection.waitForEnd() == PluginEnd(reason: nil, status: 3 << 8))
    }
    #expect(plugin.lines.withLock { $0 } == ["boom"])
  }
}
