import NIOHTTP1
import Synchronization

/// Answers kept with their ETags: asked for again with `If-None-Match`, an unchanged one is a 304, which costs nothing of the primary limit.
/// Tags depend on the credential and on `Accept`.
final class AnswerMemory: Sendable {
  fileprivate struct Key: Hashable {
    let credential: String
    let target: String
    let accept: String
  }
  private let answers = Mutex<[Key: GitHubResponse]>([:])
  private let capacity: Int
  /// Larger ones are not kept, in bytes.
  private let largest: Int

  init(capacity: Int = 2048, largest: Int = 64 << 10) {
    self.capacity = capacity
    self.largest = largest
  }

  /// The tag to show for a request, if an answer to it is kept.
  func tag(for request: GitHubRequest, credential: String) -> String? {
    guard request.isRemembered else { return nil }
    return answers.withLock { $0[Key(request, credential)]?.headers.first(name: "etag") }
  }

  /// The answer that counts: a 304 stands for the kept one.
  func settle(_ response: GitHubResponse, to request: GitHubRequest, credential: String) -> GitHubResponse {
    guard request.isRemembered else { return response }
    return answers.withLock { answers in
      let key = Key(request, credential)
      if response.status == 304, let kept = answers[key] { return kept }
      if response.status == 200, response.headers.contains(name: "etag"), response.body.count <= largest {
        if answers.count >= capacity, answers[key] == nil { answers.removeAll(keepingCapacity: true) }
        answers[key] = response
      } else {
        answers[key] = nil
      }
      return response
    }
  }
}

extension AnswerMemory.Key {
  fileprivate init(_ request: GitHubRequest, _ credential: String) {
    self.init(credential: credential, target: request.target, accept: request.accept)
  }
}
