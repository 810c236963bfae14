internal import Domain
internal import Foundation
internal import RunnerHub

/// What Docker is asked to make for a spec. Pure.
struct DockerTemplate {
  let spec: ContainerSpec
  let installation: String
  let settings: DockerSettings

  /// The runner's home in an image.
  static let imageHome = "/home/runner"
  /// The home in a reusable container, whose root is read-only: a folder in a volume, filled from the image before each use.
  static let volumeHome = "\(volume)/home"
  static let volume = "/runnerhub"
  /// Everything that a job can write to in a reusable container.
  private static let volumes = [volume, "/tmp", "/var/tmp"]

  enum Label {
    static let installation = "runnerhub.installation"
    static let pool = "runnerhub.pool"
    /// All that was asked for, as JSON: what tells whether a container of this name is the one.
    static let spec = "runnerhub.spec"
  }

  static func home(isReusable: Bool) -> String { isReusable ? volumeHome : imageHome }

  /// Where PID 1 keeps what it knows: on the home's file system, as it must be for the hard links by which it follows pages.
  static func state(isReusable: Bool) -> String { isReusable ? "\(volume)/state" : "\(imageHome)/.runnerhub/state" }

  /// - Throws: `invalid` for what no container can be: Docker's own answers to these come late or name no cause.
  func check() throws(EngineError) {
    let resources = spec.resources
    let least = ByteCount(mebibytes: 6)
    guard resources.memory >= least else { throw .invalid("memory of \(resources.memory) is less than \(least)") }
    guard resources.milliCPUs >= 10 else { throw .invalid("\(resources.milliCPUs) thousandths of a core is nothing") }
    guard resources.gpus >= 0 else { throw .invalid("\(resources.gpus) GPUs cannot be asked for") }
    try RunnerEnvironment.check(spec.environment)
  }

  var creation: DockerShapes.Creation {
    let home = Self.home(isReusable: spec.isReusable)
    return DockerShapes.Creation(
      Image: spec.image, User: String(settings.user),
      // Given as text, so that making a container is one step, and no image needs to hold it.
      Entrypoint: ["/bin/sh", "-c", String(decoding: PackageResources.init_sh, as: UTF8.self), "runnerhub"], Cmd: [],
      Env: environment(home: home).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }, WorkingDir: "/",
      Labels: [Label.installation: installation, Label.pool: spec.pool, Label.spec: Self.text(of: spec)],
      HostConfig: hostConfig)
  }

  /// The same for equal specs.
  static func text(of spec: ContainerSpec) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and numbers always encode; a text that equals no other would at worst refuse an adoption.
    return (try? encoder.encode(spec)).map { String(decoding: $0, as: UTF8.self) } ?? "\(spec)"
  }

  /// What a container was made for, from its labels.
  static func spec(from labels: [String: String]) -> ContainerSpec? {
    labels[Label.spec].flatMap { try? JSONDecoder().decode(ContainerSpec.self, from: Data($0.utf8)) }
  }

  private func environment(home: String) -> [String: String] {
    var variables = [
      "HOME": home, "LANG": "C.UTF-8", "TMPDIR": "/tmp",
      // The real runner passes SIGTERM on to its listener only with this (its run.sh).
      "RUNNER_MANUALLY_TRAP_SIG": "1",
    ]
    if settings.user == 0 { variables["RUNNER_ALLOW_RUNASROOT"] = "1" }
    variables.merge(spec.environment) { _, given in given }
    variables["RUNNERHUB_HOME"] = home
    variables["RUNNERHUB_STATE"] = Self.state(isReusable: spec.isReusable)
    variables["RUNNERHUB_REUSABLE"] = spec.isReusable ? "1" : "0"
    if spec.isReusable {
      variables["RUNNERHUB_TEMPLATE"] = Self.imageHome
      variables["RUNNERHUB_WRITABLE"] = [home, Self.state(isReusable: true), "/tmp", "/var/tmp"].joined(separator: " ")
    }
    return variables
  }

  private var hostConfig: DockerShapes.HostConfig {
    let limits = Self.limits(of: spec.resources)
    var config = DockerShapes.HostConfig(
      Memory: limits.Memory, MemorySwap: limits.MemorySwap, NanoCpus: limits.NanoCpus, PidsLimit: Int64(settings.processes),
      NetworkMode: settings.network == DockerNetworks.apart ? spec.id.rawValue : settings.network,
      LogConfig: .init(Type: "json-file", Config: ["max-size": "\(settings.logMebibytes)m", "max-file": "2"]))
    if spec.resources.gpus > 0 { config.DeviceRequests = [.init(Count: spec.resources.gpus)] }
    guard spec.isReusable else { return config }
    config.ReadonlyRootfs = true
    config.CapDrop = ["ALL"]
    config.SecurityOpt = ["no-new-privileges"]
    // No tmpfs: what is put below one is answered with 200 and is not there.
    config.Mounts = Self.volumes.map { .init(Target: $0) }
    return config
  }

  static func limits(of resources: Resources) -> DockerShapes.Limits {
    DockerShapes.Limits(
      Memory: resources.memory.bytes, MemorySwap: resources.memory.bytes,
      NanoCpus: Int64(resources.milliCPUs).multipliedReportingOverflow(by: 1_000_000).partialValue)
  }
}
