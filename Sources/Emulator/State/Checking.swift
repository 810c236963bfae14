import Foundation

/// Check runs and commit statuses, with the limits that GitHub sets them.
extension EmulatedGitHub {
  private static let conclusions = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"]

  func checkRun(_ id: Int64, in repository: RepositoryRecord) throws(Refusal) -> CheckRunRecord {
    guard let found = checkRuns[id], found.repository == repository.fullName else { throw .notFound }
    return found
  }

  /// - Throws: 422 for a missing or bad field, or a commit that is not there.
  func createCheckRun(_ body: JSON, in repository: RepositoryRecord) throws(Refusal) -> JSON {
    guard let name = body["name"].string, !name.isEmpty else { throw .invalid("CheckRun", "name", code: "missing_field") }
    guard let sha = body["head_sha"].string else { throw .invalid("CheckRun", "head_sha", code: "missing_field") }
    guard repository.commits[sha] != nil else { throw Refusal(422, "No commit found for SHA: \(sha)") }
    try Self.validate(body)
    let suite = checkRuns.values.first { $0.repository == repository.fullName && $0.headSHA == sha }?.suiteID ?? makeID()
    var fields: JSON = ["status": "queued", "name": .string(name), "started_at": .time(now())]
    fields = fields.merging(Self.normalised(body, at: now()))
    let record = CheckRunRecord(
      id: makeID(), repository: repository.fullName, headSHA: sha, suiteID: suite, fields: fields,
      annotations: body["output"]["annotations"].array ?? [])
    checkRuns[record.id] = record
    return try shape(record)
  }

  /// Annotations append; all else replaces.
  func updateCheckRun(_ id: Int64, _ body: JSON, in repository: RepositoryRecord) throws(Refusal) -> JSON {
    var record = try checkRun(id, in: repository)
    try Self.validate(body)
    record.fields = record.fields.merging(Self.normalised(body, at: now()))
    record.annotations += body["output"]["annotations"].array ?? []
    checkRuns[id] = record
    return try shape(record)
  }

  func checkRuns(of repository: RepositoryRecord, at ref: String, matching call: Call) throws(Refusal) -> [JSON] {
    guard let commit = repository.commit(at: ref) else { throw Refusal(422, "No commit found for SHA: \(ref)") }
    var found = checkRuns.values.filter { $0.repository == repository.fullName && $0.headSHA == commit.sha }.sorted { $0.id > $1.id }
    if let name = call[query: "check_name"] { found = found.filter { $0.fields["name"].string == name } }
    if let status = call[query: "status"] { found = found.filter { $0.fields["status"].string == status } }
    if call[query: "filter"] != "all" {
      var seen: Set<String> = []
      found = found.filter { seen.insert($0.fields["name"].string ?? "").inserted }
    }
    var shaped: [JSON] = []
    for record in found { shaped.append(try shape(record)) }
    return shaped
  }

  /// A conclusion completes; a completed run has a time.
  private static func normalised(_ body: JSON, at time: Date) -> JSON {
    var fields = body.object ?? [:]
    fields["head_sha"] = nil
    if body["conclusion"].string != nil {
      fields["status"] = "completed"
      if body["completed_at"].isNull { fields["completed_at"] = .time(time) }
    }
    return .object(fields)
  }

  private static func validate(_ body: JSON) throws(Refusal) {
    if let status = body["status"].string, !["queued", "in_progress", "completed"].contains(status) {
      throw .invalid("CheckRun", "status")
    }
    if let conclusion = body["conclusion"].string, !conclusions.contains(conclusion) { throw .invalid("CheckRun", "conclusion") }
    if body["status"].string == "completed", body["conclusion"].string == nil {
      throw .invalid("CheckRun", "conclusion", code: "missing_field")
    }
    if (body["actions"].array?.count ?? 0) > 3 { throw .invalid("CheckRun", "actions", "has at most 3 items") }
    let output = body["output"]
    guard output.object != nil else { return }
    for field in ["title", "summary"] where output[field].string == nil {
      throw .invalid("CheckRun", "output.\(field)", code: "missing_field")
    }
    for (field, limit) in [("title", 255), ("summary", 65_535), ("text", 65_535)] where (output[field].string?.count ?? 0) > limit {
      throw .invalid("CheckRun", "output.\(field)", "has at most \(limit) characters")
    }
    let annotations = output["annotations"].array ?? []
    guard annotations.count <= 50 else { throw .invalid("CheckRun", "output.annotations", "has at most 50 items a request") }
    for annotation in annotations {
      guard annotation["path"].string != nil, annotation["start_line"].int != nil, annotation["end_line"].int != nil,
        annotation["message"].string != nil, ["notice", "warning", "failure"].contains(annotation["annotation_level"].string)
      else { throw .invalid("CheckRun", "output.annotations") }
    }
  }

  func shape(_ record: CheckRunRecord) throws(Refusal) -> JSON {
    let fields = record.fields
    let url = "\(baseURL)/repos/\(record.repository)/check-runs/\(record.id)"
    guard let app = configuration.app else { throw .notFound }
    let repository = repositories[record.repository.lowercased()]
    return [
      "id": .int(record.id), "head_sha": .string(record.headSHA), "node_id": .string(Shapes.nodeID("CheckRun", record.id)),
      "external_id": .string(fields["external_id"].string ?? ""), "url": .string(url),
      "html_url": "\(baseURL)/\(record.repository)/runs/\(record.id)",
      "details_url": .string(fields["details_url"].string ?? "\(baseURL)/\(record.repository)/runs/\(record.id)"),
      "status": fields["status"],
      "conclusion": fields["conclusion"], "started_at": fields["started_at"], "completed_at": fields["completed_at"],
      "output": [
        "title": fields["output"]["title"], "summary": fields["output"]["summary"], "text": fields["output"]["text"],
        "annotations_count": .int(Int64(record.annotations.count)), "annotations_url": "\(url)/annotations",
      ], "name": fields["name"], "check_suite": ["id": .int(record.suiteID)], "app": shapes.app(app, since: repository?.createdAt ?? now()),
      "pull_requests": [],
    ]
  }

  /// - Throws: 422 for a bad state, a description above 140 characters, an unknown commit, or more than 1,000 of one context.
  func createStatus(_ body: JSON, at sha: String, in repository: RepositoryRecord) throws(Refusal) -> JSON {
    guard repository.commits[sha] != nil else { throw Refusal(422, "No commit found for SHA: \(sha)") }
    guard let state = body["state"].string else { throw .invalid("Status", "state", code: "missing_field") }
    guard ["error", "failure", "pending", "success"].contains(state) else { throw .invalid("Status", "state") }
    if let description = body["description"].string, description.count > 140 {
      throw .invalid("Status", "description", code: "custom", "description is too long (maximum is 140 characters)")
    }
    let context = body["context"].string ?? "default"
    let key = "\(repository.fullName)@\(sha)"
    guard statuses[key, default: []].count(where: { $0["context"].string?.lowercased() == context.lowercased() }) < 1000 else {
      throw Refusal(422, "This SHA and context has reached the maximum number of statuses.")
    }
    let id = makeID()
    let creator = shapes.user("octocat")
    let status: JSON = [
      "url": "\(baseURL)/repos/\(repository.fullName)/statuses/\(sha)", "avatar_url": creator["avatar_url"], "id": .int(id),
      "node_id": .string(Shapes.nodeID("StatusContext", id)), "state": .string(state), "description": body["description"],
      "target_url": body["target_url"], "context": .string(context), "created_at": .time(now()), "updated_at": .time(now()),
      "creator": creator,
    ]
    statuses[key, default: []].insert(status, at: 0)
    return status
  }

  func statuses(of repository: RepositoryRecord, at ref: String) throws(Refusal) -> [JSON] {
    guard let commit = repository.commit(at: ref) else { throw .notFound }
    return statuses["\(repository.fullName)@\(commit.sha)"] ?? []
  }
}
