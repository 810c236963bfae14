import Foundation
import Glibc
import Testing

@testable import Engines

@Suite("ProcessTable")
struct ProcessTableTests {
  static let rest = "S 7 42 41 0 -1 4194560 1 2 3 4 50 60 7 8 20 0 3 0 123456 1000000 250 18446744073709551615"

  @Test(
    "a process may have any name",
    arguments: ["sh", "a b", "x) S 1 1 1 (y", "((", "))", "new\nline", ""])
  func names(_ name: String) throws {
    let facts = try #require(ProcessFacts(stat: "42 (\(name)) \(Self.rest)"))
    #expect(facts.pid == 42 && facts.parent == 7 && facts.session == 41 && facts.state == "S" && facts.threads == 3)
    #expect(facts.cpuTicks == 125 && facts.startTicks == 123_456 && facts.residentPages == 250)
  }

  @Test("what is no line of stat is no process", arguments: ["", "42", "42 (sh", "42 (sh) S", "x (sh) \(rest)", "42 )sh( \(rest)"])
  func noise(_ text: String) { #expect(ProcessFacts(stat: text) == nil) }

  @Test("a zombie has ended, but not one whose threads live on")
  func zombies() throws {
    let dead = Self.rest.replacing("S 7", with: "Z 7").replacing("20 0 3 0", with: "20 0 1 0")
    let leader = Self.rest.replacing("S 7", with: "Z 7")
    #expect(try #require(ProcessFacts(stat: "42 (sh) \(dead)")).hasEnded)
    #expect(try !#require(ProcessFacts(stat: "42 (sh) \(leader)")).hasEnded)
  }

  @Test("this process is found, and is another one with another start or after another boot")
  func identity() throws {
    let table = try ProcessTable.read()
    let me = try #require(ProcessTable.identity(of: getpid()))
    #expect(table.living(me)?.parent == getppid())
    var later = me
    later.startTicks += 1
    #expect(table.living(later) == nil)
    var before = me
    before.boot = "another"
    #expect(table.living(before) == nil)
  }

  @Test("descendants are found at every depth, and a loop of parents ends")
  func descendants() throws {
    func process(_ pid: Int32, parent: Int32, state: Character = "S") throws -> ProcessFacts {
      try #require(ProcessFacts(stat: "\(pid) (x) \(state) \(parent) 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 \(pid) 0 0"))
    }
    let all = try [
      process(1, parent: 0), process(10, parent: 1), process(11, parent: 10), process(12, parent: 11, state: "Z"), process(13, parent: 12),
      process(20, parent: 1), process(30, parent: 31), process(31, parent: 30),
    ]
    let table = ProcessTable(facts: Dictionary(uniqueKeysWithValues: all.map { ($0.pid, $0) }), boot: "b")
    #expect(Set(table.descendants(of: 10).map(\.pid)) == [11, 13])
    #expect(Set(table.descendants(of: 30).map(\.pid)) == [31])
    #expect(table.descendants(of: 99).isEmpty)
  }
}
