package import RunnerHub

/// What a plugin's process may do beyond reading its own folder, writing into its own directory and talking to the host. Asked for in its manifest,
/// granted by the operator in `runnerhub.yaml`; nothing is granted by default, and a plugin that asks for more than it was granted is not started.
///
/// As text: `network`, `environment:NAME`, `read:/path`, `write:/path`, `events:KIND` (`events:job`), `jobs`.
package enum PluginAbility: Hashable, Sendable {
  /// Connections to others. Without it the process has a network of its own, with nothing in it but loopback.
  case network
  /// One variable of the host's environment.
  case environment(String)
  /// Files below an absolute path may be read.
  case read(String)
  /// Files below an absolute path may be read, written and made.
  case write(String)
  /// Events of this kind are sent to it.
  case events(HubEventKind)
  /// It may hand in jobs (kind `source`).
  case jobs
}
