// swift-tools-version: 6.2
import PackageDescription

// RunnerHub's rooms are not public: their symbols are seen within one package only. So this package compiles them itself, in release mode,
// over the link `Rooms` to ../Sources, as targets of its own beside the benchmarks. Versions are those of ../Package.swift, exactly.
let dependencies: [Package.Dependency] = [
  .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
  .package(url: "https://github.com/hummingbird-project/swift-mustache.git", exact: "2.1.1"),
  .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
  .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
  .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
  .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
  .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
  .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
  .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
  .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
  .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
  .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
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
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// One room of RunnerHub, or only those of its files that are measured.
func room(_ name: String, _ dependencies: [Target.Dependency], sources: [String]? = nil, resources: [Resource]? = nil) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Rooms/\(name)", exclude: sources == nil ? ["README.md"] : [], sources: sources,
    resources: resources, swiftSettings: settings)
}

let pluginTemplates = [
  "Package.swift.txt", "Processes.swift.txt", "Protocol.swift.txt", "engine.lua", "engine.py", "engine.sh", "engine.swift.txt",
  "garm-provider.lua", "garm-provider.py", "garm-provider.sh", "garm-provider.swift.txt", "json.lua", "notifier.lua",
  "notifier.py", "notifier.sh", "notifier.swift.txt", "observer.lua", "observer.py", "observer.sh", "observer.swift.txt",
  "processes.lua", "processes.py", "processes.sh", "protocol.lua", "protocol.py", "protocol.sh", "secrets.lua", "secrets.py",
  "secrets.sh", "secrets.swift.txt", "source.lua", "source.py", "source.sh", "source.swift.txt", "stand_in.py",
]

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: dependencies,
  targets: [
    room("Domain", []),
    room("Scheduling", ["Domain", heap]),
    room("Workflow", [yams]),
    room("Folders", []),
    room("RunnerHub", ["Domain", "Scheduling", "Workflow", logging, metrics, lifecycle]),
    room("Simulation", ["Domain", "Scheduling", "RunnerHub", heap]),
    .systemLibrary(name: "CLua", path: "Rooms/CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CZlib", path: "Rooms/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CLuaShim", dependencies: ["CLua"], path: "Rooms/CLuaShim"),
    .target(name: "CProcess", path: "Rooms/CProcess"),
    room("JSON", ["Domain"]),
    room(
      "Plugins",
      ["Domain", "Folders", "JSON", "RunnerHub", "Workflow", "CProcess", crypto, nioCore, nioPosix, logging, metrics, lifecycle],
      resources: (["Garm/machine.sh", "Garm/wrapper.sh"] + pluginTemplates.map { "Kit/Templates/\($0)" }).map { .embedInCode($0) }),
    room("Policies", ["Domain", "Folders", "RunnerHub", "Workflow", "CLuaShim", crypto, logging]),
    room("Storage", ["Domain", "RunnerHub", "CZlib", crypto, grdb, logging]),
    // The decoder of deliveries without the client, whose dependencies would cost minutes of every build.
    room(
      "GitHub", ["Domain", "RunnerHub"],
      sources: ["GitHubDeliveryDecoder.swift", "WirePayloads.swift", "JSONFault.swift", "DefinitionRefs.swift"]),
    room(
      "Web",
      [
        "Domain", "RunnerHub", hummingbird, hummingbirdCore, mustache, crypto, httpTypes, nioCore, logging, metrics, coreMetrics, lifecycle,
      ],
      resources: [.embedInCode("Pages/status.html")]),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "Domain", "Scheduling", "RunnerHub", "Simulation", "Workflow", "Plugins", "Policies", "Storage", "GitHub", "Web", hummingbird,
        httpTypes,
        nioCore, grdb,
        crypto,
        argumentParser, logging, metrics, coreMetrics, lifecycle,
      ],
      swiftSettings: settings),
  ]
)
