package import Foundation

/// A trace as JSON lines: a head, then a job a line. docs/simulation.md is the description of the format.
package enum TraceFile {
  package static let format = "runnerhub-trace"
  package static let version = 1

  private struct Head: Codable {
    var format: String
    var version: Int
    var jobs: Int?
  }

  package struct Problem: Error, CustomStringConvertible, Equatable {
    package var description: String
    package init(_ description: String) { self.description = description }
  }

  package static func write(_ jobs: [TraceJob]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(date.formatted(moment))
    }
    var data = try encoder.encode(Head(format: format, version: version, jobs: jobs.count))
    for job in jobs {
      data.append(UInt8(ascii: "\n"))
      data.append(try encoder.encode(job))
    }
    data.append(UInt8(ascii: "\n"))
    return data
  }

  /// - Throws: `Problem` that names the line.
  package static func read(_ data: Data, name: String) throws(Problem) -> Trace {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let text = try decoder.singleValueContainer().decode(String.self)
      for style in [moment, Date.ISO8601FormatStyle()] {
        do { return try Date(text, strategy: style) } catch { continue }
      }
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is no time: expected one such as 2026-09-07T08:00:00.000Z"))
    }
    var jobs: [TraceJob] = []
    var seen: Set<Int64> = []
    var hasHead = false
    for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
      let place = "\(name):\(index + 1)"
      do {
        guard hasHead else {
          let head = try decoder.decode(Head.self, from: line)
          guard head.format == format else { throw Problem("\(place): format is \"\(head.format)\": expected \(format)") }
          guard head.version == version else { throw Problem("\(place): version \(head.version) is not known here: expected \(version)") }
          hasHead = true
          continue
        }
        let job = try decoder.decode(TraceJob.self, from: line)
        guard seen.insert(job.id).inserted else { throw Problem("\(place): job \(job.id) is there twice") }
        jobs.append(job)
      } catch let problem as Problem {
        throw problem
      } catch {
        throw Problem("\(place): \(words(error))")
      }
    }
    guard hasHead else { throw Problem("\(name): no trace: its first line must be {\"format\":\"\(format)\",\"version\":\(version)}") }
    return Trace(name: name, jobs: jobs)
  }

  private static let moment = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  private static func words(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "no member \(key.stringValue)"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context), DecodingError.dataCorrupted(let context):
      (context.codingPath.last.map { "\($0.stringValue): " } ?? "") + context.debugDescription
    default: "\(error)"
    }
  }
}
