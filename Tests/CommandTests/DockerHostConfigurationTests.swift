import Domain
import Engines
import Foundation
import RunnerHub
import Testing

@testable import Command

@Suite("Docker hosts and registries in the configuration")
struct DockerHostConfigurationTests {
  private let hosts = """
    hosts:
      near: { address: 'unix:///run/near.sock' }
      build-2: { address: 'tcp://build-2.acme.com:2376', tls-authority: ca.pem, tls-certificate: cert.pem, tls-key: key.pem, gpus: 2, starts: 4 }
      build-3: { address: 'ssh://runner@build-3.acme.com:2222/run/user/1001/docker.sock' }
    """
  private let pool = "\npools: { a: { engine: docker, image: 'ghcr.io/acme/runner:1' } }"

  @Test("a pool has all hosts, or those that it names")
  func pools() throws {
    let all = try Given(hosts + pool).configuration()
    #expect(all.settings.pools[0].hosts == ["docker://near", "docker://build-2", "docker://build-3"])
    #expect(all.dockerHosts.map(\.name) == all.settings.pools[0].hosts)
    #expect(
      all.dockerHosts.map(\.address) == [
        .unix(path: "/run/near.sock"),
        .tcp(
          host: "build-2.acme.com", port: 2376, DockerCertificates(authority: "ca.pem", certificate: "cert.pem", key: "key.pem")),
        .ssh(SSHDestination(user: "runner", host: "build-3.acme.com", port: 2222, socket: "/run/user/1001/docker.sock")),
      ])
    #expect(all.dockerHosts.map(\.gpus) == [0, 2, 0])
    #expect(all.settings.startsByEngine["docker://build-2"] == 4)
    let some = try Given(hosts + "\npools: { a: { engine: docker, image: 'a:1', hosts: [build-2, docker] } }").configuration()
    #expect(some.settings.pools[0].hosts == ["docker://build-2", "docker"])
    #expect(some.dockerHosts.map(\.name) == ["docker://build-2", "docker"])
    #expect(try Given(pool).configuration().settings.pools[0].hosts == ["docker"])
  }

  @Test("a log-in has three parts, and its password is nowhere shown")
  func registries() throws {
    let file = "registries: { ghcr: { host: ghcr.io, user: acme, password-file: token } }" + pool
    let configuration = try Given(file, files: ["token": "t0p\n"]).configuration()
    let registries = try #require(configuration.docker?.registries)
    #expect(registries == [DockerRegistry(host: "ghcr.io", user: "acme", password: "t0p")])
    var dumped = ""
    dump(configuration.docker, to: &dumped)
    dump(configuration, to: &dumped)
    #expect(!dumped.contains("t0p"))
    #expect(
      Given("registries: { ghcr: { host: ghcr.io, user: acme } }").problems == [
        "registries.ghcr lacks password: a log-in needs host, user and password"
      ])
  }

  @Test(
    "what cannot be reached safely is refused with what to do",
    arguments: [
      (
        "hosts: { a: { address: 'tcp://10.0.0.1:2376' } }",
        "hosts.a.address is \"tcp://10.0.0.1:2376\" (runnerhub.yaml:1:24): who reaches the port of a daemon is root there, so only mutual TLS will do: set hosts.a.tls-authority, hosts.a.tls-certificate, hosts.a.tls-key"
      ),
      (
        "hosts: { a: { address: 'tcp://10.0.0.1' } }",
        "hosts.a.address is \"tcp://10.0.0.1\" (runnerhub.yaml:1:24): expected tcp://HOST:PORT, such as tcp://build-2.acme.com:2376"
      ),
      (
        "hosts: { a: { address: 'ssh://-oProxyCommand=x' } }",
        "hosts.a.address is \"ssh://-oProxyCommand=x\" (runnerhub.yaml:1:24): expected ssh://HOST, ssh://USER@HOST:PORT or ssh://HOST/PATH-OF-SOCKET"
      ),
      (
        "hosts: { a: { address: 'unix://a.sock' } }",
        "hosts.a.address is \"unix://a.sock\" (runnerhub.yaml:1:24): expected unix:// and an absolute path of at most 107 bytes"
      ),
      (
        "hosts: { docker: { address: 'unix:///a.sock' } }",
        "hosts.docker: the name docker is that of the daemon of docker.host; choose another"
      ),
      ("hosts: { a: { starts: 3 } }", "hosts.a.address is not set: expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST"),
      (
        "hosts: { a: { address: 'unix:///a.sock' } }\npools: { p: { engine: docker, image: 'a:1', hosts: [b] } }",
        "pools.p.hosts names \"b\" (runnerhub.yaml:2:52): expected a host of the section hosts, or docker for the daemon of docker.host – did you mean a?"
      ),
      (
        "pools: { p: { engine: process, hosts: [docker] } }",
        "pools.p.hosts is set (runnerhub.yaml:1:39), but the pool's engine is process: only docker has hosts"
      ),
    ])
  func refused(_ file: String, _ problem: String) {
    #expect(Given(file).problems == [problem])
  }
}
