internal import Domain
internal import Foundation
internal import Glibc
internal import RunnerHub

extension ContainerEngineContract {
  /// One use: files, marker, log, exit status.
  static let uses = [
    Promise("files are put whole, in folders that are made, with their modes, before the marker starts the use") { room in
      let id = try await room.container("for f in .credentials deep/er/plain tool.sh; do stat -c '%a %s %n' $f; done; ./tool.sh")
      let files = [
        RunnerFile(path: ".credentials", contents: Data("secret".utf8), mode: 0o400),
        RunnerFile(path: "deep/er/plain", contents: Data(count: 300_000), mode: 0o644),
        RunnerFile(path: "tool.sh", contents: Data("#!/bin/sh\necho ran\n".utf8), mode: 0o755),
      ]
      try await room.go(id, files: files)
      try expect(await room.end(of: id), is: 0, "exit status")
      let wanted = ["400 6 .credentials", "644 300000 deep/er/plain", "755 19 tool.sh", "ran"]
      try expect(await room.logLines(of: id), is: wanted, "log")
    },
    Promise("putting the same file twice leaves the second") { room in
      let id = try await room.container("cat name")
      for text in ["first\n", "second\n"] {
        try await room.engine.put([RunnerFile(path: "name", contents: Data(text.utf8), mode: 0o400)], into: id)
      }
      try await room.go(id)
      _ = try await room.end(of: id)
      try expect(await room.log(of: id), is: "second\n", "log")
    },
    Promise("a path that leads out of the runner's home is refused, and no file of that call is put") { room in
      let id = try await room.container("ls")
      for path in ["../x", "/etc/runnerhub-contract", "a/../../x", "a//b", "", ".", "a/./b", "x/"] {
        let files = [
          RunnerFile(path: "innocent", contents: Data(), mode: 0o600), RunnerFile(path: path, contents: Data(), mode: 0o600),
        ]
        try await expectError(.invalid, "path '\(path)'") { try await room.engine.put(files, into: id) }
      }
      try await room.go(id)
      _ = try await room.end(of: id)
      try expect(await room.logLines(of: id), is: ["run.sh"], "files in the home")
    },
    Promise("without the marker nothing runs; with it run.sh runs once, in its home, with no input") { room in
      let id = try await room.container("test \"$PWD\" -ef \"$HOME\" && echo home; cat; echo out; echo err >&2; exit 7")
      try await room.engine.put([RunnerFile(path: "file", contents: Data(), mode: 0o600)], into: id)
      try expect(await room.status(of: id), is: .running, "status")
      try expect(await room.engine.inspect(id)?.endedUse, is: nil, "ended use before the marker")
      try expect(await room.log(of: id), is: "", "log before the marker")
      try await room.go(id)
      try expect(await room.end(of: id), is: 7, "exit status of run.sh")
      try expect(await room.logLines(of: id), is: ["home", "out", "err"], "log")
      try expect(await room.exit(of: id), is: 7, "exit status of PID 1 of a container for one use")
    },
    Promise("a run.sh that cannot run is the end of the use, with the reason in its log") { room in
      let id = try await room.container("echo never")
      try await room.go(id, files: [RunnerFile(path: "run.sh", contents: Data("#!/nowhere/sh\n".utf8), mode: 0o755)])
      let status = try await room.end(of: id) ?? 0
      try expect(status == 126 || status == 127, "exit status \(status)")
      try expect(await room.log(of: id).contains("run.sh"), "the log does not say why")
    },
    Promise("a log is read from any byte, at most 1 MiB a call, and empty where there is nothing yet") { room in
      let id = try await room.container("yes 0123456789abcde | head -c 2621440; echo end")
      try expect(await room.engine.log(of: id, use: 1, from: 0).count, is: 0, "log before the use")
      try await room.go(id)
      _ = try await room.end(of: id)
      let size = 2_621_440 + 4
      let first = try await room.engine.log(of: id, use: 1, from: 0).count
      // An engine may stop at the end of a message; it must not stop much sooner, which would cost calls.
      try expect(first <= 1 << 20 && first > 1 << 19, "one call gave \(first) bytes")
      let tail = try await room.engine.log(of: id, use: 1, from: Int64(size - 20))
      try expect(String(decoding: tail, as: UTF8.self), is: "0123456789abcde\nend\n", "tail")
      try expect(await room.log(of: id).utf8.count, is: size, "all parts together")
      try expect(await room.engine.log(of: id, use: 1, from: Int64(size)).count, is: 0, "at the end")
      try expect(await room.engine.log(of: id, use: 1, from: Int64(size) + 5).count, is: 0, "beyond the end")
      try expect(await room.engine.log(of: id, use: 2, from: 0).count, is: 0, "a use that was not")
    },
    Promise("a log grows while the use runs") { room in
      let id = try await room.container("echo early; while [ ! -e go-on ]; do sleep 0.05; done; echo late")
      try await room.go(id)
      try await room.line("early", in: id)
      try expect(await room.engine.inspect(id)?.endedUse, is: nil, "ended use while it runs")
      try await room.engine.put([RunnerFile(path: "go-on", contents: Data(), mode: 0o600)], into: id)
      _ = try await room.end(of: id)
      try expect(await room.logLines(of: id), is: ["early", "late"], "log")
    },
    Promise("step logs under _diag come into the log, each line once, also when the runner deletes them") { room in
      // A page of the runner is deleted once it is uploaded; it lives longer than the engine needs to see it. That the engine holds it
      // shows as a second hard link; an engine that follows pages in another way gets three seconds.
      let id = try await room.container(
        """
        mkdir -p _diag/pages _diag/blocks
        page=_diag/pages/a_b_1.log block=_diag/blocks/a_b.1
        echo 'page one' >$page; echo 'block one' >$block
        n=0; while [ $n -lt 60 ] && { [ "$(stat -c %h $page)" = 1 ] || [ "$(stat -c %h $block)" = 1 ]; }; do sleep 0.05; n=$((n+1)); done
        echo 'page two' >>$page; rm $page; echo 'block two' >>$block
        mkfifo _diag/pages/pipe; ln -s /etc/hostname _diag/pages/link
        printf 'no newline' >_diag/pages/a_b_2.log
        """)
      try await room.go(id)
      try expect(await room.end(of: id), is: 0, "exit status")
      let lines = try await room.logLines(of: id)
      try expect(lines.sorted(), is: ["block one", "block two", "no newline", "page one", "page two"], "log")
      let first = lines.firstIndex(of: "page one") ?? 9
      try expect(first < (lines.firstIndex(of: "page two") ?? 0), "pages out of order: \(lines)")
    },
    Promise("the environment is the spec's and nothing of the host's") { room in
      let secret = "host-secret-\(room.nap)"
      setenv("RUNNERHUB_CONTRACT_SECRET", secret, 1)
      defer { unsetenv("RUNNERHUB_CONTRACT_SECRET") }
      let id = try await room.container("env", environment: ["GREETING": "hello $HOME 'you'"])
      try await room.go(id)
      _ = try await room.end(of: id)
      let lines = try await room.logLines(of: id)
      try expect(lines.contains("GREETING=hello $HOME 'you'"), "the spec's variable is not there: \(lines)")
      try expect(!lines.contains { $0.contains(secret) }, "a variable of the host is there: \(lines)")
      for own in ["RUNNERHUB_STATE", "RUNNERHUB_LOGS", "RUNNERHUB_HOME"] {
        try expect(!lines.contains { $0.hasPrefix("\(own)=") }, "\(own) of PID 1 is there")
      }
      for needed in ["PATH", "HOME"] { try expect(lines.contains { $0.hasPrefix("\(needed)=/") }, "\(needed) is not there: \(lines)") }
    },
    Promise("a job's signals are its own: none is ignored from the start") { room in
      let id = try await room.container("grep SigIgn /proc/self/status; grep SigBlk /proc/self/status")
      try await room.go(id)
      _ = try await room.end(of: id)
      let masks = try await room.logLines(of: id).map { $0.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) } }
      // Signals from 32 on are the C library's and for real time.
      try expect(masks.map { $0.map { $0 & 0x7fff_ffff } }, is: [0, 0], "ignored and blocked signals")
    },
    Promise("new limits are taken by a running container, or refused as invalid") { room in
      let id = try await room.container("echo up; while [ ! -e go-on ]; do sleep 0.05; done")
      try await room.go(id)
      try await room.line("up", in: id)
      do {
        try await room.engine.update(id, to: Resources(milliCPUs: 1000, memory: ByteCount(mebibytes: 512), disk: ByteCount(gibibytes: 1)))
      } catch EngineError.invalid {
        // An engine may be unable to, if it says so.
      }
      try expect(await room.status(of: id), is: .running, "status")
      try await room.engine.put([RunnerFile(path: "go-on", contents: Data(), mode: 0o600)], into: id)
      try expect(await room.end(of: id), is: 0, "exit status")
    },
  ]
}
