import Foundation
import JSON
import Testing

@testable import Plugins

@Suite("What a GARM provider is asked") struct GarmCallTests {
  private let host = [
    "PATH": "/usr/bin", "HOME": "/root", "http_proxy": "http://proxy", "NO_PROXY": "local", "AWS_REGION": "eu", "AWS_PROFILE": "ci",
    "GARM_COMMAND": "Evil", "GARMENT": "coat", "SECRET": "word",
  ]

  private func call(_ command: GarmCommand, _ version: GarmInterfaceVersion, extraSpecs: JSONValue = .null) -> GarmCall {
    GarmCall(
      command, version: version, controllerID: "c", configFile: "/etc/p.toml", poolID: "p", instanceID: "i", extraSpecs: extraSpecs)
  }

  @Test("the environment is the contract's and what the operator named, and nothing else of the host's")
  func environment() {
    let variables = call(.getInstance, .v010).environment(host: host, prefixes: ["AWS_", "GARM", ""])
    #expect(
      variables == [
        "GARM_COMMAND": "GetInstance", "GARM_PROVIDER_CONFIG_FILE": "/etc/p.toml", "GARM_CONTROLLER_ID": "c",
        "GARM_INTERFACE_VERSION": "v0.1.0", "GARM_INSTANCE_ID": "i", "http_proxy": "http://proxy", "NO_PROXY": "local", "AWS_REGION": "eu",
        "AWS_PROFILE": "ci",
      ])
  }

  @Test(
    "the older interface tells the pool only where something is made or listed, the newer one with every machine",
    arguments: GarmCommand.allCases)
  func pool(_ command: GarmCommand) {
    let old = call(command, .v010).environment(host: [:], prefixes: [])["GARM_POOL_ID"]
    let new = call(command, .v011).environment(host: [:], prefixes: [])["GARM_POOL_ID"]
    #expect((old != nil) == [.createInstance, .listInstances].contains(command))
    let ofMachines: [GarmCommand] = [
      .createInstance, .getInstance, .listInstances, .deleteInstance, .startInstance, .stopInstance, .removeAllInstances,
    ]
    #expect((new != nil) == ofMachines.contains(command))
  }

  @Test("extra specs travel in base64 with the newer interface only; none are null")
  func extraSpecs() {
    #expect(call(.getVersion, .v011).environment(host: [:], prefixes: [])["GARM_POOL_EXTRASPECS"] == "bnVsbA==")
    #expect(call(.getVersion, .v010).environment(host: [:], prefixes: [])["GARM_POOL_EXTRASPECS"] == nil)
    let some = call(.getVersion, .v011, extraSpecs: .object(["disk": .integer(20)])).environment(host: [:], prefixes: [])
    #expect(some["GARM_POOL_EXTRASPECS"].flatMap { Data(base64Encoded: $0) } == Data(#"{"disk":20}"#.utf8))
  }

  @Test("a wish for a machine has every key as the library spells it")
  func bootstrap() throws {
    let settings = GarmSettings()
    let wish = BootstrapInstance(
      name: "m", tools: [settings.tool(for: "arm64")], repositoryURL: "https://github.com/acme", callbackURL: "http://h/c",
      metadataURL: "http://h/m", token: "t", extraSpecs: .object([:]), architecture: "arm64", osType: "linux", flavor: "f", image: "i",
      poolID: "p")
    let json = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(wish)) as? [String: Any])
    let wanted: Set = [
      "name", "tools", "repo_url", "callback-url", "metadata-url", "instance-token", "ssh-keys", "extra_specs", "github-runner-group",
      "arch",
      "os_type", "flavor", "image", "labels", "pool_id", "user_data_options", "jit_config_enabled", "proxy_config",
    ]
    #expect(Set(json.keys) == wanted)
    #expect(json["jit_config_enabled"] as? Bool == true)
    let tool = try #require((json["tools"] as? [[String: Any]])?.first)
    #expect(Set(tool.keys) == ["os", "architecture", "download_url", "filename", "sha256_checksum", "temp_download_token"])
    #expect(tool["filename"] as? String == "actions-runner-linux-arm64-2.336.0.tar.gz")
    #expect(
      tool["download_url"] as? String
        == "https://github.com/actions/runner/releases/download/v2.336.0/actions-runner-linux-arm64-2.336.0.tar.gz")
  }

  @Test("a machine without id, name or a status that a provider may give is no machine")
  func instances() throws {
    let good = #"{"provider_id":"i-1","name":"m","status":"running","addresses":[{"address":"10.0.0.1","type":"private"}],"pool_id":"x"}"#
    let machine = try ProviderInstance(json: Data(good.utf8))
    #expect(machine.id == "i-1" && machine.name == "m" && machine.status == .running && machine.addresses == ["10.0.0.1"])
    for bad in [
      "", "null", "[]", "{}", #"{"provider_id":"i","name":"m"}"#, #"{"provider_id":"i","name":"m","status":"pending_delete"}"#,
      #"{"provider_id":"","name":"m","status":"running"}"#, #"{"provider_id":"i\u0000","name":"m","status":"running"}"#,
      #"{"provider_id":1,"name":"m","status":"running"}"#,
    ] {
      #expect(throws: GarmFailure.self, "\(bad)") { try ProviderInstance(json: Data(bad.utf8)) }
    }
    #expect(try ProviderInstance.list(json: Data("null".utf8)).isEmpty)
    #expect(try ProviderInstance.list(json: Data("[\(good)]".utf8)).count == 1)
  }

  @Test("a fault is read from base64, and from the plain text that GARM's document shows")
  func faults() throws {
    let coded = #"{"provider_id":"i","name":"m","status":"error","provider_fault":"bm8gcm9vbQ=="}"#
    #expect(try ProviderInstance(json: Data(coded.utf8)).fault == "no room")
    let plain = #"{"provider_id":"i","name":"m","status":"error","provider_fault":"no room!"}"#
    #expect(try ProviderInstance(json: Data(plain.utf8)).fault == "no room!")
  }

  @Test("everything that is wrong with a configuration is said at once, with what was meant")
  func settings() throws {
    let wrong: JSONValue = .object([
      "flavour": .string("m1"), "arch": .string("x86"), "interface-version": .string("v2"), "bootstrap-timeout": .integer(0),
      "provider-config": .string("relative"), "extra-specs": .string("text"), "pools": .object(["big": .object(["size": .integer(1)])]),
    ])
    let refusal = try #require(throws: GarmSettings.Refusal.self) { try GarmSettings(wrong) }
    #expect(refusal.problems.count == 7, "\(refusal)")
    #expect(refusal.description.contains("configuration.flavour is not known; did you mean flavor?"))
    let right: JSONValue = .object([
      "flavor": .string("small"), "extra-specs": .object(["a": .integer(1)]), "interface-version": .string("auto"),
      "pools": .object(["big": .object(["flavor": .string("large"), "image": .string("debian")])]),
    ])
    let settings = try GarmSettings(right)
    #expect(settings.pool("big", image: "any", installation: "x").flavor == "large")
    #expect(settings.pool("big", image: "any", installation: "x").image == "debian")
    #expect(settings.pool("small", image: "any", installation: "x").flavor == "small")
    #expect(settings.pool("small", image: "any", installation: "x").image == "any")
    #expect(settings.pool("big", image: "", installation: "x").extraSpecs == .object(["a": .integer(1)]))
    #expect(settings.interfaceVersion == nil)
  }

  @Test("a pool's UUID is the same after every restart, and another for every installation")
  func identity() throws {
    let id = GarmIdentity.uuid(of: "pool", "a", "b")
    #expect(id == GarmIdentity.uuid(of: "pool", "a", "b"))
    #expect(id != GarmIdentity.uuid(of: "pool", "ab", ""))
    #expect(UUID(uuidString: id) != nil)
  }
}
