import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub host`
struct HostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "The engine hosts of a running serve.",
    subcommands: [List.self, HostPrepareCommand.self, Cordon.self, Uncordon.self, Drain.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Engine hosts, what they have and what is taken.", discussion: "Example: runnerhub host list")
    @OptionGroup var host: JobCommand.Host
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let hosts: [HostRow] = try await host.client().get("/api/v1/fleet/hosts")
      if json { return print(String(decoding: try WireJSON.encoder.encode(hosts), as: UTF8.self)) }
      print(FleetTables.hosts(hosts, width: Terminal.size?.columns))
    }
  }

  struct Cordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make no new containers on a host, and give its idle ones no jobs.",
      discussion: "Example: runnerhub host cordon docker://build-2")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The host's name, as `host list` shows it.") var name: String
    func run() async throws { try await FleetWishes.ask(.cordon, .init(host: name), host) }
  }

  struct Uncordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Use a host again that was cordoned or drained.", discussion: "Example: runnerhub host uncordon docker://build-2")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The host's name.") var name: String
    func run() async throws { try await FleetWishes.ask(.uncordon, .init(host: name), host) }
  }

  struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Cordon a host, end its idle containers now and the others after their jobs.",
      discussion: "Example: runnerhub host drain docker://build-2")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The host's name.") var name: String
    func run() async throws { try await FleetWishes.ask(.drain, .init(host: name), host) }
  }
}

/// `runnerhub pool`
struct PoolCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pool", abstract: "The pools of a running serve.",
    subcommands: [List.self, Show.self, Scale.self, Refresh.self, Cordon.self, Uncordon.self, Drain.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Pools, their bounds and their containers.", discussion: "Example: runnerhub pool list")
    @OptionGroup var host: JobCommand.Host
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let pools: [PoolPicture] = try await host.client().get("/api/v1/fleet/pools")
      if json { return print(String(decoding: try WireJSON.encoder.encode(pools), as: UTF8.self)) }
      print(FleetTables.pools(pools, width: Terminal.size?.columns))
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One pool: its template, its bounds, its containers.", discussion: "Example: runnerhub pool show linux")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The pool's name.") var name: String
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let client = try host.client()
      let pools: [PoolPicture] = try await client.get("/api/v1/fleet/pools")
      guard let pool = pools.first(where: { $0.name == name }) else {
        let near = Suggestion.nearest(to: name, among: pools.map(\.name)).map { " – did you mean \($0)?" } ?? ""
        throw AdministrationClient.Failure(description: "there is no pool \(name)\(near)")
      }
      if json { return print(String(decoding: try WireJSON.encoder.encode(pool), as: UTF8.self)) }
      let containers: [ContainerRow] = try await client.get("/api/v1/containers?limit=1000")
      print(FleetTables.pool(pool, containers.filter { $0.pool == name && $0.state.isLive }, width: Terminal.size?.columns))
    }
  }

  struct Cordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make no new containers in a pool, and give its idle ones no jobs.", discussion: "Example: runnerhub pool cordon linux")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The pool's name.") var name: String
    func run() async throws { try await FleetWishes.ask(.cordon, .init(pool: name), host) }
  }

  struct Uncordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Use a pool again that was cordoned or drained.", discussion: "Example: runnerhub pool uncordon linux")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The pool's name.") var name: String
    func run() async throws { try await FleetWishes.ask(.uncordon, .init(pool: name), host) }
  }

  struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Cordon a pool, end its idle containers now and the others after their jobs.",
      discussion: "Example: runnerhub pool drain linux")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The pool's name.") var name: String
    func run() async throws { try await FleetWishes.ask(.drain, .init(pool: name), host) }
  }
}

extension PoolCommand {
  struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Set a pool's bounds in place of the configured ones, also over restarts; --reset gives those back.",
      discussion: "Example: runnerhub pool scale linux --maximum 20 --warm 4")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The pool's name.") var name: String
    @Option(help: "Containers that exist even when nothing is to do.") var minimum: Int?
    @Option(help: "Containers at most; 0 closes the pool.") var maximum: Int?
    @Option(help: "Idle containers kept ready beyond the busy ones.") var warm: Int?
    @Flag(help: "As configured again.") var reset = false

    func validate() throws {
      let isGiven = minimum != nil || maximum != nil || warm != nil
      if isGiven == reset { throw ValidationError("give --minimum, --maximum or --warm, or --reset alone") }
    }

    func run() async throws {
      let wish = FleetRoutes.Scale(pool: name, minimum: minimum, maximum: maximum, warm: warm)
      let answer: FleetRoutes.Answer = try await host.client().post("/api/v1/fleet/scale", wish)
      print(answer.done)
    }
  }

  struct Refresh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetch a pool's image anew, and replace its containers one by one; jobs that run are not touched.",
      discussion: "Example: runnerhub pool refresh linux")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "The pool's name.") var name: String

    func run() async throws {
      let answer: FleetRoutes.Answer = try await host.client().post("/api/v1/fleet/refresh", FleetRoutes.Wish(pool: name))
      print("\(answer.done): runnerhub pool show \(name) tells how far it is")
    }
  }
}

/// `runnerhub container`
struct ContainerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "container", abstract: "The containers of a running serve.",
    subcommands: [List.self, Show.self, Cordon.self, Uncordon.self, Drain.self, Kill.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Containers that live; with --all also the last that are gone.",
      discussion: "Example: runnerhub container list --pool linux")
    @OptionGroup var host: JobCommand.Host
    @Option(help: "Of this pool only.") var pool: String?
    @Flag(help: "Also containers that are gone.") var all = false
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let rows: [ContainerRow] = try await host.client().get("/api/v1/containers?limit=1000")
      let shown = rows.filter { (all || $0.state.isLive) && (pool == nil || $0.pool == pool) }
      if json { return print(String(decoding: try WireJSON.encoder.encode(shown), as: UTF8.self)) }
      print(FleetTables.containers(shown, width: Terminal.size?.columns))
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "All that RunnerHub knows of one container.", discussion: "Example: runnerhub container show linux-3f2a91bc77")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "Its name or id.") var name: String
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let row = try await FleetWishes.find(name, host.client())
      if json { return print(String(decoding: try WireJSON.encoder.encode(row), as: UTF8.self)) }
      print(FleetTables.container(row))
    }
  }

  struct Cordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a container no further job, and keep it.", discussion: "Example: runnerhub container cordon linux-3f2a91bc77")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "Its name or id.") var name: String
    func run() async throws { try await FleetWishes.ask(.cordon, container: name, host) }
  }

  struct Uncordon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Use a container again that was cordoned.", discussion: "Example: runnerhub container uncordon linux-3f2a91bc77")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "Its name or id.") var name: String
    func run() async throws { try await FleetWishes.ask(.uncordon, container: name, host) }
  }

  struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a container: now if it is idle, else after its job.", discussion: "Example: runnerhub container drain linux-3f2a91bc77"
    )
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "Its name or id.") var name: String
    func run() async throws { try await FleetWishes.ask(.drain, container: name, host) }
  }

  struct Kill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a container now. With --force also one that has a job, which fails at GitHub.",
      discussion: "Example: runnerhub container kill linux-3f2a91bc77 --force")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "Its name or id.") var name: String
    @Flag(help: "With its job.") var force = false

    func run() async throws {
      let client = try host.client()
      let row = try await FleetWishes.find(name, client)
      let _: FleetRoutes.Answer = try await client.post(
        "/api/v1/fleet/kill", FleetRoutes.Wish(container: row.id.rawValue, force: force))
      print("container \(row.name) ends")
    }
  }
}

/// What the three commands have in common.
enum FleetWishes {
  static func ask(_ wish: FleetWish, _ place: FleetRoutes.Wish, _ host: JobCommand.Host) async throws {
    let answer: FleetRoutes.Answer = try await host.client().post("/api/v1/fleet/\(wish.rawValue)", place)
    print(answer.done)
  }

  static func ask(_ wish: FleetWish, container name: String, _ host: JobCommand.Host) async throws {
    let row = try await find(name, host.client())
    try await ask(wish, .init(container: row.id.rawValue), host)
  }

  /// A container by its name or id.
  static func find(_ name: String, _ client: AdministrationClient) async throws -> ContainerRow {
    let rows: [ContainerRow] = try await client.get("/api/v1/containers?limit=1000")
    if let row = rows.first(where: { $0.name == name || $0.id.rawValue == name }) { return row }
    let near = Suggestion.nearest(to: name, among: rows.map(\.name)).map { " – did you mean \($0)?" } ?? ""
    throw AdministrationClient.Failure(description: "no container \(name) among the newest \(rows.count)\(near)")
  }
}
