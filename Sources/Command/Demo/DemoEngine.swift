import ArgumentParser

/// Where the demonstration's containers run.
enum DemoEngine: Sendable, CustomStringConvertible {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case process, docker
  }

  case process
  /// - Parameters:
  ///   - host: `unix://PATH` of the daemon's socket.
  ///   - image: with the stand-in runner.
  ///   - address: of this machine, as containers reach it.
  case docker(host: String, image: String, address: String)

  /// Where the local GitHub listens, so that runners reach it.
  var address: String {
    switch self {
    case .process: "127.0.0.1"
    case .docker(_, _, let address): address
    }
  }

  /// Lines of the configuration: the daemon, and what is the engine's of the pool `demo`.
  var configuration: (section: String, pool: String) {
    switch self {
    case .process: ("", "engine: process, image: stand-in")
    case .docker(let host, let image, _): ("docker: { host: \"\(host)\", pull: never }", "engine: docker, image: \"\(image)\"")
    }
  }

  var description: String {
    switch self {
    case .process: "engine process (no isolation: demo only)"
    case .docker(let host, let image, _): "engine docker (\(host), image \(image))"
    }
  }
}
