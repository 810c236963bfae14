import Foundation

/// The emulator's own doors for what goes wrong.
extension Route {
  static let faults: [Route] = [
    Route("POST", "/_emulator/faults", .own) { call, github in
      try await github.inject(try call.json())
      return .empty(204)
    },
    Route("POST", "/_emulator/runners", .own) { call, github in
      let body = try call.json()
      guard let name = body["name"].string, !name.isEmpty else { throw Refusal.invalid("Runner", "name", code: "missing_field") }
      let labels = (body["labels"].array ?? []).compactMap(\.string)
      guard !labels.isEmpty else { throw Refusal.invalid("Runner", "labels", code: "missing_field") }
      await github.hire(.init(name: name, labels: labels))
      return .empty(201)
    },
    Route("DELETE", "/_emulator/runners/{name}", .own) { call, github in
      try await github.dismiss(call.text("name"))
      return .empty(204)
    },
  ]
}
