package import JSON

/// What a provider reads on standard input for CreateInstance (garm-provider-common, `params/params.go`). Its keys are spelled in two ways there.
package struct BootstrapInstance: Hashable, Sendable, Encodable {
  /// One of GitHub's runner applications.
  package struct Tool: Hashable, Sendable, Encodable {
    package var os: String
    package var architecture: String
    package var downloadURL: String
    package var filename: String
    package var checksum: String
    package var token = ""

    enum CodingKeys: String, CodingKey {
      case os, architecture, filename
      case downloadURL = "download_url"
      case checksum = "sha256_checksum"
      case token = "temp_download_token"
    }
  }

  package struct UserDataOptions: Hashable, Sendable, Encodable {
    package var disablesUpdates = false
    package var extraPackages: [String] = []
    package var enablesBootDebug = false

    enum CodingKeys: String, CodingKey {
      case disablesUpdates = "disable_updates_on_boot"
      case extraPackages = "extra_packages"
      case enablesBootDebug = "enable_boot_debug"
    }
  }

  package var name: String
  package var tools: [Tool]
  package var repositoryURL: String
  package var callbackURL: String
  package var metadataURL: String
  package var token: String
  package var sshKeys: [String] = []
  package var extraSpecs: JSONValue
  package var runnerGroup = ""
  /// base64 of PEM.
  package var certificates: String?
  package var architecture: String
  package var osType: String
  package var flavor: String
  package var image: String
  package var labels: [String] = []
  package var poolID: String
  package var options = UserDataOptions()
  package var usesJIT = true
  package var proxy: [String: String] = [:]

  enum CodingKeys: String, CodingKey {
    case name, tools, flavor, image, labels
    case repositoryURL = "repo_url"
    case callbackURL = "callback-url"
    case metadataURL = "metadata-url"
    case token = "instance-token"
    case sshKeys = "ssh-keys"
    case extraSpecs = "extra_specs"
    case runnerGroup = "github-runner-group"
    case certificates = "ca-cert-bundle"
    case architecture = "arch"
    case osType = "os_type"
    case poolID = "pool_id"
    case options = "user_data_options"
    case usesJIT = "jit_config_enabled"
    case proxy = "proxy_config"
  }
}
