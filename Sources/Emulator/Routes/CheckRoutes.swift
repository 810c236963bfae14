import Foundation

/// Check runs, which only Apps may write, and commit statuses.
extension Route {
  private static let base = "/repos/{owner}/{repo}"

  static let checks: [Route] = [
    Route("POST", "\(base)/check-runs", .installation(name: "checks", level: "write")) { call, github in
      .json(try await github.createCheckRun(try call.json(), in: try await github.repository(call)), status: 201)
    },
    Route("GET", "\(base)/check-runs/{check_run_id}", .permission("checks", "read")) { call, github in
      .json(try await github.shape(try await github.checkRun(try call.id("check_run_id"), in: try await github.repository(call))))
    },
    Route("PATCH", "\(base)/check-runs/{check_run_id}", .installation(name: "checks", level: "write")) { call, github in
      .json(try await github.updateCheckRun(try call.id("check_run_id"), try call.json(), in: try await github.repository(call)))
    },
    Route("GET", "\(base)/check-runs/{check_run_id}/annotations", .permission("checks", "read")) { call, github in
      let record = try await github.checkRun(try call.id("check_run_id"), in: try await github.repository(call))
      return .page(record.annotations, nil, for: call, baseURL: await github.baseURL)
    },
    Route("GET", "\(base)/commits/{ref}/check-runs", .permission("checks", "read")) { call, github in
      let found = try await github.checkRuns(of: try await github.repository(call), at: call.text("ref"), matching: call)
      return .page(found, "check_runs", for: call, baseURL: await github.baseURL)
    },
    Route("POST", "\(base)/statuses/{sha}", .permission("statuses", "write")) { call, github in
      .json(try await github.createStatus(try call.json(), at: call.text("sha"), in: try await github.repository(call)), status: 201)
    },
    Route("GET", "\(base)/commits/{ref}/statuses", .permission("statuses", "read")) { call, github in
      let found = try await github.statuses(of: try await github.repository(call), at: call.text("ref"))
      return .page(found, nil, for: call, baseURL: await github.baseURL)
    },
  ]
}
