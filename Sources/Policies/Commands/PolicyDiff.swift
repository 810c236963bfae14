extension PolicyCommands {
  /// `policy diff`: what changed from one bundle to another: files, functions and data, and the text of it.
  package static func diff(_ old: PolicyBundle, _ new: PolicyBundle, names: (old: String, new: String)) -> Report {
    let paths = Set(old.files.keys).union(new.files.keys).sorted().filter { old.files[$0] != new.files[$0] }
    if paths.isEmpty {
      return Report(
        text: "no difference: both are bundle \(old.digest)", isSuccess: true,
        values: ["old": .text(old.digest), "new": .text(new.digest), "files": .list([])])
    }
    var lines = ["bundle \(old.digest) → \(new.digest): \(count(paths.count, "file")) changed"]
    var files: [ReportValue] = []
    var texts: [String] = []
    for path in paths {
      let (before, after) = (old.files[path], new.files[path])
      let change = before == nil ? "added" : after == nil ? "removed" : "changed"
      let parts = ChangedParts(before: before ?? [], after: after ?? [], path: path)
      lines.append("  \(path)  " + (before == nil || after == nil ? change : parts.text ?? "text only"))
      files.append(.object(["path": .text(path), "change": .text(change), "parts": .list(parts.all.map(ReportValue.text))]))
      texts += TextDiff.unified(
        before.map { String(decoding: $0, as: UTF8.self) }, after.map { String(decoding: $0, as: UTF8.self) },
        names: ("\(names.old)/\(path)", "\(names.new)/\(path)"))
    }
    return Report(
      text: (lines + [""] + texts).joined(separator: "\n"), isSuccess: true,
      values: ["old": .text(old.digest), "new": .text(new.digest), "files": .list(files), "text": .text(texts.joined(separator: "\n"))])
  }
}

/// The functions of a Lua file, or the outermost keys of a YAML file, that changed.
struct ChangedParts {
  var all: [String] = []

  init(before: [UInt8], after: [UInt8], path: String) {
    let read = path.hasSuffix(".lua") ? Self.functions : Self.keys
    let (old, new) = (read(before), read(after))
    for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] {
      all.append((old[name] == nil ? "+" : new[name] == nil ? "−" : "~") + name)
    }
  }

  var text: String? { all.isEmpty ? nil : all.joined(separator: ", ") }

  /// Named functions outside of others, with their text.
  private static func functions(_ source: [UInt8]) -> [String: [UInt8]] {
    // A file that is not Lua has no functions; its text is shown all the same.
    guard let chunk = try? LuaParser.parse(source) else { return [:] }
    var found: [String: [UInt8]] = [:]
    for statement in chunk.body {
      switch statement.kind {
      case .localFunction(let name, let function): found["\(name.text)()"] = Array(source[function.range])
      case .function(let target, let function):
        found[String(decoding: source[target.range], as: UTF8.self) + "()"] = Array(source[function.range])
      case .local(let names, let values):
        for (name, value) in zip(names, values) { found[name.text] = Array(source[value.range]) }
      case .assign(let targets, let values):
        for (target, value) in zip(targets, values) {
          found[String(decoding: source[target.range], as: UTF8.self)] = Array(source[value.range])
        }
      case .call(let call):
        guard case .call(let callee, let arguments) = call.kind, case .name(let name) = callee.kind, name.text == "test",
          case .text(let title)? = arguments.first?.kind
        else { continue }
        found["test '\(title)'"] = Array(source[call.range])
      default: continue
      }
    }
    return found
  }

  /// Lines that begin with a key, and what is indented below them.
  private static func keys(_ source: [UInt8]) -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    var key: String?
    for line in String(decoding: source, as: UTF8.self).split(separator: "\n") {
      if let first = line.first, !first.isWhitespace, first != "#", first != "-", let colon = line.firstIndex(of: ":") {
        key = String(line[..<colon])
      }
      if let key { found[key, default: []] += Array(line.utf8) }
    }
    return found
  }
}

/// Two texts line by line, as `diff -u` shows them.
enum TextDiff {
  private static let context = 3

  static func unified(_ old: String?, _ new: String?, names: (old: String, new: String)) -> [String] {
    func lines(_ text: String?) -> [Substring] {
      guard let text, !text.isEmpty else { return [] }
      let all = text.split(separator: "\n", omittingEmptySubsequences: false)
      return all.last == "" ? Array(all.dropLast()) : all
    }
    let (before, after) = (lines(old), lines(new))
    let edits = edits(before, after)
    var out = ["--- \(old == nil ? "/dev/null" : names.old)", "+++ \(new == nil ? "/dev/null" : names.new)"]
    var index = 0
    while let first = edits[index...].firstIndex(where: { $0.mark != " " }) {
      var end = first
      while let next = edits[(end + 1)...].firstIndex(where: { $0.mark != " " }), next - end <= 2 * context { end = next }
      let range = max(index, first - context)..<min(edits.count, end + context + 1)
      let hunk = edits[range]
      let removed = hunk.count { $0.mark != "+" }
      let added = hunk.count { $0.mark != "-" }
      out.append("@@ -\(start(hunk.first?.old ?? 0, removed)),\(removed) +\(start(hunk.first?.new ?? 0, added)),\(added) @@")
      out += hunk.map { "\($0.mark)\($0.text)" }
      index = range.upperBound
    }
    return out
  }

  private static func start(_ index: Int, _ count: Int) -> Int { count == 0 ? index : index + 1 }

  private struct Edit {
    var mark: Character
    var text: Substring
    /// Lines of each side before this one.
    var old: Int
    var new: Int
  }

  private static func edits(_ before: [Substring], _ after: [Substring]) -> [Edit] {
    let difference = after.difference(from: before)
    let removed = Set(difference.removals.map(\.place))
    let inserted = Set(difference.insertions.map(\.place))
    var edits: [Edit] = []
    var (old, new) = (0, 0)
    while old < before.count || new < after.count {
      if removed.contains(old) {
        edits.append(Edit(mark: "-", text: before[old], old: old, new: new))
        old += 1
      } else if inserted.contains(new) {
        edits.append(Edit(mark: "+", text: after[new], old: old, new: new))
        new += 1
      } else if old < before.count {
        edits.append(Edit(mark: " ", text: before[old], old: old, new: new))
        old += 1
        new += 1
      } else {
        break
      }
    }
    return edits
  }
}

extension CollectionDifference.Change {
  fileprivate var place: Int {
    switch self {
    case .remove(let offset, _, _), .insert(let offset, _, _): offset
    }
  }
}
