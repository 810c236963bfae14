import CProcess
import Contracts
import Domain
import Foundation
import Glibc
import RunnerHub
import Testing

@testable import Engines

@Suite("DetachedProcess")
struct DetachedProcessTests {
  /// A folder for one test, gone afterwards.
  func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-detached-\(RandomIdentitySource().token(digits: 12))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    try await body(folder.path(percentEncoded: false))
  }

  func process(_ script: String, in folder: String, limits: [ProcessLimit] = []) -> DetachedProcess {
    DetachedProcess(
      path: "/bin/sh", arguments: ["-c", script], environment: ["ONLY": "this"], folder: folder, output: "\(folder)/output", limits: limits)
  }

  func isGone(_ identity: ProcessIdentity) throws -> Bool? { try ProcessTable.read().living(identity) == nil ? true : nil }

  @Test("it runs in a session of its own, with its environment, folder and limits, and no file of the host")
  func runs() async throws {
    try await withFolder { folder in
      let script = "echo $ONLY; pwd -P; ls /proc/self/fd | wc -l; ulimit -c; ulimit -f; cat /proc/$$/stat"
      var who: ProcessIdentity?
      let limits = ProcessLimit.all(for: Resources(milliCPUs: 1000, memory: ByteCount(mebibytes: 64), disk: ByteCount(mebibytes: 1)))
      let hasStarted = try process(script, in: folder, limits: limits).start { identity in
        who = identity
        return true
      }
      let identity = try #require(who)
      _ = try await eventually("the end of the process") { try isGone(identity) }
      let lines = try String(contentsOfFile: "\(folder)/output", encoding: .utf8).split(separator: "\n")
      #expect(hasStarted)
      // Standard input, output and error, and the folder that ls reads.
      #expect(lines.dropLast().map(String.init) == ["this", folder, "4", "0", "2048"])
      let facts = try #require(ProcessFacts(stat: String(lines[5])))
      #expect(facts.session == identity.pid && facts.parent != getpid() && facts.startTicks == identity.startTicks)
    }
  }

  @Test("a held process that is abandoned, as by the death of its host, ends without having run anything")
  func abandoned() async throws {
    try await withFolder { folder in
      var who: ProcessIdentity?
      let hasStarted = try process("echo ran", in: folder).start { identity in
        who = identity
        return false
      }
      let identity = try #require(who)
      #expect(!hasStarted)
      _ = try await eventually("the end of the held process") { try isGone(identity) }
      #expect(try String(contentsOfFile: "\(folder)/output", encoding: .utf8) == "")
    }
  }

  @Test("a program that cannot be run is an error that says which call failed")
  func failures() async throws {
    try await withFolder { folder in
      var bad = process("", in: folder)
      bad.path = "/no/such/program"
      let error = #expect(throws: EngineError.self) { try bad.start { _ in true } }
      #expect(error?.description.contains("execve: No such file or directory") == true)
      bad = process("", in: folder)
      bad.folder = "/no/such/folder"
      let second = #expect(throws: EngineError.self) { try bad.start { _ in true } }
      #expect(second?.description.contains("chdir") == true)
    }
  }

  @Test("a tree is removed however deep, locked or linked, and nothing outside of it")
  func removal() async throws {
    try await withFolder { folder in
      let shell = """
        mkdir tree kept; echo mine >kept/file; cd tree
        ln -s ../kept link; ln -s / root; mkfifo pipe; mkdir -p locked/deep; touch locked/deep/file; chmod 000 locked/deep; chmod 555 locked
        n=0; while [ $n -lt 3000 ]; do mkdir a-rather-long-name-of-a-folder; cd a-rather-long-name-of-a-folder; n=$((n+1)); done
        touch end; echo made >&2
        """
      var who: ProcessIdentity?
      _ = try process(shell, in: folder).start { identity in
        who = identity
        return true
      }
      let identity = try #require(who)
      _ = try await eventually("the tree") { try isGone(identity) }
      #expect(try String(contentsOfFile: "\(folder)/output", encoding: .utf8).hasSuffix("made\n"))
      var failure = rh_failure()
      #expect(rh_remove_tree("\(folder)/tree", &failure) == 0)
      #expect(access("\(folder)/tree", F_OK) != 0)
      #expect(rh_remove_tree("\(folder)/tree", &failure) == 0)
      #expect(try String(contentsOfFile: "\(folder)/kept/file", encoding: .utf8) == "mine\n")
    }
  }
}
