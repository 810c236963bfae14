import Foundation
import Testing

@testable import Workflow

@Suite("Hostile files", .serialized)
struct HostileFileTests {
  @Test("text made to exhaust a reader is refused in time", arguments: hostileTexts.keys.sorted())
  func refused(name: String) throws {
    let text = try #require(hostileTexts[name])
    let clock = ContinuousClock()
    var reading: WorkflowReading?
    let spent = clock.measure { reading = WorkflowFile.parse(text, path: "w.yml") }
    #expect(reading?.file == nil)
    #expect(reading?.errors.first?.line != nil)
    // What these texts aim at takes minutes to years; the bound leaves room for a busy machine.
    #expect(spent < .seconds(15), "\(name) took \(spent)")
  }

  @Test("corpus files with random bytes changed are read or refused, each under two seconds")
  func mutations() throws {
    var random = SplitMix64(state: 7)
    let files =
      try Corpora.files(in: "starter-workflows", withExtension: "yml") + Corpora.files(in: "act", withExtension: "yml")
    try #require(files.count > 100)
    let clock = ContinuousClock()
    var accepted = 0
    var slowest = Duration.zero
    let rounds = 1_000
    for _ in 0..<rounds {
      let url = files[Int.random(in: files.indices, using: &random)]
      var bytes = Array(try Data(contentsOf: url).prefix(40_000))
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      var reading: WorkflowReading?
      let spent = clock.measure { reading = WorkflowFile.parse(text, path: url.lastPathComponent) }
      slowest = max(slowest, spent)
      #expect(spent < .seconds(2), "\(url.lastPathComponent) took \(spent)")
      #expect((reading?.file == nil) == (reading?.errors.isEmpty == false), "\(url.lastPathComponent): refused exactly with errors")
      for job in reading?.file?.jobs ?? [] { _ = reading?.file?.match(jobName: job.title, labels: job.runsOn.labels) }
      accepted += reading?.file == nil ? 0 : 1
    }
    print("mutations: \(accepted) of \(rounds) still accepted, the slowest took \(slowest)")
    #expect(accepted > 0 && accepted < rounds)
  }

  @Test("expressions of the corpus with random characters changed never trap")
  func expressionMutations() throws {
    var random = SplitMix64(state: 11)
    let alphabet = Array("()[]{}.,*'!<>=&|+-0123456789abcxXoeE_ \u{131}\u{1F600}\n\"\\")
    var evaluated = 0
    for url in try Corpora.files(in: "expressions", withExtension: "json") {
      let sources = try Corpora.text(url).matches(of: /"expr": "((?:[^"\\]|\\.)*)"/).map { String($0.output.1) }
      for source in sources {
        var characters = Array(source)
        for _ in 0..<3 {
          let position = Int.random(in: 0...characters.count, using: &random)
          characters.insert(alphabet[Int.random(in: alphabet.indices, using: &random)], at: position)
        }
        let value = try? Expression(String(characters), contextNames: ["foo", "github"]).evaluate(contexts: ["foo": [1, ["a": 2]]])
        evaluated += value == nil ? 0 : 1
      }
    }
    #expect(evaluated > 0)
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let position = Int.random(in: bytes.indices, using: &random)
    let structural = Array("{}[]:,-&*?|>'\"#!% \n\t$~<".utf8)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
    case 1: bytes[position] = structural[Int.random(in: structural.indices, using: &random)]
    case 2: bytes.insert(structural[Int.random(in: structural.indices, using: &random)], at: position)
    default: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...40, using: &random)))
    }
  }
}

/// A seeded generator, so that a failure can be repeated (Steele, Lea and Flood, 2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

private let hostileTexts: [String: String] = {
  let million = 1_000_000
  let laughs = (1...9).map { "a\($0): &a\($0) [\(Array(repeating: $0 == 1 ? "x" : "*a\($0 - 1)", count: 10).joined(separator: ","))]" }
  let many = Array(repeating: "x", count: 100_000).joined(separator: ",")
  return [
    "deep flow sequences": String(repeating: "[", count: million),
    "deep flow mappings": String(repeating: "{a: ", count: million / 4),
    "deep block sequences": String(repeating: "- ", count: million / 2),
    "deep block mappings": (0..<1_000).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
    "mappings as keys, as many as are let through": String(repeating: "{", count: 590)
      + Array(repeating: "x", count: 100_000).joined(separator: ",") + String(repeating: "}", count: 590),
    "mappings as keys": String(repeating: "{", count: 900) + many + String(repeating: "}", count: 900),
    "mappings as keys behind comments": String(repeating: "{ # c\n", count: 900) + many + String(repeating: "}", count: 900),
    "mappings as keys behind anchors": String(repeating: "{ &a !!map ", count: 900) + many + String(repeating: "}", count: 900),
    "mappings as later keys": String(repeating: "{x, ", count: 900) + many + String(repeating: "}", count: 900),
    "aliases of aliases": laughs.joined(separator: "\n") + "\non: push\njobs: {a: {runs-on: x}}",
    "an alias as a key": laughs.joined(separator: "\n") + "\n? *a9\n: 1",
    "an alias of itself": "on: &a [*a]",
    "one alias very often": "a: &a [\(many)]\nb: [" + Array(repeating: "*a", count: 100_000).joined(separator: ",") + "]",
    "too long": "# " + String(repeating: "x", count: 1_048_576),
    "many unknown keys": (0..<20_000).map { "k\($0): 1\n" }.joined(),
    "many equal keys": String(repeating: "k: 1\n", count: 30_000),
    "a giant number": "on: \(String(repeating: "9", count: 500_000))\njobs: 0x\(String(repeating: "f", count: 400_000))",
    "a giant key": "? \(String(repeating: "k", count: million))\n: 1",
    "NUL and friends": "on: \u{0}push\n",
    "two documents": "on: push\njobs: {a: {runs-on: x}}\n---\non: push",
    "a tag of its own": "on: !evil push\njobs: {a: {runs-on: x}}",
    "a circle of needs": "on: push\njobs:\n" + (0..<5_000).map { "  j\($0): {runs-on: x, needs: j\(($0 + 1) % 5_000)}\n" }.joined(),
    "unclosed expressions": "on: push\njobs:\n  a: {runs-on: x, env: {A: '" + String(repeating: "${{ ", count: 200_000) + "'}}",
    "quotes within expressions": "on: push\njobs:\n  a:\n    runs-on: x\n    if: \"${{ " + String(repeating: "'", count: million) + " }}\"",
  ]
}()
