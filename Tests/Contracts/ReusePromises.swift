internal import Domain
internal import Foundation
internal import RunnerHub

/// Leaves processes in every way a job has to leave the tree of its parents. Each sleeps for `nap` seconds.
func hostileScript(nap: String) -> String {
  """
  setsid sleep \(nap) &
  (setsid sh -c 'trap "" TERM INT HUP; sleep \(nap) & wait' &)
  env -i /bin/sh -c 'exec setsid sleep \(nap)' &
  (cd / && env -i setsid sh -c '(sleep \(nap) &) ; exit' &)
  n=0; while [ $n -lt 5 ]; do (sh -c '(setsid sleep \(nap) &)' &); n=$((n+1)); done
  setsid sh -c 'while :; do (sleep \(nap) & sleep 0.02; kill $!); done' &
  n=0; while [ $n -lt 100 ] && [ "$(grep -l \(nap) /proc/[0-9]*/cmdline 2>/dev/null | wc -l)" -lt 11 ]; do sleep 0.05; n=$((n+1)); done
  echo planted
  """
}

extension ContainerEngineContract {
  /// The same container for another job.
  static let reuse = [
    Promise("each use of a reusable container has its own log and exit status") { room in
      let id = try await room.container("read n <number; echo \"this is $n\"; exit $n", reusable: true)
      for use in 1...3 {
        try await room.go(id, use: use, files: [RunnerFile(path: "number", contents: Data("\(use)\n".utf8), mode: 0o400)])
        try expect(await room.end(of: id, use: use), is: Int32(use), "exit status of use \(use)")
        try expect(await room.status(of: id), is: .running, "status after use \(use)")
        try await room.engine.recycle(id)
      }
      for use in 1...3 { try expect(await room.log(of: id, use: use), is: "this is \(use)\n", "log of use \(use)") }
    },
    Promise("recycling leaves no file, no process and no variable of the job before") { room in
      let script = """
        echo FILES; find . "${TMPDIR:-/tmp}/" | sort; stat -c %a .; echo VARIABLES; env | sort
        echo REST
        [ ! -e hostile ] || {
          touch "$HOME/left" "${TMPDIR:-/tmp}/left"; mkdir -p .hidden/deep; touch .hidden/deep/left; chmod 000 .hidden; chmod 777 .
          rm run.sh; export LEFT=1; echo LEFT=1 >.env; ln -s / root; mkdir locked; touch locked/file; chmod 555 locked
          \(hostileScript(nap: room.nap))
        }
        """
      let id = try await room.container(script, reusable: true)
      try await room.go(id, use: 1)
      _ = try await room.end(of: id, use: 1)
      try await room.engine.recycle(id)
      let hostile = RunnerFile(path: "hostile", contents: Data(), mode: 0o600)
      try await room.go(id, use: 2, files: [hostile])
      _ = try await room.end(of: id, use: 2)
      try expect(await room.log(of: id, use: 2).contains("planted"), "the hostile job did not come to its end")
      try await room.engine.recycle(id)
      try expect(HostProcesses.living(withArgument: room.nap), is: [], "processes of the job before")
      try await room.go(id, use: 3)
      _ = try await room.end(of: id, use: 3)
      try expect(await room.log(of: id, use: 3), is: await room.log(of: id, use: 1), "what the third job sees, and the first saw")
    },
    Promise("recycling does not follow a link out of the container") { room in
      let spared = FileManager.default.temporaryDirectory.appending(path: "runnerhub-contract-\(room.nap)")
      try FileManager.default.createDirectory(at: spared, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: spared) }
      let file = spared.appending(path: "spared").path(percentEncoded: false)
      try Data("mine".utf8).write(to: URL(filePath: file))
      let place = spared.path(percentEncoded: false)
      let id = try await room.container("ln -s '\(place)' out; ln -s '\(file)' file; ln -s . loop; ls run.sh", reusable: true)
      try await room.go(id)
      try expect(await room.end(of: id), is: 0, "exit status")
      try await room.engine.recycle(id)
      try expect(FileManager.default.fileExists(atPath: file), "the file outside is gone")
      try await room.engine.remove(id)
      try expect(FileManager.default.fileExists(atPath: file), "the file outside is gone")
    },
    Promise("recycling ends a use that still runs, and its log and exit status remain") { room in
      let id = try await room.container("echo up; sleep \(room.nap); echo never", reusable: true)
      try await room.go(id)
      try await room.line("up", in: id)
      try await room.engine.recycle(id)
      try expect(HostProcesses.living(withArgument: room.nap), is: [], "processes")
      let seen = try await room.engine.inspect(id)
      try expect(seen?.endedUse, is: 1, "ended use")
      try expect(seen?.runnerExit, is: 137, "exit status of what was killed")
      try expect(await room.log(of: id), is: "up\n", "log")
      try await room.go(id, use: 2)
      try await room.line("up", in: id, use: 2)
    },
    Promise("recycling twice, or an unused container, finds it done") { room in
      let id = try await room.container("echo fresh", reusable: true)
      try await room.engine.recycle(id)
      try await room.engine.recycle(id)
      try await room.go(id)
      try expect(await room.end(of: id), is: 0, "exit status")
      try expect(await room.log(of: id), is: "fresh\n", "log")
    },
    Promise("a container for one use is not recycled") { room in
      let id = try await room.container("exit 0")
      try await expectError(.invalid, "recycle") { try await room.engine.recycle(id) }
    },
  ]

  /// The end of all of it.
  static let ends = [
    Promise("removal ends every process of a hostile job and leaves nothing") { room in
      let id = try await room.container(hostileScript(nap: room.nap) + "\nwait")
      try await room.go(id)
      try await room.line("planted", in: id)
      _ = try await eventually("the job's processes") { HostProcesses.living(withArgument: room.nap).count >= 9 ? true : nil }
      try await room.engine.remove(id)
      try expect(HostProcesses.living(withArgument: room.nap), is: [], "processes")
      try expect(await room.engine.inspect(id), is: nil, "inspect")
      try expect(!(await room.engine.list().contains { $0.id == id }), "it is still listed")
      try await expectError(.notFound, "log") { _ = try await room.engine.log(of: id, use: 1, from: 0) }
      try await room.engine.remove(id)
    },
    Promise("when a container for one use ends, all its processes end") { room in
      let id = try await room.container(hostileScript(nap: room.nap))
      try await room.go(id)
      try expect(await room.exit(of: id), is: 0, "exit status")
      try expect(await room.log(of: id).contains("planted"), "the job could not plant its processes")
      try expect(HostProcesses.living(withArgument: room.nap), is: [], "processes")
    },
    Promise("a created container that never ran is removed, and its name is free again") { room in
      let spec = try await room.spec("exit 0")
      try await room.engine.create(spec)
      try await room.engine.remove(spec.id)
      try expect(await room.engine.inspect(spec.id), is: nil, "inspect")
      var other = spec
      other.isReusable = true
      try await room.engine.create(other)
      try expect(await room.status(of: spec.id), is: .created, "status")
    },
    Promise("a container whose PID 1 was killed is seen as exited, and its removal ends the orphans") { room in
      let id = try await room.container("setsid sleep \(room.nap) & echo up; exec sleep \(room.nap)")
      try await room.go(id)
      try await room.line("up", in: id)
      try await room.bench.killFirstProcess(of: id)
      _ = try await room.exit(of: id)
      try await expectError(.invalid, "start") { try await room.engine.start(id) }
      try await room.engine.remove(id)
      try expect(HostProcesses.living(withArgument: room.nap), is: [], "orphans")
      try expect(await room.engine.inspect(id), is: nil, "inspect")
    },
    Promise("eight removals at once all succeed") { room in
      let id = try await room.container("echo up; sleep \(room.nap)")
      try await room.go(id)
      try await room.line("up", in: id)
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 { group.addTask { try await room.engine.remove(id) } }
        try await group.waitForAll()
      }
      try expect(await room.engine.inspect(id), is: nil, "inspect")
    },
  ]
}
