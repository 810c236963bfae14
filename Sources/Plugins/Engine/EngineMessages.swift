internal import Domain
internal import Foundation
internal import RunnerHub

/// What is asked of a plugin of kind `engine`, and answered (`docs/plugin-protocol.md`).
enum EngineMessages {
  struct Capacity: Codable, Hashable {
    var milliCPUs: Int
    var memory: Int64
    var disk: Int64
    var gpus: Int?
  }

  struct HomeQuestion: Codable, Hashable {
    var id: String
    var pool: String
    var image: String
  }

  struct Home: Codable, Hashable { var home: String }

  struct Creation: Codable, Hashable {
    var id: String
    var pool: String
    var image: String
    var milliCPUs: Int
    var memory: Int64
    var disk: Int64
    var gpus: Int
    var reusable: Bool
    var environment: [String: String]

    init(_ spec: ContainerSpec) {
      id = spec.id.rawValue
      pool = spec.pool
      image = spec.image
      milliCPUs = spec.resources.milliCPUs
      memory = spec.resources.memory.bytes
      disk = spec.resources.disk.bytes
      gpus = spec.resources.gpus
      reusable = spec.isReusable
      environment = spec.environment
    }
  }

  struct One: Codable, Hashable { var id: String }

  struct File: Codable, Hashable {
    var path: String
    var contents: Data
    var mode: UInt16
  }

  struct Put: Codable, Hashable {
    var id: String
    var files: [File]
  }

  struct Update: Codable, Hashable {
    var id: String
    var milliCPUs: Int
    var memory: Int64
    var disk: Int64
    var gpus: Int
  }

  struct LogQuestion: Codable, Hashable {
    var id: String
    var use: Int
    var offset: Int64
  }

  struct Log: Codable, Hashable { var data: Data }

  /// What PID 1 of a runner environment is to be: the answer to the plugin's own `engine/init`.
  struct FirstProcess: Codable, Hashable { var script: Data }

  struct List: Codable, Hashable { var containers: [Container] }
  struct Inspection: Codable, Hashable { var container: Container? }

  /// A container as the plugin sees it, before anything of it is believed.
  struct Container: Codable, Hashable {
    enum Status: String, Codable { case created, running, exited }
    var id: String
    var status: Status
    var exitCode: Int32?
    var endedUse: Int?
    var runnerExit: Int32?
    var processes: Int?
    var memory: Int64?
    var cpuSeconds: Double?
    var startedAt: Date?
    var outOfMemory: Bool?

    /// - Throws: `PluginError.malformed` where a value cannot be one.
    func checked() throws(PluginError) -> ContainerObservation {
      guard MachineName.isName(id) else { throw .malformed("a container's id is '\(PrintableText.line(String(id.prefix(80))))'") }
      let counts = [endedUse.map { $0 >= 1 }, processes.map { $0 >= 0 }, memory.map { $0 >= 0 }, cpuSeconds.map { $0.isFinite && $0 >= 0 }]
      guard counts.allSatisfy({ $0 ?? true }) else { throw .malformed("container \(id) has a count that cannot be") }
      let status: ContainerObservation.Status =
        switch self.status {
        case .created: .created
        case .running: .running
        case .exited: .exited(code: exitCode)
        }
      var seen = ContainerObservation(
        id: ContainerID(rawValue: id), status: status, endedUse: endedUse, runnerExit: runnerExit, processes: processes,
        memory: memory.map { ByteCount(bytes: $0) }, cpuSeconds: cpuSeconds, startedAt: startedAt)
      seen.isOutOfMemory = outOfMemory ?? false
      return seen
    }
  }
}
