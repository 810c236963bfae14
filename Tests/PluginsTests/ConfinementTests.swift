import Foundation
import Glibc
import Plugins
import Testing

/// What the process of a plugin sees of the machine.
@Suite("What a plugin can reach", .timeLimit(.minutes(1)))
struct ConfinementTests {
  /// What an expression of Python says in a plugin.
  private func ask(_ expression: String, abilities: Set<PluginAbility> = [], environment: [String: String] = [:]) async throws -> String {
    let plugin = try TestPlugin(
      """
      import socket
      def attempt(work):
          try: return str(work())
          except Exception as error: return type(error).__name__
      answer(read(), {"text": \(expression)})
      read()
      """)
    return try await plugin.run(abilities: abilities, environment: environment) { connection in
      let answer: Echo = try await connection.call("any", PluginNothing())
      return answer.text
    }
  }

  @Test("its environment is a few plain variables, and what was granted")
  func environment() async throws {
    setenv("RUNNERHUB_TEST_SECRET", "leaks", 1)
    defer { unsetenv("RUNNERHUB_TEST_SECRET") }
    let names = try await ask(#"",".join(sorted(os.environ))"#, environment: ["HTTPS_PROXY": "http://proxy"])
    // Python sets LC_CTYPE for itself.
    #expect(names.replacing(",LC_CTYPE", with: "").replacing("LC_CTYPE,", with: "") == "HOME,HTTPS_PROXY,LANG,PATH,TMPDIR")
  }

  @Test("it is not root, has no groups, and can become nothing else", .enabled(if: geteuid() == 0))
  func user() async throws {
    let text = try await ask(#"f"{os.getuid()} {os.getgid()} {os.getgroups()} {attempt(lambda: os.setuid(0))}""#)
    let words = text.split(separator: " ").map(String.init)
    #expect(PluginDirectories.users.contains(UInt32(words[0]) ?? 0))
    #expect(words[1] == words[0])
    #expect(words[2...] == ["[]", "PermissionError"])
  }

  @Test("without the grant it has no network but its own loopback; with it, it has the host's")
  func network() async throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port: UInt16 = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
        _ = bind(listener, plain, size)
        _ = listen(listener, 4)
        _ = getsockname(listener, plain, &size)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
    let connect = "attempt(lambda: socket.create_connection(('127.0.0.1', \(port)), 2) and 'connected')"
    #expect(try await ask(connect) == "ConnectionRefusedError")
    #expect(try await ask(connect, abilities: [.network]) == "connected")
    #expect(try await ask("attempt(lambda: socket.create_connection(('192.0.2.1', 9), 2))") == "OSError")
    // Its own loopback is up.
    let own =
      "attempt(lambda: (lambda s: (s.bind(('127.0.0.1', 0)), s.listen(), socket.create_connection(s.getsockname(), 2)) and 'own')(socket.socket()))"
    #expect(try await ask(own) == "own")
  }

  @Test("it works in a directory of its own, may write there, and not into its folder or elsewhere")
  func directory() async throws {
    let text = try await ask(
      #"""
      "|".join([
        str(os.getcwd() == os.environ["HOME"]),
        attempt(lambda: open("kept", "w").write("x")),
        attempt(lambda: open(os.environ["TMPDIR"] + "/t", "w").write("x")),
        attempt(lambda: open(os.path.dirname(os.path.abspath(__file__)) + "/planted", "w")),
        attempt(lambda: open("/tmp/planted-by-a-plugin", "w")),
        attempt(lambda: open("/etc/shadow").read()),
      ])
      """#.replacing("\n", with: " "))
    let words = text.split(separator: "|").map(String.init)
    #expect(words[..<3] == ["True", "1", "1"])
    #expect(words[3] == "OSError" || words[3] == "PermissionError")
    #expect(words[5] == "PermissionError")
    // Landlock alone forbids this one.
    if ConfinementTests.hasLandlock { #expect(words[4] == "PermissionError") }
  }

  @Test("files elsewhere are read and written where that was granted", .enabled(if: hasLandlock))
  func grants() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "granted-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "told".write(to: folder.appending(path: "note"), atomically: true, encoding: .utf8)
    for path in [folder.path, folder.path + "/note"] { chmod(path, 0o777) }
    let read = "attempt(lambda: open('\(folder.path)/note').read())"
    let write = "attempt(lambda: open('\(folder.path)/new', 'w').write('x'))"
    #expect(try await ask(read) == "PermissionError")
    #expect(try await ask(read, abilities: [.read(folder.path)]) == "told")
    #expect(try await ask(write, abilities: [.read(folder.path)]) == "PermissionError")
    #expect(try await ask(write, abilities: [.write(folder.path)]) == "1")
  }

  static var hasLandlock: Bool { PluginProgram.isConfinedByLandlock }

  @Test("it sees no process of the host")
  func processes() async throws {
    #expect(try await ask(#"attempt(lambda: os.kill(\#(getpid()), 0))"#) == "ProcessLookupError")
  }

  @Test("a run of one call has its input, output and status, and no more time than it is given")
  func run() async throws {
    let plugin = try TestPlugin("")
    var program = try plugin.program()
    program.command = ["/bin/sh", "-c", "read line; echo \"got $line\"; echo trouble >&2; exit 7"]
    let run = try await PluginRun.run(program, input: Data("hello\n".utf8), limit: .seconds(20))
    #expect(run.exitCode == 7)
    #expect(String(decoding: run.output, as: UTF8.self) == "got hello\n")
    #expect(String(decoding: run.error, as: UTF8.self) == "trouble\n")
    program.command = ["/bin/sh", "-c", "sleep 600 & sleep 600"]
    #expect(try await PluginRun.run(program, limit: .milliseconds(100)).status == nil)
    program.command = ["/bin/sh", "-c", "yes"]
    let flood = try await PluginRun.run(program, limit: .milliseconds(200), outputLimit: 1000)
    #expect(flood.output.count == 1000 && flood.isCut)
    program.command = ["/nowhere/at-all"]
    await #expect(throws: PluginError.self) { try await PluginRun.run(program, limit: .seconds(1)) }
  }
}
