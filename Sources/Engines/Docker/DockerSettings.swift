/// What an operator can set of the Docker engine, for all its hosts.
package struct DockerSettings: Sendable, Hashable {
  /// When an image is fetched from its registry.
  package enum Pull: String, Sendable, CaseIterable {
    /// When the host does not have it.
    case missing
    /// Images are put there by somebody else.
    case never
  }

  /// The network of all containers: `bridge`, `none`, or one that exists; `isolated`: each has one of its own.
  package var network: String
  package var pull: Pull
  /// The user id of runners; GitHub's image has its `runner` as 1001.
  package var user: Int
  /// Processes and threads of a container at most.
  package var processes: Int
  /// Of a container's log, in MiB, that Docker keeps twice: as long as RunnerHub comes by before so much was written, nothing is lost.
  package var logMebibytes: Int
  /// For a pull without progress: a registry that dies in the middle is noticed by the daemon after 75 s.
  package var pullPatience: Duration
  /// Where the subnets of such networks are taken from.
  package var subnets: DockerSubnets
  /// Registries that ask for a log-in.
  package var registries: [DockerRegistry]

  package init(
    network: String = "bridge", pull: Pull = .missing, user: Int = 1001, processes: Int = 4096,
    logMebibytes: Int = 64, pullPatience: Duration = .seconds(120), registries: [DockerRegistry] = [],
    subnets: DockerSubnets = .standard
  ) {
    self.network = network
    self.pull = pull
    self.user = user
    self.processes = processes
    self.logMebibytes = logMebibytes
    self.pullPatience = pullPatience
    self.registries = registries
    self.subnets = subnets
  }
}
