internal import Foundation

/// The rules that keep jobs on `isolated` networks from their host, from each other and from addresses of the cloud around it. Pure: what iptables
/// is asked, in order.
///
/// Two ways lead out of a container. What goes to the host itself (the gateway, any of its addresses, a proxy for metadata) passes INPUT, which
/// Docker's own isolation does not touch; what goes elsewhere passes FORWARD, where Docker calls DOCKER-USER first. Docker's name server answers
/// inside the container's own namespace, so names resolve without a rule.
package struct HostFirewall: Hashable, Sendable {
  /// Networks that jobs never reach beside their host: link-local addresses, where clouds tell credentials.
  package static let linkLocal = "169.254.0.0/16"

  /// Further networks that jobs do not reach (`10.0.0.0/8`).
  package var refused: [String]
  /// Addresses that jobs reach although a network above holds them (`10.0.4.7`, `10.0.8.0/24`).
  package var allowed: [String]

  package init(refused: [String] = [], allowed: [String] = []) {
    self.refused = refused
    self.allowed = allowed
  }

  static let input = "RUNNERHUB-INPUT"
  static let forward = "RUNNERHUB-FORWARD"
  private static var jobs: String { "\(DockerNetworks.bridgePrefix)+" }

  /// Rules of each chain, in their order.
  private var chains: [(name: String, rules: [[String]])] {
    let answers = ["-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "RETURN"]
    let refusal = ["-j", "REJECT", "--reject-with", "icmp-admin-prohibited"]
    return [
      (Self.input, [answers, refusal]),
      (
        Self.forward,
        [answers, ["-o", Self.jobs] + refusal] + allowed.map { ["-d", $0, "-j", "RETURN"] }
          + ([Self.linkLocal] + refused).map { ["-d", $0] + refusal }
      ),
    ]
  }

  /// Where the chains are called from.
  private static var calls: [(chain: String, rule: [String])] {
    [("INPUT", ["-i", jobs, "-j", input]), ("DOCKER-USER", ["-i", jobs, "-j", forward])]
  }

  /// What sets the rules up, whatever of them is there: each chain is filled anew before it is called, in one step of the kernel's (`iptables-restore`).
  package var restore: String {
    var lines = ["*filter"]
    for chain in chains { lines.append(":\(chain.name) - [0:0]") }
    for chain in chains {
      lines.append("-F \(chain.name)")
      for rule in chain.rules { lines.append("-A \(chain.name) \(rule.joined(separator: " "))") }
    }
    lines.append("COMMIT")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Calls that make the chains effective, each with how to ask whether it is there: arguments of iptables.
  package var hooks: [(check: [String], insert: [String])] {
    Self.calls.map { call in
      (["-C", call.chain] + call.rule, ["-I", call.chain, "1"] + call.rule)
    }
  }

  /// A shell script that does all of it, for a host on which RunnerHub does not run.
  package var script: String {
    var lines = [
      "#!/bin/sh",
      "# Keeps jobs of RunnerHub on isolated networks from this host and from each other. As root, after dockerd; again after each start of it.",
      "set -eu", "iptables -N DOCKER-USER 2>/dev/null || true", "iptables-restore --noflush <<'RULES'", String(restore.dropLast()), "RULES",
    ]
    for hook in hooks {
      lines.append("iptables \(hook.check.joined(separator: " ")) 2>/dev/null || iptables \(hook.insert.joined(separator: " "))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What is missing, of what `iptables -S` says; empty: all is in force.
  /// - Parameter listing: every rule of the table `filter`, one a line.
  package func missing(in listing: String) -> [String] {
    let present = Set(listing.split(separator: "\n").map { Self.normalised(String($0)) })
    var wanted: [String] = []
    for chain in chains { wanted += chain.rules.map { "-A \(chain.name) \($0.joined(separator: " "))" } }
    wanted += Self.calls.map { "-A \($0.chain) \($0.rule.joined(separator: " "))" }
    return wanted.filter { !present.contains(Self.normalised($0)) }
  }

  /// iptables writes the parts of a rule in an order of its own, states sorted by its own numbers, and addresses with their length.
  private static func normalised(_ rule: String) -> String {
    var words = rule.split(separator: " ").map(String.init)
    for index in words.indices where index > 0 {
      if words[index - 1] == "-d", !words[index].contains("/") { words[index] += "/32" }
      if words[index - 1] == "--ctstate" { words[index] = words[index].split(separator: ",").sorted().joined(separator: ",") }
    }
    // As groups: an option with its values.
    var groups: [String] = []
    for word in words {
      if word.hasPrefix("-") || groups.isEmpty { groups.append(word) } else { groups[groups.count - 1] += " \(word)" }
    }
    return groups.sorted().joined(separator: " ")
  }
}
