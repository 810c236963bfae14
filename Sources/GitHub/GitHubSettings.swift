package import Foundation

/// How RunnerHub proves to GitHub who it is. Its texts are secret: no description, dump or error shows them.
package enum GitHubCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// A personal access token, classic or fine-grained: opaque, of any length.
  case token(String)
  /// A GitHub App: its client id or app id, and its private key (PEM, PKCS#1 or PKCS#8).
  case app(id: String, privateKeyPEM: String)

  package var description: String {
    switch self {
    case .token: "token"
    case .app(let id, _): "app \(id)"
    }
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Where GitHub is, and how hard it may be asked.
package struct GitHubSettings: Sendable {
  /// `https://api.github.com`, `https://HOST/api/v3` of an Enterprise Server, or the emulator's address; without a slash at its end.
  package var baseURL: String
  /// Sent with each request; GitHub refuses requests without it.
  package var userAgent: String
  /// `X-GitHub-Api-Version`.
  package var apiVersion: String
  /// Seconds to wait for a connection, for the head of an answer, and between two parts of its body.
  package var timeoutSeconds: Int64
  /// The largest answer that is read, in bytes.
  package var maximumAnswerBytes: Int
  /// Requests under way at once. GitHub's own limit is 100 (secondary rate limit).
  package var maximumConcurrentRequests: Int
  /// Further tries of a reading request after a 5xx or a lost connection.
  package var maximumRetries: Int
  /// The pause before the first of them; it doubles each time and is shortened by up to a half at random.
  package var retryPause: Duration

  package init(
    baseURL: String = "https://api.github.com", userAgent: String = "RunnerHub", apiVersion: String = "2022-11-28",
    timeoutSeconds: Int64 = 30, maximumAnswerBytes: Int = 32 << 20, maximumConcurrentRequests: Int = 32, maximumRetries: Int = 3,
    retryPause: Duration = .milliseconds(500)
  ) {
    self.baseURL = baseURL
    self.userAgent = userAgent
    self.apiVersion = apiVersion
    self.timeoutSeconds = timeoutSeconds
    self.maximumAnswerBytes = maximumAnswerBytes
    self.maximumConcurrentRequests = maximumConcurrentRequests
    self.maximumRetries = maximumRetries
    self.retryPause = retryPause
  }
}

/// The ways in for time and chance.
package struct GitHubTiming: Sendable {
  package var now: @Sendable () -> Date
  /// Measures the pauses between tries.
  package var clock: any Clock<Duration>
  /// 0 up to, not including, 1.
  package var chance: @Sendable () -> Double

  package init(
    now: @escaping @Sendable () -> Date = { Date() }, clock: any Clock<Duration> = ContinuousClock(),
    chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    self.now = now
    self.clock = clock
    self.chance = chance
  }
}
