import Domain
import Web

/// The repository of the demonstration: its workflows, and how each of their jobs must end.
enum DemoRepository {
  static let name = "acme/storefront"

  /// Pushed first. The `release` event that follows starts the deployment while these jobs wait.
  static let pushed = [
    ".github/workflows/ci.yml": text(PackageResources.ci_yml), ".github/workflows/desktop.yml": text(PackageResources.desktop_yml),
    ".github/workflows/security.yml": text(PackageResources.security_yml), ".github/workflows/tests.yml": text(PackageResources.tests_yml),
  ]
  static let released = [".github/workflows/release.yml": text(PackageResources.release_yml)]

  /// How a job must end.
  enum Ending {
    case success, failure, forwarded, refused

    /// What is wrong with a row; nil: it ended as it should.
    func complaint(about row: JobRow) -> String? {
      let hasEndedSo =
        switch self {
        case .success: row.state == .completed && row.conclusion == .success && row.route == .orchestrator
        case .failure: row.state == .completed && row.conclusion == .failure && row.route == .orchestrator
        case .forwarded: row.route == .traditional && row.state == .completed && row.container == nil
        case .refused: row.isRefused && row.state.isFinal && row.container == nil
        }
      return hasEndedSo
        ? nil
        : "\(row.name) should have ended as \(self), but is \(row.isRefused ? "refused, " : "")\(row.state.rawValue) \(row.conclusion?.word ?? "")"
    }
  }

  static let endings: [String: Ending] = {
    var endings: [String: Ending] = [
      "lint": .success, "unit-tests": .failure, "integration-tests": .success, "documentation": .success, "installer": .forwarded,
      "scan": .refused, "deploy": .success,
    ]
    for os in ["ubuntu", "debian", "alpine"] { for profile in ["debug", "release"] { endings["build (\(os), \(profile))"] = .success } }
    return endings
  }()

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
