package import Domain
package import Foundation

/// Why an engine could not do it.
package enum EngineError: Error, Sendable, CustomStringConvertible {
  /// The engine does not know the container (or its image; the text says which).
  case notFound(String)
  /// The request can never succeed as it is: bad image, bad limits.
  case invalid(String)
  /// The engine or its host cannot do it now: no answer, disk full. Try again.
  case unavailable(String)

  package var description: String {
    switch self {
    case .notFound(let what): "not found: \(what)"
    case .invalid(let why): "invalid: \(why)"
    case .unavailable(let why): "engine unavailable: \(why)"
    }
  }
}

/// What to make.
package struct ContainerSpec: Hashable, Sendable, Codable {
  /// Deterministic: creating it twice finds it done.
  package var id: ContainerID
  package var pool: String
  package var image: String
  package var resources: Resources
  /// Whether PID 1 waits for another job after one has ended.
  package var isReusable: Bool
  /// Environment of the runner. No secrets.
  package var environment: [String: String]

  package init(id: ContainerID, pool: String, image: String, resources: Resources, isReusable: Bool, environment: [String: String] = [:]) {
    self.id = id
    self.pool = pool
    self.image = image
    self.resources = resources
    self.isReusable = isReusable
    self.environment = environment
  }
}

/// A file for the runner's home.
package struct RunnerFile: Hashable, Sendable {
  /// Relative to the runner's home, no `..`: `.credentials`.
  package var path: String
  package var contents: Data
  /// Permission bits, such as 0o400.
  package var mode: UInt16

  package init(path: String, contents: Data, mode: UInt16) {
    self.path = path
    self.contents = contents
    self.mode = mode
  }
}

/// What an engine sees of a container.
package struct ContainerObservation: Hashable, Sendable {
  package enum Status: Hashable, Sendable {
    /// Made, not started.
    case created
    case running
    /// PID 1 ended.
    case exited(code: Int32?)
  }
  package var id: ContainerID
  package var status: Status
  /// Ends of `run.sh` seen so far: the last use that ended, from 1, and its exit status. Says nothing of the job.
  package var endedUse: Int?
  package var runnerExit: Int32?
  /// Processes besides PID 1.
  package var processes: Int?
  package var memory: ByteCount?
  /// CPU time used so far, in seconds.
  package var cpuSeconds: Double?
  package var startedAt: Date?
  /// Whether the kernel has ended a process of it for want of memory; the container may go on.
  package var isOutOfMemory = false

  package init(
    id: ContainerID, status: Status, endedUse: Int? = nil, runnerExit: Int32? = nil, processes: Int? = nil, memory: ByteCount? = nil,
    cpuSeconds: Double? = nil, startedAt: Date? = nil
  ) {
    self.id = id
    self.status = status
    self.endedUse = endedUse
    self.runnerExit = runnerExit
    self.processes = processes
    self.memory = memory
    self.cpuSeconds = cpuSeconds
    self.startedAt = startedAt
  }
}

/// What the engine's host has in all.
package struct HostCapacity: Hashable, Sendable, Codable {
  package var resources: Resources
  package init(resources: Resources) { self.resources = resources }
}

/// Where containers run. Every call is idempotent: doing it twice finds it done. Implementations pass the contract suite in `Tests/Contracts`.
///
/// The contract between RunnerHub and a runner environment: an executable `run.sh` in the runner's home finds its files beside it,
/// runs one job and exits. PID 1 waits for the file `.runnerhub-go` (put last), runs `run.sh` for this *use*, and copies its output and
/// what grows under `_diag/pages` to the log of that use.
package protocol ContainerEngine: Sendable {
  /// One word: `process`, `docker`.
  var name: String { get }

  /// The runner's home as the runner itself sees it: an absolute path, `/home/runner` in an image.
  func home(of spec: ContainerSpec) async throws(EngineError) -> String
  /// Whether the engine answers, and what its host has.
  func capacity() async throws(EngineError) -> HostCapacity
  /// Has an image on the host, so that no container waits for it. A long call.
  /// - Parameters:
  ///   - anew: asks its source also where the host has it, for a name that may mean something else by now.
  ///   - progress: told in words how far it is, at most some times a second.
  func fetch(_ image: String, anew: Bool, progress: @escaping @Sendable (String) -> Void) async throws(EngineError)
  /// Makes the container, if it is not there, without starting it.
  func create(_ spec: ContainerSpec) async throws(EngineError)
  /// Starts PID 1, if it does not run. A container whose PID 1 has ended is never started again: `invalid`.
  func start(_ id: ContainerID) async throws(EngineError)
  /// Puts files into the runner's home of a running container, in order, each whole before the next: the marker comes last.
  func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError)
  /// All containers of this installation, in one call.
  func list() async throws(EngineError) -> [ContainerObservation]
  /// One container, or nil when the engine does not have it.
  func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation?
  /// The log of one use from a byte offset to its present end; empty where there is none yet. At most 1 MiB a call.
  func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data
  /// Changes the limits of a running container; an engine that cannot says so with `invalid`.
  func update(_ id: ContainerID, to resources: Resources) async throws(EngineError)
  /// Makes a reusable container fit for the next job: ends every process but PID 1 and empties every writable place. Ends as if just started.
  func recycle(_ id: ContainerID) async throws(EngineError)
  /// Ends every process of the container and removes all that is left of it. Absent is success.
  func remove(_ id: ContainerID) async throws(EngineError)
  /// Says when it is worth to look: as soon as it listens, and whenever a container may have ended, until the task is cancelled or the
  /// connection ends. Only a hint, for less delay than the next look at all of them: events get lost.
  func watch(_ look: @Sendable () async -> Void) async throws(EngineError)
}

extension ContainerEngine {
  /// For an engine whose images are always there, or are its own affair.
  package func fetch(_ image: String, anew: Bool, progress: @escaping @Sendable (String) -> Void) async throws(EngineError) {}

  /// For an engine without events.
  package func watch(_ look: @Sendable () async -> Void) async throws(EngineError) {
    do {
      while true { try await Task.sleep(for: .seconds(3600)) }
    } catch {
      return
    }
  }
}
