import Foundation

/// The policy files in the interpreter of the system, with inputs that are plain tables of its own.
enum PlainLua {
  /// Time of one call, by the interpreter's own clock.
  static func microseconds(of call: String, calls: Int, policies: String) throws -> Double {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["lua5.4", "-", policies, call, "\(calls)"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    do {
      try process.run()
      try input.fileHandleForWriting.write(contentsOf: Data(script.utf8))
      try input.fileHandleForWriting.close()
    } catch {
      throw BenchmarkFailure("lua5.4 could not be run (scripts/install-system-packages bench): \(error)")
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, let time = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw BenchmarkFailure("lua5.4 failed (scripts/install-system-packages bench): \(text)")
    }
    return time
  }

  /// Job and fleet are made for each call; containers stay, as they do for a policy.
  private static let script = #"""
    local folder, call, calls = arg[1], arg[2], tonumber(arg[3])
    package.path = folder .. "/?.lua"
    local methods = {}
    methods.__index = methods
    function methods:has(name)
      for i = 1, #self do if self[i] == name then return true end end
      return false
    end
    local function labels(list) return setmetatable(list, methods) end
    local function job(number)
      return {
        id = "job-" .. number, name = "build-" .. number, workflow = "CI", workflow_path = ".github/workflows/ci.yml",
        repository = "acme/storefront", owner = "acme", private = true, labels = labels({ "linux", "self-hosted" }), branch = "main",
        default_branch = "main", commit = "f83a356604ae3c5d03e1b46ef4d1ca77d64a90b0", event = "push", actor = "someone", run_id = number,
        attempt = 1, from_fork = false, tries = 0, waiting_seconds = 1.5,
        estimate = { cpus = 1, memory_mb = 1024, disk_mb = 10240, gpus = 0 },
      }
    end
    local function fleet()
      return { now = 1e9, pools = { { name = "linux", total = 500 } }, pending = 40, active = 490, utilisation = 0.98, draining = false }
    end
    local containers = {}
    for i = 1, 500 do
      containers[i] = {
        id = "rh-linux-" .. i, name = "linux-" .. i, pool = "linux", is_new = false, labels = labels({ "linux", "self-hosted", "x64" }),
        cpus = 1, memory_mb = 1024, disk_mb = 10240, gpus = 0, uses = i % 4, repository = i % 3 == 0 and "acme/storefront" or nil,
        age_seconds = i, idle_seconds = i / 2, failed_checks = 0,
      }
    end
    local scores, reasons, turn = {}, {}, 0
    local once
    if call == "place" then
      local affinity = require("affinity")
      local filter = affinity.filter or function() return true end
      once = function()
        local one = job(turn)
        for i = 1, #containers do
          if filter(one, containers[i]) then scores[i], reasons[i] = affinity.score(one, containers[i]) end
        end
      end
    else
      local policy = require(call == "route" and "routing" or "priority")
      once = function() return policy[call](job(turn), fleet()) end
    end
    local function run(count)
      for _ = 1, count do
        turn = turn + 1
        once()
      end
    end
    run(calls // 4)
    local start = os.clock()
    run(calls)
    print((os.clock() - start) * 1e6 / calls)
    """#
}
