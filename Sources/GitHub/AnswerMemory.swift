import NIOHTTP1
import Synchronization

/// Answers kept with their ETags: asked for again with `If-None-Match`, an unchanged one is a 304, which costs nothing of the primary limit.
/// Tags depend on the credential and on `Accept`.
///
/// Bounded by bytes: when they are used up, those go that were not asked for lately, down to half.
final class AnswerMemory: Sendable {
  fileprivate struct Key: Hashable {
    let credential: String
    let target: String
    let accept: String
  }
  private struct Entry {
    let response: GitHubResponse
    let bytes: Int
    var lastUse: Int
  }
  private struct Entries {
    var byKey: [Key: Entry] = [:]
    var bytes = 0
    var uses = 0

    mutating func use(_ key: Key) -> GitHubResponse? {
      guard var entry = byKey[key] else { return nil }
      uses += 1
      entry.lastUse = uses
      byKey[key] = entry
      return entry.response
    }

    mutating func add(_ response: GitHubResponse, _ key: Key, bytes added: Int, capacity: Int) {
      remove(key)
      if bytes + added > capacity {
        for (oldest, _) in byKey.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
          if bytes <= capacity / 2 { break }
          remove(oldest)
        }
      }
      uses += 1
      bytes += added
      byKey[key] = Entry(response: response, bytes: added, lastUse: uses)
    }

    mutating func remove(_ key: Key) {
      if let entry = byKey.removeValue(forKey: key) { bytes -= entry.bytes }
    }
  }
  private let entries = Mutex(Entries())
  /// Of all answers, in bytes.
  private let capacity: Int
  /// Larger ones are not kept, in bytes of the body.
  private let largest: Int
  /// What an answer takes beside its texts, about, in bytes.
  private static let overhead = 256

  init(capacity: Int = 8 << 20, largest: Int = 64 << 10) {
    self.capacity = capacity
    self.largest = largest
  }

  /// Of the answers kept now.
  var bytes: Int { entries.withLock { $0.bytes } }

  /// The tag to show for a request, if an answer to it is kept.
  func tag(for request: GitHubRequest, credential: String) -> String? {
    guard request.isRemembered else { return nil }
    return entries.withLock { $0.use(Key(request, credential)) }?.headers.first(name: "etag")
  }

  /// The answer that counts: a 304 stands for the kept one.
  func settle(_ response: GitHubResponse, to request: GitHubRequest, credential: String) -> GitHubResponse {
    guard request.isRemembered else { return response }
    let key = Key(request, credential)
    let bytes = Self.size(of: response, key)
    return entries.withLock { entries in
      if response.status == 304, let kept = entries.use(key) { return kept }
      let isKept = response.status == 200 && response.headers.contains(name: "etag")
      if isKept, response.body.count <= largest, bytes <= capacity / 2 {
        entries.add(response, key, bytes: bytes, capacity: capacity)
      } else {
        entries.remove(key)
      }
      return response
    }
  }

  private static func size(of response: GitHubResponse, _ key: Key) -> Int {
    let texts = key.credential.utf8.count + key.target.utf8.count + key.accept.utf8.count
    return response.headers.reduce(overhead + texts + response.body.count) { $0 + $1.name.utf8.count + $1.value.utf8.count }
  }
}

extension AnswerMemory.Key {
  fileprivate init(_ request: GitHubRequest, _ credential: String) {
    self.init(credential: credential, target: request.target, accept: request.accept)
  }
}
