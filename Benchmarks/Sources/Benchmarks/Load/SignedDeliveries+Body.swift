extension SignedDeliveries {
  /// The members that GitHub sends for a queued job of an organisation's repository, filled up to `bodyBytes` with custom properties.
  static func body(id: Int64, labels: [String]) -> String {
    let api = "https://api.github.com/repos/acme/storefront"
    let start = """
      {"action":"queued","workflow_job":{"id":\(id),"run_id":4747967848,"workflow_name":"CI","head_branch":"main",\
      "run_url":"\(api)/actions/runs/4747967848","run_attempt":1,"node_id":"CR_kwDOI0B2Tc8AAAAC_5Dqgw",\
      "head_sha":"16c5286e8d9a0629956a28938386b36608707a71","url":"\(api)/actions/jobs/12877621891",\
      "html_url":"https://github.com/acme/storefront/actions/runs/4747967848/jobs/8433573014","status":"queued","conclusion":null,\
      "created_at":"2026-04-19T21:12:12Z","started_at":"2026-04-19T21:12:12Z","completed_at":null,"name":"build (ubuntu, debug)",\
      "steps":[],"check_run_url":"\(api)/check-runs/12877621891","labels":[\(labels.map { "\"\($0)\"" }.joined(separator: ","))],"runner_id":null,\
      "runner_name":null,"runner_group_id":null,"runner_group_name":null},\
      "repository":{"id":591427149,"node_id":"R_kgDOI0B2TQ","name":"storefront","full_name":"acme/storefront","private":true,\
      "owner":\(account("acme", id: 9876543, type: "Organization")),"html_url":"https://github.com/acme/storefront",\
      "description":"The shop","fork":false,"url":"\(api)",\(addresses(api)),"created_at":"2023-01-20T18:44:27Z",\
      "updated_at":"2026-01-20T18:44:27Z","pushed_at":"2026-04-19T21:12:09Z","size":44172,"stargazers_count":12,"watchers_count":12,\
      "language":"Swift","has_issues":true,"has_wiki":false,"archived":false,"disabled":false,"visibility":"private",\
      "forks":2,"open_issues":31,"watchers":12,"default_branch":"main","custom_properties":{
      """
    let end = """
      }},"organization":\(account("acme", id: 9876543, type: "Organization")),\
      "sender":\(account("octocat", id: 583231, type: "User")),"installation":{"id":18995746,"node_id":"MDIzOkludGVn"}}
      """
    let room = bodyBytes - start.utf8.count - end.utf8.count
    return start + properties(bytes: room) + end
  }

  private static func account(_ login: String, id: Int, type: String) -> String {
    let api = "https://api.github.com/users/\(login)"
    let parts = ["followers", "subscriptions", "orgs", "repos", "received_events", "events", "hooks", "issues", "members"]
    return """
      {"login":"\(login)","id":\(id),"node_id":"MDQ6VXNlcjU4MzIzMQ==","avatar_url":"https://avatars.githubusercontent.com/u/\(id)?v=4",\
      "url":"\(api)","html_url":"https://github.com/\(login)",\(parts.map { "\"\($0)_url\":\"\(api)/\($0)\"" }.joined(separator: ",")),\
      "type":"\(type)","site_admin":false}
      """
  }

  private static func addresses(_ api: String) -> String {
    let names = [
      "forks", "keys", "collaborators", "teams", "hooks", "issue_events", "events", "assignees", "branches", "tags", "blobs", "git_tags",
      "git_refs", "trees", "statuses", "languages", "stargazers", "contributors", "subscribers", "subscription", "commits", "git_commits",
      "comments", "issue_comment", "contents", "compare", "merges", "archive", "downloads", "issues", "pulls", "milestones",
      "notifications", "labels", "releases", "deployments",
    ]
    return names.map { "\"\($0)_url\":\"\(api)/\($0){/number}\"" }.joined(separator: ",")
  }

  /// Members of an object in exactly so many bytes.
  private static func properties(bytes: Int) -> String {
    var text = ""
    var number = 0
    while text.utf8.count + 120 < bytes {
      number += 1
      text += "\"team-property-\(number)\":\"a value that somebody chose for property \(number)\","
    }
    let last = "\"note\":\""
    return text + last + String(repeating: "x", count: max(0, bytes - text.utf8.count - last.utf8.count - 1)) + "\""
  }
}
