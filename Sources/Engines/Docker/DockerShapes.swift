internal import Domain
internal import Foundation

/// Requests and answers of the Docker API, as far as they are used here. Names are Docker's.
enum DockerShapes {
  /// `POST /containers/create`
  struct Creation: Encodable, Equatable {
    var Image: String
    var User: String
    var Entrypoint: [String]
    var Cmd: [String]
    var Env: [String]
    var WorkingDir: String
    var Labels: [String: String]
    var HostConfig: HostConfig
  }

  struct HostConfig: Encodable, Equatable {
    var Memory: Int64
    /// Equal to `Memory`: no swap. Left out, Docker gives as much swap as memory.
    var MemorySwap: Int64
    var NanoCpus: Int64
    var PidsLimit: Int64
    var NetworkMode: String
    var LogConfig: LogConfig
    var ReadonlyRootfs: Bool?
    var CapDrop: [String]?
    var SecurityOpt: [String]?
    var Mounts: [Mount]?
    var DeviceRequests: [DeviceRequest]?
  }

  struct LogConfig: Encodable, Equatable {
    var `Type`: String
    var Config: [String: String]
  }

  struct Mount: Encodable, Equatable {
    var `Type` = "volume"
    var Target: String
  }

  struct DeviceRequest: Encodable, Equatable {
    var Count: Int
    var Capabilities = [["gpu"]]
  }

  /// `POST /containers/{id}/update`
  struct Limits: Encodable {
    var Memory: Int64
    var MemorySwap: Int64
    var NanoCpus: Int64
  }

  /// An item of `GET /containers/json`.
  struct Listed: Decodable {
    var Names: [String]
    /// created, running, paused, restarting, removing, exited, dead.
    var State: String
  }

  /// `GET /containers/{id}/json`
  struct Inspected: Decodable {
    var Id: String
    var State: State
    var Config: Config
    var HostConfig: Limits

    struct State: Decodable {
      /// created, running, paused, restarting, removing, exited, dead.
      var Status: String
      var ExitCode: Int32
      var OOMKilled: Bool?
      var Error: String?
      var Pid: Int32?
      /// `0001-01-01T00:00:00Z` before the first start. Taken after PID 1 has begun to run: what it does first may be earlier.
      var StartedAt: String
      /// The newest end of PID 1; `0001-01-01T00:00:00Z` before the first.
      var FinishedAt: String
    }
    struct Config: Decodable {
      var Labels: [String: String]?
    }
    struct Limits: Decodable {
      var Memory: Int64
      var NanoCpus: Int64
    }
  }

  /// `GET /containers/{id}/stats`. cgroup v1 and v2 have different members below `stats`; a container that has just ended has none.
  struct Stats: Decodable {
    var memory_stats: Memory?
    var cpu_stats: CPU?
    var pids_stats: Pids?

    struct Memory: Decodable {
      var usage: Int64?
      var stats: [String: Int64]?
      /// Without the page cache that the kernel gives back when asked, as `docker stats` counts it.
      var used: Int64? {
        usage.map { $0 - min($0, stats?["total_inactive_file"] ?? stats?["inactive_file"] ?? 0) }
      }
    }
    struct CPU: Decodable {
      var cpu_usage: Usage?
      struct Usage: Decodable {
        /// Nanoseconds.
        var total_usage: UInt64?
      }
    }
    struct Pids: Decodable {
      var current: Int?
    }
  }

  /// `GET /info`
  struct Info: Decodable {
    var NCPU: Int
    var MemTotal: Int64
    var DockerRootDir: String?
  }

  /// A line of `GET /events`.
  struct Event: Decodable {
    /// create, start, die, oom, destroy, `health_status: healthy` and more.
    var Action: String?
    var Actor: Actor?
    struct Actor: Decodable {
      /// The container's labels, and `name`, `exitCode`.
      var Attributes: [String: String]?
    }
  }

  /// A line of the progress of a pull or an import. A 200 is no success: the last line may be an error.
  struct Progress: Decodable {
    var status: String?
    var id: String?
    var progressDetail: Detail?
    var error: String?
    struct Detail: Decodable {
      var current: Int64?
      var total: Int64?
    }
  }

  /// `POST /containers/{id}/wait`
  struct Waited: Decodable {
    var StatusCode: Int32
    var Error: Failure?
    struct Failure: Decodable { var Message: String? }
  }

  /// The header `X-Docker-Container-Path-Stat` of `HEAD /containers/{id}/archive`.
  struct PathStat: Decodable {
    var name: String
    var linkTarget: String
    var mtime: String
  }
}

extension DockerShapes.Listed {
  /// nil for a name that no container of ours has.
  var id: ContainerID? {
    Names.first.map { String($0.drop { $0 == "/" }) }.flatMap { ContainerName.isName($0) ? ContainerID(rawValue: $0) : nil }
  }
}
