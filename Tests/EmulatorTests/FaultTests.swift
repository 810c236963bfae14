import Foundation
import Testing

@testable import Emulator

/// Which faults strike what: values in, values out.
struct FaultTests {
  @Test("a fault strikes what fits its filter, and the first that strikes counts")
  func filters() {
    var faults = Faults(
      FaultPlan(webhooks: [
        .init(.lose, event: "workflow_job", action: "queued", job: "build"), .init(.delay(3), event: "workflow_job"), .init(.double),
      ]))
    #expect(faults.fate(ofDelivery: "workflow_job", action: "queued", job: "build") == .lose)
    #expect(faults.fate(ofDelivery: "workflow_job", action: "queued", job: "test") == .delay(3))
    #expect(faults.fate(ofDelivery: "workflow_job", action: "completed", job: "build") == .delay(3))
    guard case .double = faults.fate(ofDelivery: "workflow_run", action: "queued", job: nil) else {
      Issue.record("the last fault fits everything")
      return
    }
    var none = Faults()
    #expect(none.fate(ofDelivery: "workflow_job", action: "queued", job: "build") == .send)
    #expect(none.fate(ofRequest: "GET", path: "/meta") == nil && none.vanishing() == nil)
  }

  @Test("a request's fault looks at method and path")
  func requests() {
    var faults = Faults(
      FaultPlan(requests: [
        .init(.failAfter(502), method: "POST", path: "/generate-jitconfig", strikes: .next(2)), .init(.cutBefore, path: "/statuses/"),
      ]))
    let path = "/orgs/acme/actions/runners/generate-jitconfig"
    #expect(faults.fate(ofRequest: "GET", path: path) == nil)
    #expect(faults.fate(ofRequest: "POST", path: path) == .failAfter(502))
    #expect(faults.fate(ofRequest: "POST", path: path) == .failAfter(502))
    #expect(faults.fate(ofRequest: "POST", path: path) == nil, "it was to strike twice")
    #expect(faults.fate(ofRequest: "POST", path: "/repos/acme/shop/statuses/abc") == .cutBefore)
  }

  @Test("chance depends on the seed alone, and meets its share", arguments: [1, 7, 4711] as [UInt64])
  func chance(seed: UInt64) {
    func fates() -> [Faults.DeliveryFate] {
      var faults = Faults(
        FaultPlan(
          seed: seed,
          webhooks: [.init(.lose, strikes: .probability(0.25)), .init(.reorder, strikes: .probability(0.5)), .init(.double)]))
      return (0..<2000).map { _ in faults.fate(ofDelivery: "workflow_job", action: "queued", job: nil) }
    }
    let first = fates()
    #expect(first == fates())
    let lost = first.count { $0 == .lose }
    #expect((400...600).contains(lost), "\(lost)")
    let overtakers = first.compactMap { if case .reorder(let number) = $0 { number } else { nil } }
    #expect((650...850).contains(overtakers.count) && Set(overtakers) == [1, 2, 3])
    let doubled = first.compactMap { if case .double(let fromOtherHook) = $0 { fromOtherHook } else { nil } }
    #expect(doubled.contains(true) && doubled.contains(false))
  }

  @Test(
    "a plan that does not strike is refused rather than taken: each misspelling is named",
    arguments: [
      (#"{"webhook": []}"#, "webhook"), (#"{"webhooks": [{"fault": "loose"}]}"#, "webhooks.fault"),
      (#"{"webhooks": [{"fault": "delay"}]}"#, "seconds"), (#"{"webhooks": [{"fault": "lose", "chance": 1}]}"#, "chance"),
      (#"{"webhooks": [{"fault": "lose", "probability": 2}]}"#, "probability"),
      (#"{"requests": [{"fault": "fail_before", "status": 404}]}"#, "requests.status"),
      (#"{"requests": [{"fault": "fail"}]}"#, "requests.fault"), (#"{"vanishing": {}}"#, "after_seconds"),
      (#"{"vanishing": 3}"#, "vanishing"),
      (#"{"unreachable_seconds": -1}"#, "unreachable_seconds"),
    ])
  func refused(text: String, field: String) throws {
    let json = try JSON(parsing: Data(text.utf8))
    do throws(Refusal) {
      _ = try FaultPlan(json)
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.status == 422 && error.errors.first?["field"].string == field, "\(error.errors)")
    }
  }

  @Test("every member of a plan is read")
  func read() throws {
    let json: JSON = [
      "seed": 9, "unreachable_seconds": 2, "vanishing": ["after_seconds": .number(0.5), "next": 3],
      "webhooks": [
        ["fault": "lose", "event": "workflow_job", "action": "queued", "job": "build", "next": 2],
        ["fault": "delay", "seconds": .number(1.5), "probability": .number(0.25)], ["fault": "double"], ["fault": "reorder"],
      ],
      "requests": [
        ["fault": "fail_before", "status": 503, "method": "GET"], ["fault": "fail_after", "path": "/x"], ["fault": "cut_before"],
        ["fault": "cut_after"],
      ],
    ]
    #expect(
      try FaultPlan(json)
        == FaultPlan(
          seed: 9,
          webhooks: [
            .init(.lose, event: "workflow_job", action: "queued", job: "build", strikes: .next(2)),
            .init(.delay(1.5), strikes: .probability(0.25)), .init(.double), .init(.reorder),
          ],
          requests: [.init(.failBefore(503), method: "GET"), .init(.failAfter(502), path: "/x"), .init(.cutBefore), .init(.cutAfter)],
          vanishing: .init(after: 0.5, strikes: .next(3)), unreachable: 2))
    let limits = try RateLimits(["core": ["limit": 10, "seconds": 5], "content": [["limit": 2, "seconds": 1]], "registrations": []])
    #expect(limits == RateLimits(core: .init(10, per: 5), content: [.init(2, per: 1)], registrations: []))
  }
}

/// How limits are counted.
struct RateMeterTests {
  private let start = Date(timeIntervalSince1970: 1_800_000_000)
  private let read = RateMeter.Charge(method: "GET", path: "/repos/acme/shop/actions/runs/1")
  private let status = RateMeter.Charge(method: "POST", path: "/repos/acme/shop/statuses/abc")
  private let registration = RateMeter.Charge(method: "POST", path: "/orgs/acme/actions/runners/generate-jitconfig")

  private func isRefused(_ meter: inout RateMeter, _ charge: RateMeter.Charge, _ seconds: Double, by caller: Caller = .person) -> Refusal? {
    do throws(Refusal) {
      try meter.spend(charge, by: caller, at: start + seconds)
      return nil
    } catch {
      return error
    }
  }

  @Test("the primary limit refuses until its window ends, each caller's own, and registrations have their own bucket")
  func primary() {
    var meter = RateMeter(RateLimits(core: .init(2, per: 60), registration: .init(1, per: 60)))
    #expect(isRefused(&meter, read, 0) == nil && isRefused(&meter, read, 1) == nil)
    let refusal = isRefused(&meter, read, 2)
    #expect(refusal?.status == 403 && refusal?.retryAfter == nil)
    #expect(meter.standing(.core, of: .person, at: start + 2) == .init(limit: 2, used: 2, reset: 1_800_000_060))
    #expect(isRefused(&meter, read, 2, by: .installation) == nil)
    #expect(isRefused(&meter, registration, 2) == nil)
    #expect(isRefused(&meter, registration, 3) != nil)
    #expect(isRefused(&meter, read, 61) == nil, "a new window")
    meter.refund(read, by: .person, at: start + 61)
    #expect(meter.standing(.core, of: .person, at: start + 61).used == 0, "an answer 304 costs nothing")
  }

  @Test("the secondary limits refuse content by the minute and the hour, and say how long to wait")
  func secondary() {
    var meter = RateMeter(RateLimits(content: [.init(3, per: 60), .init(5, per: 3600)]))
    for second in 0..<3 { #expect(isRefused(&meter, status, Double(second)) == nil) }
    #expect(isRefused(&meter, status, 10)?.retryAfter == 50)
    #expect(isRefused(&meter, read, 10) == nil, "reads are not content")
    #expect(isRefused(&meter, status, 60.5) == nil && isRefused(&meter, status, 61.5) == nil)
    #expect(isRefused(&meter, status, 200)?.retryAfter == 3400, "five in the hour")
  }

  @Test("GitHub's own numbers: 80 contents a minute, 500 an hour, 180 registrations a minute, 5,000 requests an hour")
  func numbers() {
    var meter = RateMeter(.gitHub)
    #expect((0..<100).count { isRefused(&meter, status, Double($0) / 10) == nil } == 80)
    #expect((0..<300).count { isRefused(&meter, registration, Double($0) / 10) == nil } == 180)
    var hour = RateMeter(.gitHub)
    #expect((0..<1000).count { isRefused(&hour, status, Double($0)) == nil } == 500)
    var core = RateMeter(.gitHub)
    #expect((0..<6000).count { isRefused(&core, read, Double($0) / 10) == nil } == 5000)
  }

  @Test("what is not enforced refuses nothing")
  func free() {
    var meter = RateMeter(nil)
    #expect((0..<6000).allSatisfy { isRefused(&meter, status, Double($0) / 1000) == nil })
    #expect(meter.standing(.core, of: .person, at: start).remaining == 4999)
  }
}
