import Foundation
import Fuzzing
import Workflow

/// One random attempt on the readers of workflow files, actions, hints and expressions.
package struct WorkflowFuzzCase {
  /// What one call may take, in a debug build.
  private static let timeLimit = Duration.seconds(1)
  private static let structural = Array("{}[]:,-&*?|>'\"#!% \n\t$~<@`=.0\u{0}".utf8)
  private static let fragments = [
    "${{ ", " }}", "<<: *a\n", "&a ", "*a ", "!!float ", "? ", "- - - ", "{{", "}}", "|\n  ", "  ", "'", "fromJSON('[", "(((", "\u{FEFF}",
    "\u{1F600}", "999999999999999999999", "0x", "\r\n", "---\n", "include:\n", "needs: [", "0o17", ".inf", "!<tag:x> ", "matrix:\n",
  ].map { Array($0.utf8) }

  private var random: CaseGenerator
  private let seeds: FuzzSeeds

  package static func run(_ number: UInt64, seeds: FuzzSeeds) throws {
    var one = WorkflowFuzzCase(number, seeds)
    switch UInt64.random(in: 0..<10, using: &one.random) {
    case 0...5: try attempt(file: one.file())
    case 6: try attempt(file: one.repeated())
    default: try attempt(expression: one.expression())
    }
  }

  private init(_ number: UInt64, _ seeds: FuzzSeeds) {
    random = CaseGenerator(number)
    self.seeds = seeds
  }

  // MARK: Attempts

  /// Reads a text in every way there is.
  package static func attempt(file bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    let options = WorkflowOptions(calledWorkflows: ["./.github/workflows/x.yml": text], permissionPolicy: .limitedRead, maximumCallDepth: 3)
    let reading = try timed("reading \(bytes.count) bytes") { WorkflowFile.parse(text, path: "w.yml", options: options) }
    if (reading.file == nil) == reading.errors.isEmpty { throw FuzzFailure(description: "a file is refused exactly with errors") }
    if reading.errors.contains(where: { ($0.line ?? 1) < 1 || ($0.column ?? 1) < 1 }) {
      throw FuzzFailure(description: "a place before the file")
    }
    let findings = try timed("checking \(bytes.count) bytes") { WorkflowFile.check(text, path: "w.yml") }
    let excerpt = SourceExcerpt(text)
    for diagnostic in findings.prefix(20) { _ = excerpt.text(of: diagnostic) }
    _ = try timed("reading an action of \(bytes.count) bytes") { ActionFile.parse(text, path: "action.yml") }
    _ = try timed("reading hints of \(bytes.count) bytes") { RepositoryHints.parse(text) }
    guard let file = reading.draft else { return }
    try timed("planning the jobs of \(bytes.count) bytes") {
      _ = file.plan().count
      let comments = RequestComments(text)
      for job in file.jobs.prefix(50) {
        _ = JobEstimate(job, JobEstimate.Evidence(comment: comments.comment(of: job)))
        _ = file.match(jobName: job.name ?? job.key, labels: job.runsOn.labels)
      }
      _ = NeedsDrawing(file.jobs).text.count
    }
  }

  /// Parses and evaluates an expression, alone and in a text.
  package static func attempt(expression source: String) throws {
    let contexts: [String: ExpressionValue] = [
      "foo": [["bar": 1], ["bar": "x", "baz": [true, .null]]], "github": ["ref": "refs/heads/main", "event": ["labels": [["name": "x"]]]],
    ]
    try timed("an expression of \(source.utf8.count) bytes") {
      do throws(ExpressionError) {
        _ = try Expression(source, contextNames: contexts.keys).evaluate(contexts: contexts)
        _ = try ExpressionTemplate.evaluate("a ${{ \(source) }} b", contexts: contexts)
        _ = try ExpressionTemplate.evaluateCondition(source, contexts: contexts, status: .failure)
      } catch {
        return  // The answer to what is no expression.
      }
    }
  }

  /// Slow twice is slow; slow once may be another process.
  private static func timed<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
    var spent = Duration.zero
    for _ in 0..<2 {
      let start = processorTime()
      let value = try body()
      spent = processorTime() - start
      if spent <= timeLimit { return value }
    }
    throw FuzzFailure(description: "\(what) took \(spent) of the processor")
  }

  private static func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  // MARK: Texts

  private mutating func file() -> [UInt8] {
    var bytes = seeds.files.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...6, using: &random) { mutate(&bytes) }
    return bytes
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...60, using: &random))
    switch UInt64.random(in: 0..<8, using: &random) {
    case 0: if place < bytes.count { bytes[place] = UInt8.random(in: .min ... .max, using: &random) }
    case 1: bytes.insert(Self.structural.randomElement(using: &random) ?? 0x7B, at: place)
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 4: bytes.insert(contentsOf: Self.fragments.randomElement(using: &random) ?? [], at: place)
    case 5:
      // A piece of another file.
      let other = seeds.files.randomElement(using: &random) ?? []
      let start = Int.random(in: 0...other.count, using: &random)
      bytes.insert(contentsOf: other[start..<min(other.count, start + 300)], at: place)
    case 6: bytes.insert(contentsOf: Array("${{ \(seeds.expressions.randomElement(using: &random) ?? "") }}".utf8), at: place)
    default: bytes.replaceSubrange(place..<end, with: repeatElement(0x20, count: end - place))
    }
  }

  /// One fragment very often: what grows faster than its text.
  private mutating func repeated() -> [UInt8] {
    let fragment = Self.fragments.randomElement(using: &random) ?? []
    let count = Int.random(in: 1...20_000 / max(fragment.count, 1), using: &random)
    return Array("on: push\njobs:\n  a:\n    runs-on: x\n    env: ".utf8) + (0..<count).flatMap { _ in fragment }
  }

  private mutating func expression() -> String {
    var characters = Array((seeds.expressions.randomElement(using: &random) ?? "").unicodeScalars)
    let alphabet = Array("()[]{}.,*'!<>=&|+-0123456789abcxXoeE_ \u{131}\u{1F600}\n\"\\".unicodeScalars)
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let place = Int.random(in: 0...characters.count, using: &random)
      switch UInt64.random(in: 0..<5, using: &random) {
      case 0: if place < characters.count { characters.remove(at: place) }
      case 1:
        let end = min(characters.count, place + Int.random(in: 1...20, using: &random))
        let piece = Array(characters[place..<end])
        for _ in 0..<Int.random(in: 1...40, using: &random) { characters.insert(contentsOf: piece, at: place) }
      default: characters.insert(alphabet.randomElement(using: &random) ?? "(", at: place)
      }
    }
    return String(String.UnicodeScalarView(characters))
  }
}
