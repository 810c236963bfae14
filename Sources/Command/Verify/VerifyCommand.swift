import ArgumentParser
import Foundation
import Domain

/// `runnerhub verify`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Try the whole line on a real account, step by step.", subcommands: [GitHub.self])

  /// `runnerhub verify github`
  struct GitHub: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "github",
      abstract: "Run two small jobs of a repository at GitHub in containers of this machine, and say what was seen.",
      discussion: """
        Takes a private repository made for it and a token that may administer it (docs/verify-github.md). Makes a branch of its own with one
        workflow, starts `serve` on it, and takes away all that it made. GitHub cannot reach this machine, so it asks GitHub for the jobs and
        passes on to serve what a webhook would have told. Ends with 0 only if every step passed.
        Example: runnerhub verify github --repository acme/sandbox --token-file token.txt --image /opt/actions-runner
        """)

    @Option(help: "OWNER/NAME of a repository that jobs may run in.")
    var repository: String

    @Option(help: "The file that holds a personal access token.")
    var tokenFile: String

    @Option(help: "The REST API; GitHub Enterprise Server: https://HOST/api/v3.")
    var apiURL = VerifyPlan.publicAPI

    @Option(help: "Where containers run: process (no isolation), or docker.")
    var engine = DemoEngine.Kind.process

    @Option(help: "GitHub's runner: with the engine process the folder where it is unpacked, with docker an image.")
    var image: String

    @Option(help: "The daemon's socket, for --engine docker.")
    var dockerHost = "unix:///var/run/docker.sock"

    @Option(help: "The folder of policies.")
    var policies = "policies"

    @Flag(help: "Take a public repository too, though strangers could send it pull requests.")
    var allowPublic = false

    @Option(help: "Milliseconds between two looks at GitHub.")
    var interval = 3000

    @Option(help: "Seconds that the jobs get.")
    var timeLimit = 300

    func validate() throws {
      let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy(Self.isName) else {
        throw ValidationError("--repository is \"\(repository)\": expected OWNER/NAME")
      }
      guard (50...60_000).contains(interval) else { throw ValidationError("--interval is \(interval): expected 50 to 60000 milliseconds") }
      guard (1...3600).contains(timeLimit) else { throw ValidationError("--time-limit is \(timeLimit): expected 1 to 3600 seconds") }
      if engine == .process { try validateFolder() }
    }

    /// What GitHub would refuse anyway is said before anything is asked of it.
    private func validateFolder() throws {
      if image == VerifyPlan.standIn {
        guard apiURL != VerifyPlan.publicAPI else {
          throw ValidationError(
            "--image stand-in is the local GitHub's own runner, which GitHub does not know: unpack GitHub's, and name its folder")
        }
        return
      }
      guard image.hasPrefix("/"), FileManager.default.isExecutableFile(atPath: "\(image)/run.sh") else {
        throw ValidationError(
          "--image is \"\(image)\": expected an absolute folder with GitHub's runner (run.sh), from https://github.com/actions/runner/releases"
        )
      }
      guard geteuid() != 0 else {
        throw ValidationError("GitHub's runner refuses to run as root: call this as another user, or with --engine docker")
      }
    }

    private static func isName(_ part: Substring) -> Bool {
      !part.isEmpty && part != "." && part != ".." && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    func run() async throws {
      let plan = VerifyPlan(
        repository: repository, apiURL: apiURL.hasSuffix("/") ? String(apiURL.dropLast()) : apiURL,
        engine: engine == .docker ? .docker(host: dockerHost, image: image) : .process(image: image),
        policies: URL(filePath: policies).standardizedFileURL.path(percentEncoded: false), allowsPublic: allowPublic,
        interval: .milliseconds(interval), timeLimit: .seconds(timeLimit), token: try Self.token(in: tokenFile),
        identities: RandomIdentitySource())
      let outcome = try await Verification.run(plan)
      if outcome.isInterrupted { throw ExitCode(130) }
      if !outcome.isWhole { throw ExitCode.failure }
    }

    private static func token(in file: String) throws -> String {
      guard let data = FileManager.default.contents(atPath: file) else { throw ValidationError("--token-file \(file) cannot be read") }
      let token = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      guard !token.isEmpty, !token.contains(where: \.isWhitespace) else {
        throw ValidationError("--token-file \(file) must hold one token and nothing else")
      }
      return token
    }
  }
}
