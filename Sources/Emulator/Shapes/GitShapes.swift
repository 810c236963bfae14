import Crypto
import Foundation

/// Git's objects as REST shows them.
extension Shapes {
  func reference(_ name: String, to sha: String, in repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)/git"
    return [
      "ref": .string(name), "node_id": .string(Data("03:Ref\(repository.id):\(name)".utf8).base64EncodedString()),
      "url": "\(url)/\(name)", "object": ["type": "commit", "sha": .string(sha), "url": "\(url)/commits/\(sha)"],
    ]
  }

  /// The first level, as without `recursive`.
  func tree(_ sha: String, of files: [String: String], in repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)/git"
    let groups = Dictionary(grouping: files.keys) { String($0.prefix { $0 != "/" }) }
    let entries = groups.keys.sorted().map { name -> JSON in
      if let text = files[name] {
        let blob = Self.blobSHA(of: text)
        return [
          "path": .string(name), "mode": "100644", "type": "blob", "size": .int(Int64(text.utf8.count)), "sha": .string(blob),
          "url": "\(url)/blobs/\(blob)",
        ]
      }
      let below = files.filter { $0.key.hasPrefix(name + "/") }
      let tree = EmulatedGitHub.treeSHA(of: Dictionary(uniqueKeysWithValues: below.map { (String($0.dropFirst(name.count + 1)), $1) }))
      return ["path": .string(name), "mode": "040000", "type": "tree", "sha": .string(tree), "url": "\(url)/trees/\(tree)"]
    }
    return ["sha": .string(sha), "url": "\(url)/trees/\(sha)", "tree": .array(entries), "truncated": false]
  }

  func gitCommit(_ commit: Commit, parents: [String], in repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)/git"
    let page = "\(baseURL)/\(repository.fullName)/commit"
    let person: JSON = ["name": "Octocat", "email": "octocat@example.invalid", "date": .time(commit.date)]
    return [
      "sha": .string(commit.sha), "node_id": .string(Data("06:Commit\(repository.id):\(commit.sha)".utf8).base64EncodedString()),
      "url": "\(url)/commits/\(commit.sha)", "html_url": "\(page)/\(commit.sha)", "author": person, "committer": person,
      "message": .string(commit.message), "tree": ["sha": .string(commit.treeSHA), "url": "\(url)/trees/\(commit.treeSHA)"],
      "parents": .array(parents.map { ["sha": .string($0), "url": "\(url)/commits/\($0)", "html_url": "\(page)/\($0)"] }),
      "verification": ["verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil],
    ]
  }

  /// A blob's SHA as git makes it.
  static func blobSHA(of text: String) -> String {
    let data = Data(text.utf8)
    return Insecure.SHA1.hash(data: Data("blob \(data.count)\0".utf8) + data).hexadecimal
  }
}
