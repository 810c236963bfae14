internal import Foundation
package import JSON

/// What a GARM external provider can be asked: values of `GARM_COMMAND` (garm-provider-common, `execution/common/commands.go`).
package enum GarmCommand: String, Hashable, Sendable, CaseIterable {
  case createInstance = "CreateInstance"
  case getInstance = "GetInstance"
  case listInstances = "ListInstances"
  case deleteInstance = "DeleteInstance"
  // GARM's document has `Start` and `Stop`; its code sends and accepts these.
  case startInstance = "StartInstance"
  case stopInstance = "StopInstance"
  case removeAllInstances = "RemoveAllInstances"
  case getVersion = "GetVersion"
  case getSupportedInterfaceVersions = "GetSupportedInterfaceVersions"
  case validatePoolInfo = "ValidatePoolInfo"
  case getConfigJSONSchema = "GetConfigJSONSchema"
  case getExtraSpecsJSONSchema = "GetExtraSpecsJSONSchema"
}

/// The versions of the interface between GARM and a provider.
package enum GarmInterfaceVersion: String, Hashable, Sendable, Codable, CaseIterable {
  case v010 = "v0.1.0"
  case v011 = "v0.1.1"
}

/// One call of a provider as its environment says it. Pure.
///
/// The environment is exactly this; nothing of the host's is inherited but what the operator named (garm, `config/external.go`).
package struct GarmCall: Hashable, Sendable {
  package var command: GarmCommand
  package var version: GarmInterfaceVersion
  package var controllerID: String
  /// An absolute path of a file, which the library behind most providers refuses to run without.
  package var configFile: String
  package var poolID: String?
  package var instanceID: String?
  package var extraSpecs: JSONValue

  package init(
    _ command: GarmCommand, version: GarmInterfaceVersion, controllerID: String, configFile: String, poolID: String? = nil,
    instanceID: String? = nil, extraSpecs: JSONValue = .null
  ) {
    self.command = command
    self.version = version
    self.controllerID = controllerID
    self.configFile = configFile
    self.poolID = poolID
    self.instanceID = instanceID
    self.extraSpecs = extraSpecs
  }

  /// - Parameters:
  ///   - host: the host's environment.
  ///   - prefixes: of names that are passed on from it. Names that begin with `GARM` never are.
  package func environment(host: [String: String], prefixes: [String]) -> [String: String] {
    let proxies: Set = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
    var variables = host.filter { name, _ in
      guard !name.hasPrefix("GARM") else { return false }
      return proxies.contains(name) || prefixes.contains { !$0.isEmpty && name.hasPrefix($0) }
    }
    variables["GARM_COMMAND"] = command.rawValue
    variables["GARM_PROVIDER_CONFIG_FILE"] = configFile
    variables["GARM_CONTROLLER_ID"] = controllerID
    variables["GARM_INTERFACE_VERSION"] = version.rawValue
    if let poolID, carriesPool { variables["GARM_POOL_ID"] = poolID }
    if let instanceID { variables["GARM_INSTANCE_ID"] = instanceID }
    if version == .v011 { variables["GARM_POOL_EXTRASPECS"] = Self.json(extraSpecs).base64EncodedString() }
    return variables
  }

  /// v0.1.0 tells the pool only where something is made or listed.
  private var carriesPool: Bool {
    switch command {
    case .createInstance, .listInstances: true
    case .getInstance, .deleteInstance, .startInstance, .stopInstance, .removeAllInstances: version == .v011
    case .getVersion, .getSupportedInterfaceVersions, .validatePoolInfo, .getConfigJSONSchema, .getExtraSpecsJSONSchema: false
    }
  }

  /// The text of a value; `null` of one that cannot be written, which a number without a value is.
  static func json(_ value: JSONValue) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)) ?? Data("null".utf8)
  }
}
