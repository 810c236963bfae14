// swift-tools-version: 6.2
import PackageDescription

// Versions are exact because Package.resolved is not committed: every machine builds the same graph.
let dependencies: [Package.Dependency] = [
  .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
  .package(url: "https://github.com/hummingbird-project/swift-mustache.git", exact: "2.1.1"),
  .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
  .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
  .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
  .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
  .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
  .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
  .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
  .package(url: "https://github.com/vapor/jwt-kit.git", exact: "5.7.1"),
  .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
  .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
  .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
  .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
  .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
  .package(url: "https://github.com/swiftlang/swift-subprocess.git", exact: "1.0.2"),
  .package(url: "https://github.com/apple/swift-system.git", exact: "1.8.1"),
]

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioFoundationCompat = Target.Dependency.product(name: "NIOFoundationCompat", package: "swift-nio")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

/// One room of the house: a library target under Sources, and what it may import.
func room(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: ["README.md"], resources: resources, swiftSettings: settings)
}

/// The tests beside a room.
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// What `runnerhub plugin new` writes.
let pluginTemplates = [
  "Package.swift.txt", "Processes.swift.txt", "Protocol.swift.txt", "engine.lua", "engine.py", "engine.sh", "engine.swift.txt",
  "garm-provider.lua", "garm-provider.py", "garm-provider.sh", "garm-provider.swift.txt", "json.lua", "notifier.lua",
  "notifier.py", "notifier.sh", "notifier.swift.txt", "observer.lua", "observer.py", "observer.sh", "observer.swift.txt",
  "processes.lua", "processes.py", "processes.sh", "protocol.lua", "protocol.py", "protocol.sh", "secrets.lua", "secrets.py",
  "secrets.sh", "secrets.swift.txt", "source.lua", "source.py", "source.sh", "source.swift.txt", "stand_in.py",
]

let package = Package(
  name: "RunnerHub",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "runnerhub", targets: ["Command"]),
    .library(name: "Workflow", targets: ["Workflow"]),
  ],
  dependencies: dependencies,
  targets: [
    // The pure core.
    room("Domain", []),
    room("Scheduling", ["Domain", heap]),
    room("Workflow", [yams]),
    room("JSON", ["Domain"]),
    room("Folders", []),
    room("RunnerHub", ["Domain", "Scheduling", "Workflow", logging, metrics, lifecycle]),
    room("Simulation", ["Domain", "Scheduling", "RunnerHub", heap]),

    // C: system libraries, and shims that keep longjmp and fork out of Swift.
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CLuaShim", dependencies: ["CLua"], cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
    .target(name: "CProcess", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),

    // Adapters: one technology a folder, each behind a port of the core.
    room("Policies", ["Domain", "Folders", "RunnerHub", "Workflow", "CLuaShim", crypto, logging]),
    room("Storage", ["Domain", "RunnerHub", "CZlib", crypto, grdb, logging]),
    room(
      "Engines",
      ["Domain", "RunnerHub", "CProcess", httpClient, nioCore, nioHTTP1, nioSSL, nioFoundationCompat, subprocess, system, logging],
      resources: [.embedInCode("init.sh")]),
    room(
      "Plugins",
      ["Domain", "Folders", "JSON", "RunnerHub", "Workflow", "CProcess", crypto, nioCore, nioPosix, logging, metrics, lifecycle],
      resources: (["Garm/machine.sh", "Garm/wrapper.sh"] + pluginTemplates.map { "Kit/Templates/\($0)" }).map { .embedInCode($0) }),
    room("GitHub", ["Domain", "RunnerHub", httpClient, jwt, nioCore, nioHTTP1, nioFoundationCompat, logging]),
    room(
      "Web",
      [
        "Domain", "RunnerHub", hummingbird, hummingbirdCore, mustache, crypto, httpTypes, nioCore, logging, metrics, coreMetrics, lifecycle,
      ],
      resources: [.embedInCode("Pages/status.html")]),
    room(
      "Emulator",
      ["Workflow", hummingbird, httpClient, httpTypes, jwt, crypto, nioCore, nioHTTP1, nioFoundationCompat, logging, lifecycle],
      resources: [.embedInCode("Runner/run.sh")]),

    // The only composition root.
    .executableTarget(
      name: "Command",
      dependencies: [
        "Domain", "Scheduling", "RunnerHub", "Simulation", "Workflow", "Policies", "Plugins", "JSON", "Storage", "Engines", "GitHub", "Web",
        "Emulator",
        argumentParser, yams, subprocess, system, crypto, httpClient, nioCore, nioHTTP1, nioFoundationCompat, logging, metrics, lifecycle,
        unixSignals,
      ],
      exclude: ["README.md"],
      resources: ["ci", "tests", "desktop", "security", "release"].map { .embedInCode("Demo/Workflows/\($0).yml") },
      swiftSettings: settings),

    // Contract suites that every adapter of a port must pass.
    .target(name: "Contracts", dependencies: ["Domain", "RunnerHub"], path: "Tests/Contracts", swiftSettings: settings),
    .target(name: "StoreContract", dependencies: ["Domain", "RunnerHub"], path: "Tests/StoreContract", swiftSettings: settings),

    // A Docker daemon of the tests' own.
    .target(name: "PrivateDocker", path: "Tests/PrivateDocker", swiftSettings: settings),

    // What GitHub's own description of its API finds wrong with a message.
    .target(name: "GitHubDescription", path: "Tests/GitHubDescription", swiftSettings: settings),

    // Random values, bytes and programs against the border between Swift and Lua: `make fuzz`.
    .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: settings),
    .target(name: "PolicyFuzzing", dependencies: ["Fuzzing", "Policies"], path: "Tests/PolicyFuzzing", swiftSettings: settings),
    .executableTarget(name: "PolicyFuzz", dependencies: ["Fuzzing", "PolicyFuzzing"], path: "Tests/PolicyFuzz", swiftSettings: settings),
    // Random workflow files and expressions.
    .target(name: "WorkflowFuzzing", dependencies: ["Fuzzing", "Workflow"], path: "Tests/WorkflowFuzzing", swiftSettings: settings),
    .executableTarget(
      name: "WorkflowFuzz", dependencies: ["Fuzzing", "WorkflowFuzzing"], path: "Tests/WorkflowFuzz", swiftSettings: settings),

    tests("WorkflowTests", ["Workflow", "WorkflowFuzzing"]),
    tests("JSONTests", ["JSON"]),
    tests(
      "GitHubTests",
      [
        "GitHub", "GitHubDescription", "Domain", "RunnerHub", hummingbird, httpClient, httpTypes, jwt, nioCore, nioHTTP1,
        nioFoundationCompat,
        cryptoExtras, logging,
      ]),
    tests("PoliciesTests", ["Domain", "Scheduling", "RunnerHub", "Policies", "Fuzzing", "PolicyFuzzing", "Storage", logging]),
    tests(
      "PluginsTests",
      ["Plugins", "JSON", "Contracts", "Domain", "Engines", "RunnerHub", "Storage", "Web", lifecycle, logging, nioCore, nioPosix]),
    tests("SourceTests", ["Domain", "RunnerHub", "Plugins", "JSON", "Engines", "Storage", "Web", logging, lifecycle]),
    tests("StorageTests", ["Domain", "RunnerHub", "Storage", "StoreContract", grdb, sqlite]),
    tests(
      "EnginesTests",
      [
        "Engines", "Contracts", "PrivateDocker", "Domain", "RunnerHub", "CProcess", httpClient, nioCore, nioPosix, nioHTTP1, logging,
      ]),
    tests("RunnerHubTests", ["Contracts", "Domain", "Scheduling", "RunnerHub", "Storage", "Workflow", logging, lifecycle]),
    tests("WebTests", ["Domain", "RunnerHub", "Web", crypto, coreMetrics, metrics, logging, lifecycle, nioCore, nioPosix]),
    tests(
      "EmulatorTests",
      ["Emulator", hummingbird, httpClient, httpTypes, jwt, crypto, nioCore, nioHTTP1, nioFoundationCompat, logging, lifecycle]),
    tests(
      "CommandTests",
      ["Command", "Domain", "Emulator", "Engines", "JSON", "Plugins", "RunnerHub", "Storage", "Web", argumentParser, logging, nioHTTP1]),
    tests("DomainTests", ["Domain", "Scheduling"]),
    tests("SchedulingTests", ["Domain", "Scheduling"]),
    tests("SimulationTests", ["Domain", "Scheduling", "RunnerHub", "Simulation", "Policies", "GitHub"]),
    tests(
      "EndToEndTests",
      [
        "Domain", "RunnerHub", "Web", "Emulator", "Workflow", "GitHubDescription", "PrivateDocker", grdb, crypto, cryptoExtras, httpClient,
        nioCore, nioHTTP1, nioFoundationCompat, logging,
      ]),
  ]
)
