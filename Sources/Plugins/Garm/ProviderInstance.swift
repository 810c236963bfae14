internal import Domain
package import Foundation

/// What a provider says of one machine (garm-provider-common, `params/params.go`; garm, `runner/providers/util`).
package struct ProviderInstance: Hashable, Sendable {
  /// `running` means that the cloud has accepted it, not that anything runs in it. Every other word of the library's list is the controller's own.
  package enum Status: String, Hashable, Sendable, Codable, CaseIterable { case running, stopped, error, unknown }

  package var id: String
  package var name: String
  package var status: Status
  /// Why it is in the status `error`, in the provider's words.
  package var fault: String?
  package var addresses: [String] = []

  /// The answer of a call for one machine.
  /// - Throws: `GarmFailure.malformed`.
  package init(json: Data) throws(GarmFailure) {
    self = try Self.decode(Wire.self, json).checked()
  }

  /// The answer of ListInstances; `null` is none.
  /// - Throws: `GarmFailure.malformed`.
  package static func list(json: Data) throws(GarmFailure) -> [ProviderInstance] {
    guard let all = try decode([Wire]?.self, json) else { return [] }
    guard all.count <= 100_000 else { throw .malformed("a list of \(all.count) machines") }
    var instances: [ProviderInstance] = []
    for wire in all { instances.append(try wire.checked()) }
    return instances
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ json: Data) throws(GarmFailure) -> Value {
    do {
      return try JSONDecoder().decode(type, from: json)
    } catch {
      let start = PrintableText.line(String(decoding: json.prefix(200), as: UTF8.self))
      throw .malformed(json.isEmpty ? "nothing on standard output" : "no JSON of a machine on standard output: \(start)")
    }
  }

  private init(id: String, name: String, status: Status) {
    self.id = id
    self.name = name
    self.status = status
  }

  /// As it comes, before anything is believed.
  private struct Wire: Decodable {
    struct Address: Decodable { var address: String? }
    var provider_id: String?
    var name: String?
    var status: String?
    var provider_fault: String?
    var addresses: [Address]?

    func checked() throws(GarmFailure) -> ProviderInstance {
      let id = try word(provider_id, "provider_id", most: 1024)
      let name = try word(name, "name", most: 256)
      guard let text = status, let status = Status(rawValue: text) else {
        let words = Status.allCases.map(\.rawValue).joined(separator: ", ")
        throw .malformed("status '\(PrintableText.line(status ?? "").prefix(50))' of \(name): expected one of \(words)")
      }
      var instance = ProviderInstance(id: id, name: name, status: status)
      // A byte array in Go, so base64; GARM's document shows plain text.
      instance.fault = provider_fault.map { fault in
        PrintableText.line(
          Data(base64Encoded: fault).map { String(decoding: $0.prefix(4096), as: UTF8.self) } ?? String(fault.prefix(4096)))
      }
      instance.addresses = (addresses ?? []).prefix(16).compactMap(\.address).map { PrintableText.line(String($0.prefix(100))) }
      return instance
    }

    private func word(_ value: String?, _ key: String, most: Int) throws(GarmFailure) -> String {
      guard let value, !value.isEmpty else { throw .malformed("\(key) is missing") }
      // It becomes a variable of the environment of later calls.
      guard value.utf8.count <= most, !value.utf8.contains(0) else {
        throw .malformed("\(key) is longer than \(most) bytes, or holds a NUL")
      }
      return value
    }
  }
}
