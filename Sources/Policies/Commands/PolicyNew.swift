internal import Foundation

extension PolicyCommands {
  /// What `policy new` can make.
  package enum NewKind: String, Sendable, CaseIterable {
    case routing, priority, affinity, scaling
    /// What policies share: `lib/NAME.lua`.
    case lib

    /// Path and text of the files.
    /// - Parameter name: of a library.
    package func files(name: String?) -> [(path: String, text: String)] {
      switch self {
      case .lib:
        let name = name ?? "shared"
        return [
          ("lib/\(name).lua", PolicyTemplates.library.replacing("NAME", with: name)),
          ("lib/\(name)_test.lua", PolicyTemplates.libraryTest.replacing("NAME", with: name)),
        ]
      case .routing: return [("routing.lua", PolicyTemplates.routing), ("routing_test.lua", PolicyTemplates.routingTest)]
      case .priority: return [("priority.lua", PolicyTemplates.priority), ("priority_test.lua", PolicyTemplates.priorityTest)]
      case .affinity: return [("affinity.lua", PolicyTemplates.affinity), ("affinity_test.lua", PolicyTemplates.affinityTest)]
      case .scaling: return [("scaling.lua", PolicyTemplates.scaling), ("scaling_test.lua", PolicyTemplates.scalingTest)]
      }
    }
  }

  /// `policy new`: writes a policy with its test. Nothing is written where one of the files is there already.
  package static func new(_ kind: NewKind, name: String?, in folder: String) -> Report {
    if kind == .lib, name == nil { return refusal(BundleError("name the library: runnerhub policy new lib teams")) }
    if kind != .lib, let name {
      return refusal(
        BundleError("a \(kind.rawValue) policy is always \(kind.rawValue).lua: leave out '\(name)', or name another folder with --policies")
      )
    }
    return write(kind.files(name: name).map { ($0.path, Data($0.text.utf8)) }, to: folder)
  }

  /// `policy new --from`: copies an example, but not over what is there.
  package static func copy(_ example: String, of examples: String, to folder: String) -> Report {
    switch read(examples + "/" + example) {
    case .failure:
      let known = ((try? FileManager.default.contentsOfDirectory(atPath: examples)) ?? []).filter {
        !$0.hasPrefix(".") && !$0.contains(".")
      }.sorted()
      let hint = known.isEmpty ? ": \(examples) holds none" : FileWalk.hint(example, among: known)
      return refusal(BundleError("no example '\(example)'" + (hint.isEmpty ? ": there are \(known.joined(separator: ", "))" : hint)))
    case .success(let bundle): return write(bundle.files.sorted { $0.key < $1.key }.map { ($0.key, Data($0.value)) }, to: folder)
    }
  }

  private static func write(_ files: [(path: String, data: Data)], to folder: String) -> Report {
    do {
      _ = try PolicyBundle(files: Dictionary(files.map { ($0.path, Array($0.data)) }, uniquingKeysWith: { first, _ in first }))
    } catch {
      return refusal(error)
    }
    for file in files where FileManager.default.fileExists(atPath: folder + "/" + file.path) {
      return refusal(BundleError("\(folder)/\(file.path) is there already: nothing was written"))
    }
    do {
      for file in files {
        let url = URL(filePath: folder + "/" + file.path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try file.data.write(to: url, options: .withoutOverwriting)
      }
    } catch {
      return refusal(BundleError("\(folder) cannot be written: \(error.localizedDescription)"))
    }
    let paths = files.map { "\(folder)/\($0.path)" }
    return Report(
      text: paths.joined(separator: "\n") + "\nnext: runnerhub policy test \(folder) --watch", isSuccess: true,
      values: ["files": .list(paths.map(ReportValue.text))])
  }

  /// `policy types`: the annotations from which editors complete.
  /// - Parameter path: where they are kept; nil: only printed.
  /// - Parameter onlyChecks: writes nothing, and fails where the file is another.
  package static func types(at path: String?, onlyChecks: Bool) -> Report {
    let wanted = PolicyTypes.annotations
    guard let path else { return Report(text: wanted, isSuccess: true, values: ["annotations": .text(wanted)]) }
    let found = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    if found == wanted { return Report(text: "\(path) is up to date", isSuccess: true, values: ["path": .text(path), "is_current": true]) }
    if onlyChecks {
      let what = found == nil ? "is not there" : "is not what this version of RunnerHub offers"
      return Report(
        text: "error: \(path) \(what): runnerhub policy types --write \(path)", isSuccess: false,
        values: ["path": .text(path), "is_current": false])
    }
    do {
      let url = URL(filePath: path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(wanted.utf8).write(to: url, options: .atomic)
    } catch {
      return refusal(BundleError("\(path) cannot be written: \(error.localizedDescription)"))
    }
    return Report(text: "wrote \(path)", isSuccess: true, values: ["path": .text(path), "is_current": true])
  }
}
