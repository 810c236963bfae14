import Foundation

/// The service that the stand-in runner speaks to. Text that a POSIX shell can take in; private, and not GitHub's.
extension Route {
  private static let job = "/_runner/jobs/{job_id}"

  static let runnerService: [Route] = [
    Route("POST", "/_runner/session", .own) { call, github in
      try await github.connect(try secret(of: call), operatingSystem: "linux")
      return .empty(204)
    },
    // 200 with the job's number, 204 when none came in time.
    Route("POST", "/_runner/jobs/acquire", .own) { call, github in
      let wait = min(max(call[query: "wait"].flatMap { Double($0) } ?? 20, 0), 50)
      guard let job = try await github.acquire(try secret(of: call), patience: wait) else { return .empty(204) }
      return .text("\(job)\n")
    },
    Route("POST", "\(job)/begin", .own) { call, github in
      .text(
        try await github.begin(try secret(of: call), job: try call.id("job_id")) { registration, directory in
          JobExecution.Site(
            workspace: "\(call[query: "work"] ?? "")/\(directory)/\(directory)", temporary: call[query: "temporary"] ?? "",
            hasStartedHook: call[query: "started_hook"] == "yes", hasCompletedHook: call[query: "completed_hook"] == "yes",
            runnerName: registration.name, architecture: call[query: "architecture"] ?? "X64")
        })
    },
    Route("POST", "\(job)/next", .own) { call, github in .text(try await github.next(try secret(of: call), job: try call.id("job_id"))) },
    Route("GET", "\(job)/files", .own) { call, github in .text(try await github.checkout(try secret(of: call), job: try call.id("job_id")))
    },
    Route("POST", "\(job)/heartbeat", .own) { call, github in
      .text(try await github.heartbeat(try secret(of: call), job: try call.id("job_id")) ? "cancel\n" : "run\n")
    },
    Route("POST", "\(job)/cancelled", .own) { call, github in
      try await github.cancelFromRunner(try secret(of: call), job: try call.id("job_id"))
      return .empty(204)
    },
    Route("POST", "\(job)/steps/{number}/log", .own) { call, github in
      guard let number = Int(call.text("number")) else { throw Refusal.notFound }
      try await github.upload(
        try secret(of: call), job: try call.id("job_id"), step: number, log: String(decoding: call.body, as: UTF8.self))
      return .empty(204)
    },
    // The body holds the step's environment files, each after a line `@@ NAME BYTES`.
    Route("POST", "\(job)/steps/{number}/end", .own) { call, github in
      guard let ending = JobExecution.Ending(rawValue: call[query: "ending"] ?? "exited"),
        let code = call[query: "code"].flatMap({ Int($0) })
      else { throw Refusal(400, "code and ending are needed") }
      try await github.finishStep(
        try secret(of: call), job: try call.id("job_id"), exitCode: code, ending: ending, files: try CommandFiles.parts(call.body))
      return .empty(204)
    },
    Route("POST", "\(job)/complete", .own) { call, github in
      try await github.complete(try secret(of: call), job: try call.id("job_id"))
      return .empty(204)
    },
  ]

  private static func secret(of call: Call) throws(Refusal) -> String {
    guard let secret = call.credential else { throw .badCredentials }
    return secret
  }
}

extension CommandFiles {
  /// Cuts an upload into its parts: a line `@@ NAME BYTES`, that many bytes, and a line's end.
  static func parts(_ body: Data) throws(Refusal) -> [String: String] {
    var parts: [String: String] = [:]
    var rest = body[...]
    while !rest.isEmpty {
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw Refusal(400, "a part has no head") }
      let head = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
      guard head.count == 3, head[0] == "@@", let size = Int(head[2]), size >= 0, rest[(end + 1)...].count >= size else {
        throw Refusal(400, "a part's head is not '@@ NAME BYTES'")
      }
      let content = rest[(end + 1)...].prefix(size)
      parts[String(head[1])] = String(decoding: content, as: UTF8.self)
      rest = rest[content.endIndex...]
      if rest.first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
    }
    return parts
  }
}
