internal import Domain
internal import Foundation
internal import RunnerHub

extension ContainerEngineContract {
  /// Making, starting, finding.
  static let lives = [
    Promise("it answers with the cores, memory and disk of its host") { room in
      let all = try await room.engine.capacity().resources
      try expect(all.milliCPUs >= 1000 && all.memory.bytes > 0 && all.disk.bytes > 0, "capacity \(all)")
      try expect(!room.engine.name.isEmpty && !room.engine.name.contains(" "), "name '\(room.engine.name)' is not one word")
    },
    Promise("creating twice finds it done, and a name is never given to another spec") { room in
      var spec = try await room.spec("exit 0")
      try await room.engine.create(spec)
      try await room.engine.create(spec)
      try expect(await room.status(of: spec.id), is: .created, "status")
      spec.environment["OTHER"] = "1"
      let other = spec
      try await expectError(.invalid, "another spec under the same name") { try await room.engine.create(other) }
      try await room.engine.start(spec.id)
      spec.environment = [:]
      try await room.engine.create(spec)
      try expect(await room.status(of: spec.id), is: .running, "created again while it runs")
    },
    Promise("eight creations and starts at once make one container with one PID 1") { room in
      let spec = try await room.spec("echo ran")
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            try await room.engine.create(spec)
            try await room.engine.start(spec.id)
          }
        }
        try await group.waitForAll()
      }
      try expect(await room.engine.list().filter { $0.id == spec.id }.count, is: 1, "containers")
      try await room.go(spec.id)
      try expect(await room.end(of: spec.id), is: 0, "exit status")
      try expect(await room.logLines(of: spec.id), is: ["ran"], "log")
    },
    Promise("an unknown image is said to be so, and leaves nothing") { room in
      var spec = try await room.spec("exit 0")
      spec.image = "no-such-image-\(room.nap)"
      let bad = spec
      try await expectError(.notFound, "unknown image") { try await room.engine.create(bad) }
      try expect(await room.engine.inspect(spec.id), is: nil, "container of an unknown image")
    },
    Promise("a container that does not exist is not found, and to remove it succeeds") { room in
      let id = try await room.spec("exit 0").id
      try expect(await room.engine.inspect(id), is: nil, "inspect")
      try await expectError(.notFound, "start") { try await room.engine.start(id) }
      try await expectError(.notFound, "put") { try await room.engine.put([], into: id) }
      try await expectError(.notFound, "log") { _ = try await room.engine.log(of: id, use: 1, from: 0) }
      try await expectError(.notFound, "recycle") { try await room.engine.recycle(id) }
      let some = Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 128))
      try await expectError(.notFound, "update") { try await room.engine.update(id, to: some) }
      try await room.engine.remove(id)
      try await room.engine.remove(id)
    },
    Promise("a name that leads out of its place is refused everywhere") { room in
      for name in ["..", "../x", "a/b", ".x", "", "x", "UPPER", String(repeating: "a", count: 64)] {
        let id = ContainerID(rawValue: name)
        var spec = try await room.spec("exit 0")
        spec = ContainerSpec(id: id, pool: spec.pool, image: spec.image, resources: spec.resources, isReusable: false)
        let bad = spec
        try await expectError(.invalid, "create '\(name)'") { try await room.engine.create(bad) }
        try await expectError(.invalid, "remove '\(name)'") { try await room.engine.remove(id) }
      }
    },
    Promise("starting twice finds it done, and what has ended is never started again") { room in
      let id = try await room.container("exit 3")
      try await room.engine.start(id)
      try expect(await room.status(of: id), is: .running, "status")
      try await room.go(id)
      try expect(await room.exit(of: id), is: 3, "exit status of PID 1")
      try await expectError(.invalid, "start after the end") { try await room.engine.start(id) }
      try await expectError(.invalid, "put after the end") { try await room.go(id, use: 2) }
    },
    Promise("nothing is put into a container that is not started") { room in
      let spec = try await room.spec("exit 0")
      try await room.engine.create(spec)
      try await expectError(.invalid, "put") { try await room.go(spec.id) }
    },
    Promise("one call lists all containers, each as it stands") { room in
      let created = try await room.spec("exit 0")
      try await room.engine.create(created)
      let running = try await room.container("echo up; exec sleep \(room.nap)")
      let ended = try await room.container("exit 5")
      try await room.go(running)
      try await room.go(ended)
      try await room.line("up", in: running)
      _ = try await room.exit(of: ended)
      let all = Dictionary(uniqueKeysWithValues: try await room.engine.list().map { ($0.id, $0) })
      try expect(all[created.id]?.status, is: .created, "created")
      try expect(all[running]?.status, is: .running, "running")
      try expect(all[ended]?.status, is: .exited(code: 5), "ended")
      try expect(all[ended]?.endedUse == 1 && all[ended]?.runnerExit == 5, "end of use: \(String(describing: all[ended]))")
      try expect(all[created.id]?.startedAt, is: nil, "start of what was not started")
      try expect((all[running]?.processes ?? 0) >= 1, "processes of a running job")
      try expect((all[running]?.memory?.bytes ?? 0) > 0, "memory of a running job")
      try expect((all[running]?.cpuSeconds ?? -1) >= 0, "CPU time of a running job")
      try expect(abs(all[running]?.startedAt?.timeIntervalSinceNow ?? 1e9) < 300, "start time of a running container")
    },
    Promise("a second engine over the same place sees, reads, uses and removes what the first one made") { room in
      let id = try await room.container("echo use; cat word", reusable: true)
      try await room.go(id, use: 1, files: [RunnerFile(path: "word", contents: Data("one\n".utf8), mode: 0o600)])
      _ = try await room.end(of: id, use: 1)
      let second = try await room.bench.makeEngine()
      try expect(await second.list().map(\.id).contains(id), "the second engine's list lacks \(id)")
      try expect(await second.inspect(id)?.endedUse, is: 1, "ended use")
      try expect(String(decoding: await second.log(of: id, use: 1, from: 0), as: UTF8.self), is: "use\none\n", "log")
      try await second.recycle(id)
      let files = [
        RunnerFile(path: "word", contents: Data("two\n".utf8), mode: 0o600),
        RunnerFile(path: ".runnerhub-go", contents: Data("2\n".utf8), mode: 0o600),
      ]
      try await second.put(files, into: id)
      _ = try await room.end(of: id, use: 2)
      try expect(await room.log(of: id, use: 2), is: "use\ntwo\n", "log of the second use")
      try await second.remove(id)
      try expect(await room.engine.inspect(id), is: nil, "the first engine's view of what the second removed")
    },
  ]
}
