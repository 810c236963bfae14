/// Where a function or a table is written: the file and its first byte.
struct SourceSite: Hashable {
  var file: String
  var offset: Int
}

/// What is known of a value before anything runs. `unknown` is never complained about.
enum AnalysedValue: Hashable {
  /// Of a parameter that no call has given a value yet.
  case pending
  case unknown
  /// An input of the host, or a part of one, by the name that the host uses: `job`, `job.event`.
  case input(PolicyType, name: String)
  case none
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case function(SourceSite)
  case table(SourceSite)
  /// `string`, `math`…
  case library(String)
  /// A function of the host, by its name.
  case builtIn(String)
  /// The tables of `data/`, by the names that led there.
  case data([String])

  /// What is known of a value that is one or the other.
  func joined(with other: AnalysedValue) -> AnalysedValue {
    switch (self, other) {
    case (.pending, _): return other
    case (_, .pending): return self
    case _ where self == other: return self
    case (.input(let mine, let name), .input(let theirs, let otherName)) where name == otherName && mine.required == theirs.required:
      return .input(.optional(mine.required), name: name)
    default: return .unknown
    }
  }
}

extension PolicyType {
  /// The type of a value that is there.
  var required: PolicyType { if case .optional(let type) = self { type.required } else { self } }
}

/// What all files of a bundle tell of its functions and tables. Each round over the files reads what the round before found.
struct AnalysedBundle: Equatable {
  struct Table: Equatable {
    /// Field → value, by the place that sets it. A field that is set in two places is not followed.
    var fields: [String: [SourceSite: AnalysedValue]] = [:]

    func value(of field: String) -> AnalysedValue? {
      guard let places = fields[field] else { return nil }
      return places.count == 1 ? places.first?.value : .unknown
    }
  }

  var parameters: [SourceSite: [AnalysedValue]] = [:]
  /// Functions that are called by somebody who is not seen here.
  var escapedFunctions: Set<SourceSite> = []
  var tables: [SourceSite: Table] = [:]
  /// Tables that are read or changed by somebody who is not seen here.
  var openTables: Set<SourceSite> = []
  /// What `require` gives, by the module's name.
  var modules: [String: AnalysedValue] = [:]
  /// Fields of tables that policies and libraries read, and those that tests read.
  var readFields: Set<ReadField> = []
  var testedFields: Set<ReadField> = []
  /// Ways into the data that policies go, to where they are no longer followed.
  var readData: Set<[String]> = []
  var requiredModules: Set<String> = []

  struct ReadField: Hashable {
    var table: SourceSite
    var name: String
  }

  /// Whoever holds an open table can call its functions.
  mutating func settle() {
    var pending = Array(openTables)
    while let site = pending.popLast() {
      for value in (tables[site]?.fields.values).map({ $0.flatMap(\.values) }) ?? [] {
        if case .function(let function) = value { escapedFunctions.insert(function) }
        if case .table(let table) = value, openTables.insert(table).inserted { pending.append(table) }
      }
    }
  }
}
