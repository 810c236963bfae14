package import Foundation
internal import JSON

/// Says the host's side of a recorded session to a plugin again, and compares the answers.
package struct PluginReplay {
  package struct Difference: Hashable, Sendable, Encodable {
    /// Line of the record that holds the answer.
    package var line: Int
    package var method: String
    /// JSON pointer in the answer; empty: the whole.
    package var place: String
    package var recorded: String
    package var now: String
  }

  package struct Outcome: Hashable, Sendable, Encodable {
    package var sessions = 0
    package var answers = 0
    package var differences: [Difference] = []
  }

  package struct Refusal: Error, Hashable, CustomStringConvertible { package var description: String }

  private struct Entry {
    var number: Int
    var side: PluginWire.Side
    var line: String
  }

  private let bench: PluginBench
  private let ignored: Set<String>
  private var outcome = Outcome()

  /// - Parameter ignoring: JSON pointers in answers that may differ, such as `/result/version`; those of the record's header as well.
  package static func run(record: URL, folder: URL, ignoring: [String], hostVersion: String) throws(Refusal) -> Outcome {
    do {
      for text in ignoring where JSONPointer(text: text) == nil {
        throw KitFailure("'\(text)' is no JSON pointer: expected a place such as /result/version")
      }
      let sessions = try sessions(of: record)
      let bench = try PluginBench(folder: folder, hostVersion: hostVersion)
      guard bench.manifest.kind != .garmProvider else {
        try bench.tearDown()
        throw KitFailure("\(bench.manifest.name) is a garm-provider, which is called anew each time: there is no session to replay")
      }
      let outcome = Result { try say(sessions, to: bench, ignoring: ignoring) }
      try bench.tearDown()
      return try outcome.get()
    } catch {
      throw Refusal(description: "\(error)")
    }
  }

  private static func say(
    _ sessions: [(volatile: Set<String>, entries: [Entry])], to bench: PluginBench, ignoring: [String]
  ) throws -> Outcome {
    var outcome = Outcome()
    for (volatile, entries) in sessions {
      var replay = PluginReplay(bench: bench, ignored: volatile.union(ignoring), outcome: outcome)
      try replay.say(entries)
      outcome = replay.outcome
    }
    return outcome
  }

  private init(bench: PluginBench, ignored: Set<String>, outcome: Outcome) {
    self.bench = bench
    self.ignored = ignored
    self.outcome = outcome
  }

  // MARK: - The record

  private static func sessions(of record: URL) throws -> [(volatile: Set<String>, entries: [Entry])] {
    var sessions: [(volatile: Set<String>, entries: [Entry])] = []
    let data = try Data(contentsOf: record)
    for (index, bytes) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() where !bytes.isEmpty {
      let line = String(decoding: bytes, as: UTF8.self)
      let place = "\(record.lastPathComponent):\(index + 1)"
      guard let value = PluginRecorder.value(line) else { throw KitFailure("\(place) is no JSON: is the file whole?") }
      if let problem = MessageSchemas.problems(in: value, as: "record").first { throw KitFailure("\(place): \(problem)") }
      if value["record"] != nil {
        sessions.append((Set(value["volatile"]?.items.compactMap(\.string) ?? []), []))
      } else if let side = value["from"]?.string.flatMap(PluginWire.Side.init(rawValue:)), let line = value["line"]?.string,
        !sessions.isEmpty
      {
        sessions[sessions.count - 1].entries.append(Entry(number: index + 1, side: side, line: line))
      } else {
        throw KitFailure("\(place) comes before the first header: expected a line with 'record'")
      }
    }
    guard !sessions.isEmpty else { throw KitFailure("\(record.lastPathComponent) holds no session") }
    return sessions
  }

  // MARK: - Saying it again

  private mutating func say(_ entries: [Entry]) throws {
    outcome.sessions += 1
    let replies = Dictionary(Self.replies(entries), uniquingKeysWith: { first, _ in first })
    let dialogue = try bench.start(replies: replies)
    var methods: [JSONValue: String] = [:]
    for entry in entries {
      let message = PluginRecorder.value(entry.line)
      switch entry.side {
      case .host:
        // What answers the plugin is said when it asks.
        if let message, message["method"] == nil, message["id"] != nil, message["result"] != nil || message["error"] != nil { continue }
        if let id = message?["id"], let method = message?["method"]?.string { methods[id] = method }
        try dialogue.repeat(entry.line.filled(bench, dialogue), asking: message)
      case .plugin:
        guard let message, message["method"] == nil, let id = message["id"], case .integer(let number) = id, let method = methods[id] else {
          continue
        }
        let now = try dialogue.rawAnswer(to: number)
        outcome.answers += 1
        compare(PluginRecorder.value(entry.line.filled(bench, dialogue)) ?? .null, now, method, entry.number)
      }
    }
    bench.close()
  }

  /// What the host answered, by the method that the plugin asked for.
  private static func replies(_ entries: [Entry]) -> [(String, JSONValue)] {
    var methods: [JSONValue: String] = [:]
    var replies: [(String, JSONValue)] = []
    for entry in entries {
      guard let message = PluginRecorder.value(entry.line), let id = message["id"] else { continue }
      if entry.side == .plugin, let method = message["method"]?.string { methods[id] = method }
      if entry.side == .host, let result = message["result"], let method = methods[id] { replies.append((method, result)) }
    }
    return replies
  }

  private mutating func compare(_ recorded: JSONValue, _ now: JSONValue, _ method: String, _ line: Int) {
    let recorded = recorded.comparable
    let now = now.comparable
    for (place, before, after) in Self.differences(recorded, now, JSONPointer()) where !isIgnored(place, before) {
      outcome.differences.append(
        Difference(
          line: line, method: method, place: place.description, recorded: before.map(PluginDialogue.shown) ?? "nothing",
          now: after.map(PluginDialogue.shown) ?? "nothing"))
    }
  }

  private func isIgnored(_ place: JSONPointer, _ recorded: JSONValue?) -> Bool {
    if recorded == .string(PluginRecorder.mask) { return true }
    return (0...place.steps.count).contains { ignored.contains(JSONPointer(Array(place.steps.prefix($0))).description) }
  }

  private static func differences(_ before: JSONValue, _ after: JSONValue, _ place: JSONPointer) -> [(JSONPointer, JSONValue?, JSONValue?)]
  {
    switch (before, after) {
    case (.object(let one), .object(let other)):
      return Set(one.keys).union(other.keys).sorted().flatMap { name -> [(JSONPointer, JSONValue?, JSONValue?)] in
        guard let old = one[name], let new = other[name] else { return [(place.appending(name), one[name], other[name])] }
        return differences(old, new, place.appending(name))
      }
    case (.array(let one), .array(let other)) where one.count == other.count:
      return zip(one, other).enumerated().flatMap { differences($1.0, $1.1, place.appending("\($0)")) }
    default: return before == after ? [] : [(place, before, after)]
    }
  }
}

extension JSONValue {
  /// Of an answer: its result, or the code of its error, whose words are for people.
  fileprivate var comparable: JSONValue {
    if let result = self["result"] { return .object(["result": result]) }
    return .object(["error": .object(["code": self["error"]?["code"] ?? .null])])
  }
}

extension String {
  /// With this run's places and ports, and secrets from the test file's configuration.
  fileprivate func filled(_ bench: PluginBench, _ dialogue: PluginDialogue) -> String {
    let text = bench.values(dialogue.wire.directory).reduce(self) { $0.replacingOccurrences(of: "${\($1.key)}", with: $1.value) }
    guard text.range(of: PluginRecorder.mask) != nil, let message = PluginRecorder.value(text),
      let masked = message["params"]?["configuration"],
      let own = bench.tests.configuration?.filled(bench.values(dialogue.wire.directory))
    else { return text }
    let whole = message.replacing(["params", "configuration"], with: masked.unmasked(by: own))
    return PluginRecorder.text(whole) ?? text
  }
}

extension JSONValue {
  /// Masked values from the same places of another value.
  fileprivate func unmasked(by other: JSONValue?) -> JSONValue {
    switch self {
    case .string(PluginRecorder.mask): other ?? self
    case .object(let members): .object(Dictionary(uniqueKeysWithValues: members.map { ($0, $1.unmasked(by: other?[$0])) }))
    default: self
    }
  }
}
