import ArgumentParser
import Engines
import Foundation
import Subprocess
import SystemPackage

/// `runnerhub host prepare`
struct HostPrepareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Set up a Docker host's firewall for jobs on isolated networks.",
    discussion: """
      Run it as root on the host, after dockerd, and again after each restart of dockerd or of the firewall. It changes chains of its own
      (RUNNERHUB-INPUT, RUNNERHUB-FORWARD) and calls them from INPUT and DOCKER-USER. It can be done again at any time.
      Example: runnerhub host prepare --refuse 10.0.0.0/8 --allow 10.0.4.7
      Example: runnerhub host prepare --print | ssh root@build-2 sh
      """)

  @Option(help: ArgumentHelp("Networks that jobs must not reach, beside this host and link-local addresses.", valueName: "network"))
  var refuse: [String] = []
  @Option(help: ArgumentHelp("Addresses that they reach although a refused network holds them.", valueName: "address")) var allow:
    [String] = []
  @Flag(help: "Only look whether all is in force; ends with 1 where it is not.") var check = false
  @Flag(help: "Print a script that does it, for a host without RunnerHub.") var print = false

  func validate() throws {
    if check && self.print { throw ValidationError("--check and --print exclude each other") }
    for address in refuse + allow where !Self.isNetwork(address) {
      throw ValidationError("\(address) is no IPv4 address or network: expected A.B.C.D or A.B.C.D/LENGTH")
    }
  }

  private static func isNetwork(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    return bytes.count == 4 && bytes.allSatisfy { UInt8($0) != nil }
      && (parts.count == 1 || parts.count == 2 && Int(parts[1]).map { (0...32).contains($0) } == true)
  }

  func run() async throws {
    let firewall = HostFirewall(refused: refuse, allowed: allow)
    if self.print { return Swift.print(firewall.script, terminator: "") }
    if check { return try await report(firewall) }
    // Docker makes it; where the daemon has not come up yet, its own start takes over what is in it.
    _ = try await iptables(["-N", "DOCKER-USER"])
    try await must("iptables-restore", ["--noflush"], input: firewall.restore)
    for hook in firewall.hooks where try await !iptables(hook.check).isDone { try await must("iptables", hook.insert) }
    try await report(firewall)
  }

  private func report(_ firewall: HostFirewall) async throws {
    let listing = try await iptables(["-S"])
    guard listing.isDone else { throw AdministrationClient.Failure(description: "iptables cannot be asked: \(listing.words)") }
    let missing = firewall.missing(in: listing.words)
    if missing.isEmpty { return Swift.print("the firewall of this host keeps isolated jobs from it and from each other") }
    for rule in missing { Swift.print("missing: iptables \(rule)") }
    Swift.print("\(missing.count) rule\(missing.count == 1 ? "" : "s") missing: run `runnerhub host prepare` as root")
    throw ExitCode.failure
  }

  private func must(_ program: String, _ arguments: [String], input: String = "") async throws {
    let outcome = try await Self.run(program, arguments, input: input)
    guard outcome.isDone else {
      throw AdministrationClient.Failure(description: "\(program) \(arguments.joined(separator: " ")) failed: \(outcome.words)")
    }
  }

  private func iptables(_ arguments: [String]) async throws -> (isDone: Bool, words: String) {
    try await Self.run("iptables", arguments, input: "")
  }

  private static func run(_ program: String, _ arguments: [String], input: String) async throws -> (isDone: Bool, words: String) {
    do {
      let outcome = try await Subprocess.run(
        .name(program), arguments: Arguments(["--wait", "10"] + arguments), input: .string(input), output: .string(limit: 1 << 20),
        error: .string(limit: 1 << 16))
      return (outcome.terminationStatus.isSuccess, outcome.terminationStatus.isSuccess ? outcome.standardOutput : outcome.standardError)
    } catch {
      throw AdministrationClient.Failure(
        description: "\(program) cannot be run: \(error). Is it installed (Debian: apt-get install iptables)?")
    }
  }
}
