import Foundation

/// Files at a commit.
extension Route {
  static let contents: [Route] = [
    Route("GET", "/repos/{owner}/{repo}/contents/{*path}", .permission("contents", "read")) { call, github in
      let repository = try await github.repository(call)
      let path = call.text("path")
      guard let commit = repository.commit(at: call[query: "ref"]) else {
        throw Refusal(404, "No commit found for the ref \(call[query: "ref"] ?? "")")
      }
      let reference = call[query: "ref"] ?? repository.defaultBranch
      let base = await github.baseURL
      if let text = commit.files[path] {
        if (call.header("Accept") ?? "").contains("raw") { return .text(text, type: "application/vnd.github.raw+json; charset=utf-8") }
        return .json(entry(path, text: text, in: repository, reference: reference, base: base, isListed: false))
      }
      let inside = commit.files.filter { $0.key.hasPrefix(path + "/") }
      guard !inside.isEmpty else { throw Refusal.notFound }
      let children = inside.filter { !$0.key.dropFirst(path.count + 1).contains("/") }.sorted { $0.key < $1.key }
      return .json(
        .array(children.map { entry($0.key, text: $0.value, in: repository, reference: reference, base: base, isListed: true) }))
    }
  ]

  private static func entry(
    _ path: String, text: String, in repository: RepositoryRecord, reference: String, base: String, isListed: Bool
  ) -> JSON {
    let data = Data(text.utf8)
    let sha = Shapes.blobSHA(of: text)
    let url = "\(base)/repos/\(repository.fullName)/contents/\(path)?ref=\(reference)"
    let git = "\(base)/repos/\(repository.fullName)/git/blobs/\(sha)"
    let html = "\(base)/\(repository.fullName)/blob/\(reference)/\(path)"
    let entry: JSON = [
      "type": "file", "size": .int(Int64(data.count)), "name": .string(path.split(separator: "/").last.map(String.init) ?? path),
      "path": .string(path), "sha": .string(sha), "url": .string(url), "git_url": .string(git), "html_url": .string(html),
      "download_url": "\(base)/\(repository.fullName)/raw/\(reference)/\(path)",
      "_links": ["self": .string(url), "git": .string(git), "html": .string(html)],
    ]
    if isListed { return entry }
    return entry.merging(["encoding": "base64", "content": .string(data.base64EncodedString(options: .lineLength76Characters) + "\n")])
  }
}
