import Engines

extension ConfigurationSchema {
  static let docker =
    [
      ConfigurationKey(
        path: "docker.host", kind: .url(schemes: ["unix"], refused: ["tcp", "ssh", "http", "https"]),
        standard: "unix:///var/run/docker.sock",
        environment: "DOCKER_HOST",
        summary: "The socket of this machine's daemon, the host `docker` of pools of the engine `docker`. Not used where `hosts` are named."
      ),
      ConfigurationKey(
        path: "docker.network", kind: .nonEmpty, standard: "bridge",
        summary:
          "The network of their containers: one that the daemon has, or `isolated`: each gets one of its own, and none reaches another (docs/fleet.md)."
      ),
      ConfigurationKey(
        path: "docker.subnets", kind: .nonEmpty, standard: "\(DockerSubnets.standard)",
        summary:
          "IPv4 range, `A.B.C.D/8` to `/24`, from which `isolated` networks get sixteen addresses each. Nothing else on the hosts may use it."
      ),
      ConfigurationKey(
        path: "docker.pull", kind: .choice(DockerSettings.Pull.allCases.map(\.rawValue)), standard: "missing",
        summary: "When a pool's image is fetched from its registry: when it is `missing` on the host, or `never`."),
      ConfigurationKey(
        path: "docker.user", kind: .integer(0...2_000_000), standard: "1001",
        summary: "User id of runners; in GitHub's image `runner` is 1001."),
      ConfigurationKey(
        path: "docker.starts", kind: .integer(1...1000), standard: "8",
        summary: "Containers that the daemon starts at once. About twice the host's cores: more only wait for each other."),
      ConfigurationKey(
        path: "docker.gpus", kind: .integer(0...1024), standard: "0",
        summary: "GPUs of this machine that containers may be given, each to one at a time. The daemon does not tell how many there are."),
      ConfigurationKey(
        path: "docker.processes", kind: .integer(16...1_000_000), standard: "4096",
        summary: "Processes and threads of a container at most."),
    ] + hosts + registries

  private static let registries = [
    ConfigurationKey(
      path: "registries.*.host", kind: .nonEmpty,
      summary: "A registry that asks for a log-in, as image names begin: `ghcr.io`; `docker.io` is Docker's own."),
    ConfigurationKey(path: "registries.*.user", kind: .nonEmpty, summary: "Name to log in with."),
    ConfigurationKey(path: "registries.*.password", kind: .nonEmpty, isSecret: true, summary: "Password or token to log in with."),
  ]

  private static let hosts = [
    ConfigurationKey(
      path: "hosts.*.address", kind: .url(schemes: ["unix", "tcp", "ssh"]),
      summary:
        "A Docker daemon: `unix:///PATH`, `tcp://HOST:PORT` with mutual TLS, or `ssh://USER@HOST:PORT/PATH-OF-SOCKET`, where only the host must be given and ssh's own configuration says the rest."
    ),
    ConfigurationKey(
      path: "hosts.*.tls-authority", kind: .nonEmpty,
      summary: "File (PEM) with the certificate of the authority that signed the daemon's; no other is trusted. With `tcp://`."),
    ConfigurationKey(
      path: "hosts.*.tls-certificate", kind: .nonEmpty, summary: "File (PEM) with RunnerHub's own certificate. With `tcp://`."),
    ConfigurationKey(path: "hosts.*.tls-key", kind: .nonEmpty, summary: "File (PEM) with the key of that certificate. With `tcp://`."),
    ConfigurationKey(
      path: "hosts.*.gpus", kind: .integer(0...1024), standard: "0", summary: "GPUs of this host that containers may be given."),
    ConfigurationKey(
      path: "hosts.*.starts", kind: .integer(1...1000), standard: "8", summary: "Containers that this daemon starts at once."),
  ]
}
