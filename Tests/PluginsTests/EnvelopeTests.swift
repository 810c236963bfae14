import Foundation
import Testing

@testable import Plugins

/// What is made of single lines, before anything is done with them.
@Suite("Lines of a plugin")
struct EnvelopeTests {
  private func envelope(_ text: String) throws(Envelope.Fault) -> (kind: Envelope.Kind, contents: String) {
    let bytes = Array(text.utf8)
    let result: Result<(Envelope.Kind, String), Envelope.Fault> = bytes.withUnsafeBytes { bytes in
      do throws(Envelope.Fault) {
        let envelope = try Envelope(bytes)
        return .success((envelope.kind, String(decoding: bytes[envelope.contents], as: UTF8.self)))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  @Test("messages are told apart, their contents are found, and unknown members are passed over")
  func kinds() throws {
    let result = try envelope(#"{"jsonrpc":"2.0","id":7,"result":{"a":["}",{"id":1}]}, "x": {"result": 1}}"#)
    #expect(result == (.result(id: 7), #"{"a":["}",{"id":1}]}"#))
    let error = try envelope(#"{"error" : {"code":-1,"message":"m"} , "id" : -3 , "jsonrpc":"2.0"}"#)
    #expect(error == (.error(id: -3), #"{"code":-1,"message":"m"}"#))
    let request = try envelope(#"{"jsonrpc":"2.0","method":"a/b","id":"x\"y","params":[1]}"#)
    #expect(request == (.request(id: Array(#""x\"y""#.utf8), method: "a/b"), "[1]"))
    #expect(try envelope(#"{"jsonrpc":"2.0","method":"n"}"#) == (.notification(method: "n"), ""))
  }

  @Test(
    "what is no message is refused, and never traps",
    arguments: [
      "", " ", "{", "{}", "[]", "null", #"{"jsonrpc":"1.0","method":"a"}"#, #"{"jsonrpc":"2.0"}"#, #"{"jsonrpc":"2.0","id":1}"#,
      #"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#, #"{"jsonrpc":"2.0","id":"1","result":1}"#,
      #"{"jsonrpc":"2.0","id":1.5,"result":1}"#,
      #"{"jsonrpc":"2.0","id":null,"method":"m"}"#, #"{"jsonrpc":"2.0","method":7}"#, #"{"jsonrpc":"2.0","method":"m","params":}"#,
      #"{"jsonrpc":"2.0","method":"m"} x"#, #"{"jsonrpc":"2.0","method":"m\"#, #"{"jsonrpc":"2.0","id":99999999999999999999,"result":1}"#,
      String(repeating: #"{"a":"#, count: 1000), #"{"a":"# + String(repeating: "[", count: 1000),
    ])
  func faults(text: String) {
    #expect(throws: Envelope.Fault.self) { try envelope(text) }
  }

  @Test("lines come whole however the bytes are cut, and one that is too long ends it")
  func lines() {
    for size in 1...7 {
      var splitter = LineSplitter(limit: 5)
      var lines: [String] = []
      let bytes = Array("ab\n\ncdefg\nh".utf8)
      for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(bytes.count, start + size)].withUnsafeBytes {
          splitter.append($0) { lines.append(String(decoding: $0, as: UTF8.self)) }
        }
      }
      #expect(lines == ["ab", "", "cdefg"])
      #expect(!splitter.isOverlong)
      Array("ijklmn\n".utf8).withUnsafeBytes { splitter.append($0) { _ in Issue.record("a line beyond the limit") } }
      #expect(splitter.isOverlong)
    }
  }

  @Test("calls wait in order, what waits is bounded, and each has its time")
  func ledger() {
    var ledger = CallLedger<Int>(concurrency: 2)
    let start = ContinuousClock.now
    func call(_ id: Int64, limit: Duration = .seconds(10)) -> CallLedger<Int>.Call {
      .init(id: id, ticket: Int(id), method: "m", limit: limit, deadline: start + limit, line: [1])
    }
    #expect((1...5).map { ledger.add(call($0)) } == [.go, .go, .wait, .wait, .wait])
    #expect(ledger.add(call(6), isUrgent: true) == .go)
    #expect(ledger.next(at: start).isEmpty)
    if case .call(let ended) = ledger.answered(6) { #expect(ended.ticket == 6) } else { Issue.record("not open") }
    #expect(ledger.answered(6) == nil)
    #expect(ledger.abandon(1)?.wasSent == true)
    #expect(ledger.abandon(4)?.wasSent == false)
    if case .late = ledger.answered(1) {} else { Issue.record("its answer may still come") }
    #expect(ledger.next(at: start + .seconds(9)).map(\.id) == [3])
    // The time of a call that waited began when it was sent.
    #expect(ledger.expire(at: start + .seconds(12)).map(\.call.id).sorted() == [2, 5])
    #expect(ledger.expire(at: start + .seconds(20)).map(\.call.id) == [3])
    #expect(ledger.count == 0)
    for id in 10..<12 { _ = ledger.add(call(Int64(id))) }
    for id in 12..<(12 + CallLedger<Int>.waitingLimit) { #expect(ledger.add(call(Int64(id))) == .wait) }
    #expect(ledger.add(call(9999)) == .full)
  }

  @Test("a plugin that was slow is waited for seldom, and one that is quick again always")
  func quickAnswers() {
    var quick = QuickAnswers()
    var waits = 0
    for _ in 0..<10_000 where quick.isNextExpected() {
      waits += 1
      quick.was(quick: false)
    }
    #expect((20...40).contains(waits))
    while !quick.isNextExpected() {}
    quick.was(quick: true)
    for _ in 0..<10 {
      let isExpected = quick.isNextExpected()
      #expect(isExpected)
      quick.was(quick: true)
    }
  }

  @Test("a bucket gives its burst at once, and then its rate")
  func bucket() {
    var bucket = TokenBucket(burst: 10, perSecond: 5)
    let start = ContinuousClock.now
    bucket.take(10, at: start)
    #expect(bucket.pause(at: start) != nil)
    #expect(bucket.pause(at: start + .seconds(1)) == nil)
    bucket.take(25, at: start + .seconds(1))
    let pause = bucket.pause(at: start + .seconds(1)) ?? .zero
    #expect(pause > .seconds(3.9) && pause < .seconds(4.1))
    #expect(bucket.pause(at: start + .seconds(1) + pause) == nil)
  }

  @Test("who asks a bucket late with an earlier time has it count no time twice")
  func earlierTime() {
    var bucket = TokenBucket(burst: 10, perSecond: 5)
    let start = ContinuousClock.now
    bucket.take(10, at: start + .seconds(1))
    #expect(bucket.pause(at: start) != nil)
    #expect(bucket.pause(at: start + .seconds(1)) != nil)
  }
}
