import Contracts
import Domain
import Foundation
import Glibc
import NIOHTTP1
import PrivateDocker
import RunnerHub
import Synchronization
import Testing

@testable import Engines

/// What a real daemon does when things go wrong, and how the engine says it.
@Suite("Faults of a real Docker daemon", .serialized)
struct DockerFaultTests {
  struct Unexpected: Error, CustomStringConvertible {
    var outcome: EngineError?
    var description: String { "the outcome was \(outcome.map { "\($0)" } ?? "success")" }
  }

  private func failure(_ body: () async throws -> Void) async -> EngineError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? EngineError
    }
  }

  private func invalid(_ body: () async throws -> Void) async throws -> String {
    let outcome = await failure(body)
    guard case .invalid(let why) = outcome else { throw Unexpected(outcome: outcome) }
    return why
  }

  private func unavailable(_ body: () async throws -> Void) async throws -> String {
    let outcome = await failure(body)
    guard case .unavailable(let why) = outcome else { throw Unexpected(outcome: outcome) }
    return why
  }

  // MARK: Making and starting

  @Test("more cores than the host has, and a network that is not there, are invalid; what was made is removed again")
  func impossible() async throws {
    try await DockerBench.with { bench in
      var spec = try await bench.spec("exit 0")
      spec.resources.milliCPUs = 5000 * 1000
      let greedy = spec
      #expect(try await invalid { try await bench.engine.create(greedy) }.contains("CPUs"))
      #expect(try await bench.engine.inspect(spec.id) == nil)

      var lost = bench
      lost.settings.network = "no-such-network"
      let other = try await bench.spec("exit 0")
      try await lost.engine.create(other)
      #expect(try await invalid { try await lost.engine.start(other.id) }.contains("no-such-network"))
      // It stays `created`, and is not tried again.
      #expect(try await lost.engine.inspect(other.id)?.status == .created)
      #expect(try await invalid { try await lost.engine.start(other.id) }.contains("no-such-network"))
      try await lost.engine.remove(other.id)
      #expect(try await lost.engine.inspect(other.id) == nil)
    }
  }

  @Test("an image without a shell cannot be started, which is said each time")
  func noShell() async throws {
    try await DockerBench.with { bench in
      var archive = TarArchive(modified: Date())
      try archive.add(file: "home/runner/run.sh", Data("#!/bin/sh\n".utf8), mode: 0o755, owner: 1001)
      try await bench.client.importImage(archive.data, as: "test/no-shell:1")
      var spec = try await bench.spec("exit 0")
      spec.image = "test/no-shell:1"
      try await bench.engine.create(spec)
      let id = spec.id
      for _ in 0..<2 { #expect(try await invalid { try await bench.engine.start(id) }.contains("/bin/sh")) }
      #expect(try await bench.engine.inspect(id)?.status == .created)
      try await bench.engine.remove(id)
      #expect(try await bench.engine.inspect(id) == nil)
    }
  }

  @Test("what a reusable container wrote to goes with it")
  func volumes() async throws {
    try await DockerBench.with { bench in
      func volumes() async throws -> Int {
        struct Answer: Decodable { var Volumes: [Volume]? }
        struct Volume: Decodable { var Name: String }
        return try await bench.client.json(.init(method: .GET, path: "/volumes"), as: Answer.self).Volumes?.count ?? 0
      }
      let before = try await volumes()
      let id = try await bench.container("echo x >/tmp/x", reusable: true)
      #expect(try await volumes() == before + 3)
      try await bench.engine.remove(id)
      #expect(try await volumes() == before)
    }
  }

  @Test("GPUs without a driver are invalid, with Docker's reason")
  func gpus() async throws {
    try await DockerBench.with { bench in
      var spec = try await bench.spec("exit 0")
      spec.resources.gpus = 1
      try await bench.engine.create(spec)
      let id = spec.id
      #expect(try await invalid { try await bench.engine.start(id) }.contains("gpu"))
    }
  }

  @Test("a name that another installation has taken is invalid, and its container stays")
  func foreign() async throws {
    try await DockerBench.with { mine in
      try await DockerBench.with { theirs in
        let spec = try await mine.spec("exit 0")
        try await theirs.engine.create(spec)
        _ = try await invalid { try await mine.engine.create(spec) }
        #expect(try await mine.engine.inspect(spec.id) == nil)
        #expect(!(try await mine.engine.list()).contains { $0.id == spec.id })
        try await mine.engine.remove(spec.id)
        #expect(try await theirs.engine.inspect(spec.id)?.status == .created)
      }
    }
  }

  // MARK: Secrets, limits, isolation

  @Test("credentials are in the container, readable by the runner only, and in nothing that Docker tells")
  func secrets() async throws {
    try await DockerBench.with { bench in
      let id = try await bench.container("stat -c '%a %u' .credentials; cat .credentials; sleep 60", go: false)
      let files = [
        RunnerFile(path: ".credentials", contents: Data("s3cret-value\n".utf8), mode: 0o400),
        RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600),
      ]
      try await bench.engine.put(files, into: id)
      _ = try await eventually("the job") { try await bench.log(of: id).contains("s3cret-value") ? true : nil }
      #expect(try await bench.log(of: id).hasPrefix("400 1001\n"))
      let told = try await bench.client.send(.init(method: .GET, path: "/containers/\(id)/json")).body
      let processes = try await bench.client.send(.init(method: .GET, path: "/containers/\(id)/top")).body
      for text in [told, processes] { #expect(!String(decoding: text, as: UTF8.self).contains("s3cret-value")) }
    }
  }

  @Test("limits hold inside, and change for what runs")
  func limits() async throws {
    try await DockerBench.with { bench in
      let script = """
        limit() { cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max; }
        limit; cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max
        while [ ! -e go-on ]; do sleep 0.05; done; limit
        """
      let id = try await bench.container(script)
      _ = try await eventually("the job") { try await bench.log(of: id).split(separator: "\n").count == 2 ? true : nil }
      #expect(try await bench.log(of: id).split(separator: "\n") == ["\(64 << 20)", "4096"])
      try await bench.engine.update(id, to: Resources(milliCPUs: 250, memory: ByteCount(mebibytes: 128)))
      try await bench.engine.put([RunnerFile(path: "go-on", contents: Data(), mode: 0o600)], into: id)
      _ = try await bench.exit(of: id)
      #expect(try await bench.log(of: id).split(separator: "\n").last == "\(128 << 20)")
    }
  }

  @Test("a reusable container has no capabilities, gains none, and can write to nothing that is kept")
  func reusableRights() async throws {
    try await DockerBench.with { bench in
      let script = """
        grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t ' ' '
        for place in / /etc /bin /home/runner /usr; do touch $place/x 2>/dev/null && echo "wrote to $place"; done
        echo done
        """
      let id = try await bench.container(script, reusable: true)
      _ = try await eventually("the job") { try await bench.log(of: id).contains("done") ? true : nil }
      #expect(try await bench.log(of: id).split(separator: "\n") == ["CapEff: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2", "done"])
    }
  }

  // MARK: Memory, hangs

  @Test("a process that runs out of memory is told apart from one that fails")
  func memory() async throws {
    try await DockerBench.with { bench in
      let greedy = try await bench.container("exec tail /dev/zero", memory: 16)
      #expect(try await bench.exit(of: greedy) == 137)
      let seen = try await bench.engine.inspect(greedy)
      #expect(seen?.isOutOfMemory == true && seen?.endedUse == 1 && seen?.runnerExit == 137)

      // Only a child is ended: the job may go on, and its exit code is its own.
      let child = try await bench.container("tail /dev/zero; exit 3", memory: 16)
      #expect(try await bench.exit(of: child) == 3)
      #expect(try await bench.engine.inspect(child)?.isOutOfMemory == true)

      // The next job in the same container starts with a clean sheet.
      let again = try await bench.container("tail /dev/zero; echo over", reusable: true, memory: 16)
      _ = try await eventually("the end of the use") { try await bench.engine.inspect(again)?.endedUse }
      #expect(try await bench.engine.inspect(again)?.isOutOfMemory == true)
      try await bench.engine.recycle(again)
      #expect(try await bench.engine.inspect(again)?.isOutOfMemory == false)

      let sound = try await bench.container("exit 137")
      #expect(try await bench.exit(of: sound) == 137)
      #expect(try await bench.engine.inspect(sound)?.isOutOfMemory == false)
    }
  }

  @Test("a job that ignores every signal is removed without waiting for it, and so is a paused one")
  func hung() async throws {
    try await DockerBench.with { bench in
      for isPaused in [false, true] {
        let id = try await bench.container("trap '' TERM INT HUP; echo up; while :; do sleep 1; done")
        _ = try await eventually("the job") { try await bench.log(of: id).contains("up") ? true : nil }
        if isPaused {
          _ = try await bench.client.send(.init(method: .POST, path: "/containers/\(id)/pause"))
          #expect(try await bench.engine.inspect(id)?.status == .running)
        }
        let start = ContinuousClock.now
        try await bench.engine.remove(id)
        #expect(start.duration(to: .now) < .seconds(10))
        #expect(try await bench.engine.inspect(id) == nil)
      }
    }
  }

  // MARK: Events and waits

  @Test("the end of a container is hinted at as it happens, and another installation's is not")
  func hints() async throws {
    try await DockerBench.with { bench in
      let looks = Looks()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await bench.engine.watch { looks.add() } }
        _ = try await eventually("the watch") { looks.count == 1 ? true : nil }
        try await DockerBench.with { other in
          let id = try await other.container("exit 0")
          _ = try await other.exit(of: id)
        }
        #expect(looks.count == 1)
        let id = try await bench.container("exit 0")
        _ = try await eventually("the hint") { looks.count > 1 ? true : nil }
        #expect(try await bench.exit(of: id) == 0)
        group.cancelAll()
      }
    }
  }

  @Test("a wait tells the exit code, and ends when its time is over")
  func waits() async throws {
    try await DockerBench.with { bench in
      let id = try await bench.container("exit 9", go: false)
      async let code = bench.client.wait(id.rawValue, for: "not-running", limit: .seconds(30))
      try await bench.engine.put([RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: id)
      #expect(try await code == 9)
      #expect(try await bench.client.wait("rh-never-was", for: "not-running", limit: .seconds(30)) == nil)
      let endless = try await bench.container("while :; do sleep 1; done")
      await #expect(throws: DockerFailure.self) {
        try await bench.client.wait(endless.rawValue, for: "not-running", limit: .milliseconds(300))
      }
    }
  }

  // MARK: The daemon's own end

  @Test(
    "while the daemon is dead the engine says so; containers go on, and afterwards every line and every end is there",
    .timeLimit(.minutes(2)))
  func daemonKilled() async throws {
    let docker = try await PrivateDocker()
    try await DockerBench.with(docker) { bench in
      let script =
        "n=0; while [ $n -lt 400 ]; do echo line $n; n=$((n+1)); sleep 0.01; done; while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 4"
      let long = try await bench.container(script, reusable: true)
      let short = try await bench.container("echo up; sleep 1.5; echo down; exit 6")
      _ = try await eventually("the first job") { try await bench.log(of: short).contains("up") ? true : nil }
      _ = try await eventually("the second job") { try await bench.log(of: long).contains("line 20") ? true : nil }
      let offset = Int64(try await bench.log(of: long).utf8.count)
      let started = try await bench.engine.inspect(long)?.startedAt
      let looks = Looks()
      try await withThrowingTaskGroup(of: EngineError?.self) { group in
        group.addTask { await self.failure { try await bench.engine.watch { looks.add() } } }
        _ = try await eventually("the watch") { looks.count == 1 ? true : nil }
        try await docker.kill()
        // Its stream ends: whoever follows it knows that it has to look again.
        let outcome = try #require(try await group.next())
        guard case .unavailable = outcome else { throw Unexpected(outcome: outcome) }
      }
      #expect(try await unavailable { _ = try await bench.engine.list() }.contains("Docker does not answer"))
      _ = try await eventually("the short job's end, seen from outside") { HostProcesses.living(withArgument: "1.5").isEmpty ? true : nil }
      try await docker.start()
      #expect(try await bench.engine.inspect(long)?.status == .running)
      #expect(try await bench.engine.inspect(long)?.startedAt == started)
      #expect(try await bench.exit(of: short) == 6)
      // What it wrote while nobody read it went with it: Docker keeps no output of a container that ends meanwhile.
      let told = try await bench.log(of: short)
      #expect(told == "up\n" || told == "up\ndown\n", "\(told)")
      try await bench.engine.put([RunnerFile(path: "ignored", contents: Data(), mode: 0o600)], into: long)
      _ = try await eventually("the last line") { try await bench.log(of: long).contains("line 399") ? true : nil }
      #expect(try await bench.log(of: long).split(separator: "\n") == (0..<400).map { "line \($0)" })
      #expect(try await bench.engine.log(of: long, use: 1, from: offset).isEmpty == false)
      try await bench.engine.recycle(long)
      #expect(try await bench.engine.inspect(long)?.runnerExit == 137)
    }
    await docker.end()
  }

  @Test("a daemon without live-restore ends every container; all are seen as ended, and are removed", .timeLimit(.minutes(2)))
  func daemonKilledForGood() async throws {
    let docker = try await PrivateDocker(options: ["--live-restore=false"])
    try await DockerBench.with(docker) { bench in
      let id = try await bench.container("echo up; while :; do sleep 1; done")
      _ = try await eventually("the job") { try await bench.log(of: id).contains("up") ? true : nil }
      try await docker.kill()
      try await docker.start()
      // Asked to end first, so how PID 1 ended is its own.
      _ = try await bench.exit(of: id)
      #expect(try await bench.engine.list().map(\.id) == [id])
      #expect(try await invalid { try await bench.engine.start(id) }.contains("has ended"))
      #expect(try await bench.log(of: id) == "up\n")
      try await bench.engine.remove(id)
      #expect(try await bench.engine.list().isEmpty)
    }
    await docker.end()
  }

  @Test("a full disk makes nothing new and keeps nothing from being removed", .timeLimit(.minutes(2)))
  func fullDisk() async throws {
    let docker = try await PrivateDocker(prepare: { folder in
      let data = folder.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      // The script takes the mount away with the folder.
      guard mount("tmpfs", data.path(percentEncoded: false), "tmpfs", 0, "size=64m") == 0 else {
        throw DockerFailure.unreadable("no tmpfs: \(errno)")
      }
    })
    try await DockerBench.with(docker) { bench in
      let running = try await bench.container("echo up; while [ ! -e go-on ]; do sleep 0.05; done; echo more; exit 2")
      _ = try await eventually("the job") { try await bench.log(of: running).contains("up") ? true : nil }
      let spec = try await bench.spec("exit 0")
      let filler = URL(filePath: docker.socket).deletingLastPathComponent().appending(path: "data/filler").path(percentEncoded: false)
      let descriptor = open(filler, O_WRONLY | O_CREAT, 0o600)
      let block = [UInt8](repeating: 1, count: 65536)
      while write(descriptor, block, block.count) > 0 {}
      close(descriptor)
      #expect(try await unavailable { try await bench.engine.create(spec) }.contains("no space left on device"))
      #expect(try await bench.engine.inspect(running)?.status == .running)
      try await bench.engine.remove(running)
      #expect(try await bench.engine.inspect(running) == nil)
      unlink(filler)
      try await bench.engine.create(spec)
      try await bench.engine.start(spec.id)
    }
    await docker.end()
  }
}

/// How often somebody was told to look.
private final class Looks: Sendable {
  private let number = Mutex(0)
  var count: Int { number.withLock { $0 } }
  func add() { number.withLock { $0 += 1 } }
}
