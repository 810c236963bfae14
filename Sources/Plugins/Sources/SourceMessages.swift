internal import Foundation
internal import RunnerHub

// Parameters and results of the kind `source` (`docs/plugin-protocol.md`).

struct SourceRegisterParameters: Encodable, Sendable {
  struct Job: Encodable, Sendable {
    var id: Int64
    var run: Int64
    var name: String
    var repository: String
    /// As the platform spells them; those of the class are in lower case.
    var labels: [String]
  }
  var name: String
  var scope: String
  var labels: [String]
  var job: Job?
}

struct SourceRegisterResult: Decodable, Sendable {
  struct File: Decodable, Sendable {
    var path: String
    var contents: Data
    var mode: UInt16
  }
  var id: Int64
  var files: [File]
  var command: [String]
  var environment: [String: String]?
}

struct SourceRemoveParameters: Encodable, Sendable {
  var id: Int64?
  var name: String?
  var scope: String
  var repository: String
}

struct SourceRemoveResult: Decodable, Sendable {
  enum Outcome: String, Decodable, Sendable { case removed, absent, busy }
  var outcome: Outcome
}

struct SourceJobParameters: Encodable, Sendable {
  var id: Int64
  var repository: String
}

struct SourceJobResult: Decodable, Sendable {
  var job: SourceJob
}

struct SourceCancelParameters: Encodable, Sendable {
  var run: Int64
  var repository: String
}

struct SourceReportParameters: Encodable, Sendable {
  struct Job: Encodable, Sendable {
    var id: Int64
    var name: String
    var commit: String
  }
  var job: Job
  var repository: String
  var status: String
  var conclusion: String?
  var title: String
  var summary: String
  var url: String?
  var handle: String?
}

struct SourceReportResult: Decodable, Sendable {
  var handle: String?
}

struct SourceDeliveryParameters: Encodable, Sendable {
  var headers: [String: String]
  var body: String
}

struct SourceDeliveryResult: Decodable, Sendable {
  var accepted: Bool
  var reason: String?
  var jobs: SourceJobs?
}

struct SourceOpenResult: Decodable, Sendable {
  var jobs: SourceJobs
}

/// Jobs of a message, and what is wrong with those that are none: one that a plugin gets wrong does not cost the others.
struct SourceJobs: Decodable, Sendable {
  struct Fault: Encodable, Hashable, Sendable {
    var index: Int
    var reason: String
  }
  private(set) var jobs: [SourceJob] = []
  private(set) var faults: [Fault] = []

  private struct Entry: Decodable {
    var result: Result<SourceJob, any Error>
    init(from decoder: any Decoder) { result = Result { try SourceJob(from: decoder) } }
  }

  /// Jobs of one message at most.
  static let limit = 10_000

  init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    while !list.isAtEnd {
      guard list.currentIndex < Self.limit else {
        throw DecodingError.dataCorruptedError(in: list, debugDescription: "more than \(Self.limit) jobs in one message")
      }
      let index = list.currentIndex
      switch try list.decode(Entry.self).result {
      case .success(let job): jobs.append(job)
      case .failure(let error): faults.append(Fault(index: index, reason: "\(error)"))
      }
    }
  }

  /// What is made of each of them; jobs that cannot be are faults then.
  func mapped<Value>(_ transform: (SourceJob) throws(SourceJobFault) -> Value) -> (values: [Value], faults: [Fault]) {
    var values: [Value] = []
    var faults = faults
    for (index, job) in jobs.enumerated() {
      do { values.append(try transform(job)) } catch { faults.append(Fault(index: index, reason: "job \(job.id): \(error)")) }
    }
    return (values, faults)
  }
}
