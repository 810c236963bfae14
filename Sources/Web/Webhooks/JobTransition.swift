package import Foundation

/// What a delivery of the event `workflow_job` says of its job: all of a body that is looked at before the answer.
///
/// A delivery's GUID is a header and not signed, so whoever got hold of a signed body could send it again under another one. What the body
/// itself says cannot be changed without the secret.
package enum JobTransition {
  private static let paths = [["action"], ["workflow_job", "id"], ["workflow_job", "run_attempt"], ["workflow_job", "status"]]

  /// Checks that a body is one well-formed object, and reads its transition: job id, run attempt, action, status.
  /// - Returns: e.g. `29679449526.1/in_progress/in_progress`; nil for another event, and where a part is missing or is not written as GitHub
  ///   writes it: numbers as whole ones, words with letters, digits and underscores.
  /// - Throws: what keeps the body from being one well-formed object.
  package static func read(_ body: Data, event: String) throws(JSONScanner.Fault) -> String? {
    let result: Result<String?, JSONScanner.Fault> = body.withUnsafeBytes { bytes in
      Result { () throws(JSONScanner.Fault) in
        var members = JSONMembers(event == "workflow_job" ? paths : [])
        try JSONScanner.find(&members, in: bytes)
        return event == "workflow_job" ? text(members, bytes) : nil
      }
    }
    return try result.get()
  }

  private static func text(_ members: JSONMembers, _ bytes: UnsafeRawBufferPointer) -> String? {
    guard let action = members.word(0, in: bytes), let id = members.integer(1, in: bytes), let attempt = members.integer(2, in: bytes),
      let status = members.word(3, in: bytes)
    else { return nil }
    return "\(id).\(attempt)/\(action)/\(status)"
  }
}
